//! The stream of a consumer: messages and tables, positions within a table, reading ahead, and cancelled calls.

mod cancelled;
mod errors;
mod finished;
mod positions;
mod read_ahead;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use headwater_client::{
    Batch, BatchOptions, BatchStream, Client, ClientConfig, Consumer, ConsumerConfig, Event,
    Operation, TopicPartition, Transport,
};
use headwater_record::Offset;

use crate::support::FakeCluster;

const TOPIC: &str = "t";
/// Longer than any test takes. The clock does not advance while there is work.
const LONG: Duration = Duration::from_mins(1);

/// Runs a test in one thread, with a client on the cluster. Time advances only when all tasks wait.
fn run<F: Future>(cluster: &Arc<FakeCluster>, test: impl FnOnce(Client) -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let config = ClientConfig::parse([("retry.backoff.ms", "1")]).unwrap();
    let transport = Arc::clone(cluster) as Arc<dyn Transport>;
    runtime.block_on(test(Client::new(
        transport,
        runtime.handle().clone(),
        config,
    )))
}

/// A consumer without an assignment.
fn idle(client: &Client, pairs: &[(&str, &str)]) -> Consumer {
    let fixed = [
        ("auto.offset.reset", "earliest"),
        ("fetch.max.wait.ms", "5"),
    ];
    client.consumer(ConsumerConfig::parse(fixed.iter().chain(pairs).copied()).unwrap())
}

/// A consumer of all partitions of the topic.
async fn consumer(client: &Client, pairs: &[(&str, &str)]) -> Consumer {
    let mut consumer = idle(client, pairs);
    consumer.assign_topics(&[TOPIC]).await.unwrap();
    consumer
}

/// An endless stream that does not wait for a fuller table.
fn stream(max_records: usize) -> BatchStream {
    BatchStream::new(BatchOptions {
        max_records,
        max_wait: Duration::ZERO,
        ..BatchOptions::default()
    })
    .unwrap()
}

fn partition(number: i32) -> TopicPartition {
    TopicPartition::new(TOPIC, number)
}

/// Offsets of the partitions from 0 on.
fn at(offsets: &[i64]) -> BTreeMap<TopicPartition, Offset> {
    let offsets = offsets.iter().zip(0..);
    offsets
        .map(|(offset, number)| (partition(number), Offset::new(*offset)))
        .collect()
}

/// The partition and the offset of each record, in order.
fn places(batch: &Batch) -> Vec<(i32, i64)> {
    use headwater_columnar::Column;
    let column = |column: Column| batch.records.column_by_name(column.name()).unwrap().clone();
    let (partitions, offsets) = (column(Column::Partition), column(Column::Offset));
    let partitions = partitions
        .as_any()
        .downcast_ref::<arrow_array::Int32Array>();
    let offsets = offsets.as_any().downcast_ref::<arrow_array::Int64Array>();
    let places = partitions.unwrap().values().iter().copied();
    places
        .zip(offsets.unwrap().values().iter().copied())
        .collect()
}

/// The partition and the offset of the next message.
async fn next_message(consumer: &mut Consumer) -> (i32, i64) {
    let (partition, offset) = consumer.next_message().await.unwrap().place().unwrap();
    (partition.partition.get(), offset.get())
}

async fn next_batch(consumer: &mut Consumer, stream: &BatchStream) -> Batch {
    match consumer
        .next_event(&Operation::NextBatch(stream.clone()))
        .await
    {
        Ok(Event::Batch(batch)) => batch,
        other => panic!("{other:?}"),
    }
}
