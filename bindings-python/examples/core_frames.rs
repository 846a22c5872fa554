//! The reference for measurements of the Python package: the same calls in Rust. `core_frames DIRECTORY RECORDS` prints
//! the records per second of `send_batch` and of `batches`, with 100-byte values in one partition.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, BinaryViewArray, RecordBatch};
use headwater::{
    BatchOptions, BatchStream, BulkOptions, ConsumerConfig, NewTopic, ProducerConfig,
    TopicPartition, Until,
};

// The same allocator as in the package.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const VALUE: [u8; 100] = [b'x'; 100];
/// The rows of a call, like in the package.
const ROWS: usize = 1 << 18;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(directory), Some(records)) = (arguments.next(), arguments.next()) else {
        return Err("usage: core_frames DIRECTORY RECORDS".into());
    };
    let records: usize = records.parse()?;
    let engine = headwater::open(Some(Path::new(&directory)), headwater::NO_CONFIG)?;
    engine.block_on(engine.admin().create_topic(NewTopic::new("bench")))?;
    let values: ArrayRef = Arc::new(BinaryViewArray::from_iter_values(
        (0..records).map(|_| VALUE),
    ));
    let table = RecordBatch::try_from_iter([("value", values)])?;

    let producer = engine.producer(ProducerConfig::default());
    let options = BulkOptions {
        value: Some("value".into()),
        ..BulkOptions::default()
    };
    let started = Instant::now();
    for start in (0..records).step_by(ROWS) {
        let rows = table.slice(start, ROWS.min(records - start));
        engine.block_on(producer.send_batch("bench", &rows, &options))?;
    }
    println!(
        "send_batch {}",
        records as f64 / started.elapsed().as_secs_f64()
    );

    let mut consumer = engine.consumer(ConsumerConfig::parse([("auto.offset.reset", "earliest")])?);
    engine.block_on(consumer.assign(vec![TopicPartition::new("bench", 0)]))?;
    let stream = BatchStream::new(BatchOptions {
        until: Until::End,
        ..BatchOptions::default()
    })?;
    let started = Instant::now();
    let mut seen = 0;
    while let Some(batch) = engine.block_on(consumer.next_batch(&stream))? {
        seen += batch.len();
    }
    if seen != records {
        return Err(format!("{seen} of {records} records were read").into());
    }
    println!(
        "batches {}",
        records as f64 / started.elapsed().as_secs_f64()
    );
    Ok(())
}
