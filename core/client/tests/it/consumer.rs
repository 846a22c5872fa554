//! Consumers and scans on a broker whose leaders move and whose bytes are damaged.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{FakeCluster, client, config};
use headwater_client::{
    BatchOptions, BatchStream, Client, ClientConfig, Consumer, ConsumerConfig, DecodeOptions,
    ErrorKind, Position, Record, ScanOptions, Transport, Until,
};
use headwater_protocol::ErrorCode;
use headwater_record::Offset;

const TOPIC: &str = "t";
const PATIENCE: Duration = Duration::from_secs(20);

fn fill(client: &Client, records: usize) {
    let producer = client.producer(config(&[("batch.size", "500")]));
    let handles: Vec<_> = (0..records)
        .map(|_| {
            producer
                .send_blocking(&Record::new(TOPIC, b"some value"))
                .unwrap()
        })
        .collect();
    for handle in handles {
        handle.wait().unwrap();
    }
}

fn consumer(client: &Client, pairs: &[(&str, &str)]) -> Consumer {
    let fixed = [("auto.offset.reset", "earliest"), ("retry.backoff.ms", "1")];
    let mut consumer =
        client.consumer(ConsumerConfig::parse(fixed.iter().chain(pairs).copied()).unwrap());
    client
        .runtime()
        .block_on(consumer.assign_topics(&[TOPIC]))
        .unwrap();
    consumer
}

fn read_to_end(client: &Client, consumer: &mut Consumer) -> usize {
    let stream = BatchStream::new(BatchOptions {
        until: Until::End,
        ..BatchOptions::default()
    })
    .unwrap();
    let mut records = 0;
    while let Some(batch) = client
        .runtime()
        .block_on(consumer.next_batch(&stream))
        .unwrap()
    {
        records += batch.len();
    }
    records
}

#[test]
fn a_moved_leader_is_found_without_an_error() {
    let broker = FakeCluster::with_topic(TOPIC, 2);
    let (_runtime, client) = client(&broker);
    fill(&client, 100);
    let mut consumer = consumer(&client, &[]);
    let before = broker.state().metadata_requests;
    broker
        .state()
        .fetch_faults
        .extend([ErrorCode::NotLeaderOrFollower; 5]);
    assert_eq!(read_to_end(&client, &mut consumer), 100);
    assert!(broker.state().metadata_requests > before);
    broker
        .state()
        .fetch_faults
        .extend([ErrorCode::LeaderNotAvailable; 3]);
    let scan = client.topic(TOPIC).scan(ScanOptions::default());
    assert_eq!(
        client.runtime().block_on(scan.collect()).unwrap().len(),
        100
    );
}

#[test]
fn a_permanent_error_is_returned_and_the_position_stays() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (runtime, client) = client(&broker);
    fill(&client, 10);
    let mut consumer = consumer(&client, &[]);
    broker
        .state()
        .fetch_faults
        .push_back(ErrorCode::KafkaStorageError);
    let error = runtime.block_on(consumer.poll(PATIENCE, None)).unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ErrorKind::Storage, Some(Offset::ZERO))
    );
    assert_eq!(read_to_end(&client, &mut consumer), 10);
}

#[test]
fn damage_in_transit_is_detected_and_the_next_poll_succeeds() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (runtime, client) = client(&broker);
    fill(&client, 100);
    let whole = broker.state().logs.clone();
    for log in broker.state().logs.values_mut() {
        let mut damaged = log[1].to_vec();
        damaged[90] ^= 1;
        log[1] = damaged.into();
    }
    let mut consumer = consumer(&client, &[]);
    let read = runtime.block_on(consumer.poll(PATIENCE, None));
    let error = read
        .and_then(|_| runtime.block_on(consumer.poll(PATIENCE, None)))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CorruptLog, "{error}");
    let at = runtime
        .block_on(consumer.position())
        .unwrap()
        .into_values()
        .next()
        .unwrap();
    assert!(error.offset().unwrap() >= at);
    broker.state().logs = whole;
    // A seek drops fetched batches; the position is still that of the first record that was not handed out.
    runtime
        .block_on(consumer.seek(&Position::Offset(at), &[]))
        .unwrap();
    assert_eq!(read_to_end(&client, &mut consumer) as i64, 100 - at.get());
}

#[test]
fn without_the_check_the_same_damage_is_not_detected() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&broker);
    fill(&client, 100);
    for log in broker.state().logs.values_mut() {
        let mut damaged = log[1].to_vec();
        let last = damaged.len() - 2;
        damaged[last] ^= 1;
        log[1] = damaged.into();
    }
    let mut consumer = consumer(&client, &[("check.crcs", "false")]);
    assert_eq!(
        read_to_end(&client, &mut consumer),
        100,
        "only the check detects it"
    );
}

#[test]
fn records_removed_by_retention_during_a_scan_are_an_error() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (runtime, client) = client(&broker);
    fill(&client, 100);
    let scan = client.topic(TOPIC).scan(ScanOptions::default());
    let mut reader = runtime.block_on(scan.reader()).unwrap();
    broker.state().log_start = 50;
    let error = reader.next_batch_blocking().unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ErrorKind::OffsetOutOfRange, Some(Offset::ZERO)),
        "{error}"
    );
}

/// Like a log of Apache Kafka before 4.0 whose last records compaction has removed.
#[test]
fn readers_end_at_a_hole_before_the_end() {
    let broker = FakeCluster::with_topic(TOPIC, 2);
    let (runtime, client) = client(&broker);
    fill(&client, 100);
    broker.state().removed_at_end = 5;
    let mut consumer = consumer(&client, &[("fetch.max.wait.ms", "10")]);
    assert_eq!(read_to_end(&client, &mut consumer), 100);
    let positions = runtime.block_on(consumer.position()).unwrap();
    let sum = positions.values().map(|offset| offset.get()).sum::<i64>();
    assert_eq!(sum, 100, "the positions stay before the missing records");
    let topic = client.topic(TOPIC);
    let scan = topic.scan(ScanOptions::default());
    assert_eq!(runtime.block_on(scan.collect()).unwrap().len(), 100);
    assert_eq!(runtime.block_on(topic.count()).unwrap(), 100);
    let tail = topic.tail(10, DecodeOptions::default());
    assert_eq!(runtime.block_on(tail).unwrap().len(), 10);
}

/// A leader whose first response is empty, although there are records, does not end a reader.
#[test]
fn one_empty_answer_does_not_end_a_reader() {
    let broker = FakeCluster::with_topic(TOPIC, 1);
    let (runtime, client) = client(&broker);
    fill(&client, 100);
    let mut consumer = consumer(&client, &[("fetch.max.wait.ms", "10")]);
    broker.state().empty_fetches = 1;
    assert_eq!(read_to_end(&client, &mut consumer), 100);
    broker.state().empty_fetches = 1;
    let scan = client.topic(TOPIC).scan(ScanOptions::default());
    assert_eq!(runtime.block_on(scan.collect()).unwrap().len(), 100);
}

#[test]
fn a_scan_does_not_wait_for_removed_records_before_the_end() {
    let broker = FakeCluster::with_topic(TOPIC, 2);
    let (_runtime, writer) = client(&broker);
    fill(&writer, 100);
    broker.state().removed_at_end = 5;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let transport = Arc::clone(&broker) as Arc<dyn Transport>;
    let reader = Client::new(transport, runtime.handle().clone(), ClientConfig::default());
    let (count, waited) = runtime.block_on(async {
        let start = tokio::time::Instant::now();
        let scan = reader.topic(TOPIC).scan(ScanOptions::default());
        (scan.collect().await.unwrap().len(), start.elapsed())
    });
    assert_eq!((count, waited), (100, Duration::ZERO));
}
