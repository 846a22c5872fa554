//! Records of aborted transactions are visible only with `read_uncommitted`, with every way to read a topic. Apache
//! Kafka wrote the log.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use headwater_client::{
    Batch, BatchOptions, BatchStream, Client, ClientConfig, ConsumerConfig, DecodeOptions,
    IsolationLevel, Position, ScanOptions, TopicPartition, Until,
};
use headwater_record::batches;
use serde_json::Value;

use crate::support::{FakeCluster, client};

/// A broker with the log in partition 0 of topic "t", and the offsets that Kafka's consumer returned under
/// `read_committed`.
fn cluster() -> (std::sync::Arc<FakeCluster>, Vec<i64>) {
    let directory =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../columnar/tests/fixtures/transactions");
    let log = fs::read(directory.join("interleaved.log")).unwrap().into();
    let said = fs::read(directory.join("interleaved.json")).unwrap();
    let said: Value = serde_json::from_slice(&said).unwrap();
    let pairs = |name: &str| -> Vec<Value> { said[name].as_array().unwrap().clone() };
    let number = |value: &Value| value.as_i64().unwrap();
    let cluster = FakeCluster::with_topic("t", 1);
    let stored = batches(&log).map(|batch| batch.unwrap().bytes().clone());
    cluster
        .state()
        .logs
        .insert(("t".to_owned(), 0), stored.collect());
    cluster.state().aborted = pairs("index")
        .iter()
        .map(|transaction| (number(&transaction[0]), number(&transaction[1])))
        .collect();
    let committed = pairs("records")
        .iter()
        .map(|record| number(&record[0]))
        .collect();
    (cluster, committed)
}

fn offsets(batch: &Batch) -> Vec<i64> {
    let column = batch.records.column_by_name("offset").unwrap();
    column.as_primitive::<Int64Type>().values().to_vec()
}

fn scan(client: &Client, isolation_level: IsolationLevel) -> (Vec<i64>, u64) {
    let scan = client.topic("t").scan(ScanOptions {
        isolation_level,
        max_batch_records: 3,
        ..ScanOptions::default()
    });
    let runtime = client.runtime();
    let read = offsets(&runtime.block_on(scan.collect()).unwrap());
    (read, runtime.block_on(scan.count()).unwrap())
}

#[test]
fn a_scan_leaves_records_of_aborted_transactions_out() {
    let (cluster, committed) = cluster();
    let (_runtime, client) = client(&cluster);
    let (read, count) = scan(&client, IsolationLevel::ReadCommitted);
    assert_eq!((count, &read), (committed.len() as u64, &committed));
    let (all, count) = scan(&client, IsolationLevel::ReadUncommitted);
    assert!(all.len() > committed.len());
    assert_eq!(count, all.len() as u64);
}

#[test]
fn head_and_tail_and_rate_leave_them_out() {
    let (cluster, committed) = cluster();
    let (runtime, client) = client(&cluster);
    let topic = client.topic("t");
    let tail = runtime.block_on(topic.tail(4, DecodeOptions::default()));
    assert_eq!(offsets(&tail.unwrap()), committed[committed.len() - 4..]);
    let head = runtime.block_on(topic.head(4, DecodeOptions::default()));
    assert_eq!(offsets(&head.unwrap()), committed[..4]);
    let rate = topic.rate(1_000, Position::Earliest, Position::Latest);
    let rate = runtime.block_on(rate).unwrap().records;
    let counted = rate.column_by_name("records").unwrap();
    let counted: i64 = counted.as_primitive::<Int64Type>().values().iter().sum();
    assert_eq!(counted, committed.len() as i64);
}

#[test]
fn a_read_committed_consumer_leaves_them_out() {
    let (cluster, committed) = cluster();
    let (runtime, client) = client(&cluster);
    for isolation in ["read_committed", "read_uncommitted"] {
        let config = [
            ("auto.offset.reset", "earliest"),
            ("isolation.level", isolation),
        ];
        let mut consumer = client.consumer(ConsumerConfig::parse(config).unwrap());
        let partition = TopicPartition::new("t", 0);
        runtime.block_on(consumer.assign(vec![partition])).unwrap();
        let stream = BatchStream::new(BatchOptions {
            max_records: 3,
            until: Until::End,
            ..BatchOptions::default()
        });
        let stream = stream.unwrap();
        let mut read = Vec::new();
        while let Some(batch) = runtime.block_on(consumer.next_batch(&stream)).unwrap() {
            read.extend(offsets(&batch));
        }
        assert_eq!(read == committed, isolation == "read_committed");
        assert!(read.len() >= committed.len());
    }
}

/// A poll decodes the batches that were fetched until it finds a visible record.
#[test]
fn a_poll_does_not_wait_behind_aborted_records() {
    let (cluster, committed) = cluster();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let client = Client::new(cluster, runtime.handle().clone(), ClientConfig::default());
    let config = [
        ("auto.offset.reset", "earliest"),
        ("isolation.level", "read_committed"),
    ];
    let mut consumer = client.consumer(ConsumerConfig::parse(config).unwrap());
    let waited = runtime.block_on(async {
        let partition = TopicPartition::new("t", 0);
        consumer.assign(vec![partition]).await.unwrap();
        let start = tokio::time::Instant::now();
        let mut read = Vec::new();
        while read.len() < committed.len() {
            let poll = consumer.poll(Duration::from_mins(1), Some(1));
            read.extend(offsets(&poll.await.unwrap()));
        }
        assert_eq!(read, committed);
        start.elapsed()
    });
    assert_eq!(waited, Duration::ZERO);
}
