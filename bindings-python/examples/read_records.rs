//! Reads all values of a topic with one partition on a running cluster: `read_records HOST:PORT TOPIC RECORDS` prints
//! the sum of their sizes, and the records per second since the first request.

use std::time::Instant;

use arrow_array::cast::AsArray;
use headwater::{BatchOptions, BatchStream, ConsumerConfig, NO_CONFIG, TopicPartition};

// The same allocator as in the packages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, topic, records] = arguments.as_slice() else {
        return Err("usage: read_records HOST:PORT TOPIC RECORDS".into());
    };
    let records: usize = records.parse()?;
    let client = headwater::connect(address, NO_CONFIG)?;
    let mut consumer = client.consumer(ConsumerConfig::parse([("auto.offset.reset", "earliest")])?);
    let started = Instant::now();
    client.block_on(consumer.assign(vec![TopicPartition::new(topic.as_str(), 0)]))?;
    let stream = BatchStream::new(BatchOptions::default())?;
    let (mut seen, mut size) = (0, 0);
    while seen < records {
        let Some(batch) = client.block_on(consumer.next_batch(&stream))? else {
            break;
        };
        let values = batch.records.column_by_name("value");
        let values = values.and_then(|values| values.as_binary_view_opt());
        let values = values.ok_or("the values are not bytes")?;
        size += values.iter().flatten().map(<[u8]>::len).sum::<usize>();
        seen += batch.len();
    }
    let rate = seen as f64 / started.elapsed().as_secs_f64();
    println!("{size} {rate}");
    Ok(())
}
