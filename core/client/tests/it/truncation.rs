//! A new leader may lack records that a consumer has read (KIP-320).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use headwater_client::{Consumer, DecodeOptions, ErrorKind, Position, Record, TopicPartition};
use headwater_record::{Offset, PartitionId};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::reading::{LONG, Reading, TOPIC};

/// Lets a consumer read three records, then elects a leader that has only those before `end`, and sends three more.
fn read_and_lose(consumer_pairs: &[(&str, &str)], end: i64) -> (Reading, Consumer) {
    let reading = Reading::new(2, 1);
    for _ in 0..3 {
        reading.send(0);
    }
    let mut consumer = reading.consumer(consumer_pairs);
    let start = consumer.assign(vec![TopicPartition::new(TOPIC, 0)]);
    reading.wait(start).unwrap();
    reading
        .wait(consumer.seek(&Position::Earliest, &[]))
        .unwrap();
    reading.read(&mut consumer, 3);
    reading.cluster.state().elect_uncleanly(TOPIC, 0, 2, end);
    for _ in 0..3 {
        reading.send(0);
    }
    (reading, consumer)
}

fn at(offset: i64) -> BTreeMap<TopicPartition, Offset> {
    BTreeMap::from([(TopicPartition::new(TOPIC, 0), Offset::new(offset))])
}

#[test]
fn a_consumer_continues_where_the_log_diverges() {
    let (reading, mut consumer) = read_and_lose(&[], 1);
    reading.read(&mut consumer, 3);
    assert_eq!(consumer.consumed(), at(4));
    assert_eq!(reading.cluster.asked("OffsetForLeaderEpoch"), [2]);
}

#[test]
fn the_error_without_reset_has_the_offset_of_the_divergence() {
    let (reading, mut consumer) = read_and_lose(&[("auto.offset.reset", "none")], 1);
    for _ in 0..2 {
        let error = reading.try_poll(&mut consumer, LONG).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OffsetOutOfRange);
        assert_eq!(error.topic(), Some(TOPIC));
        assert_eq!(error.partition(), Some(PartitionId::new(0)));
        assert_eq!(error.offset(), Some(Offset::new(3)));
        assert!(error.message().contains("fetch offset 3"), "{error}");
        assert!(error.message().contains("Seek to offset 1"), "{error}");
    }
    let seek = Position::Offset(Offset::new(1));
    reading.wait(consumer.seek(&seek, &[])).unwrap();
    reading.read(&mut consumer, 3);
}

#[test]
fn a_leader_without_the_epoch_of_a_position_makes_the_consumer_reset() {
    let (reading, mut consumer) = read_and_lose(&[], 0);
    reading.read(&mut consumer, 3);
    assert_eq!(consumer.consumed(), at(3));
}

#[test]
fn a_committed_offset_is_validated_with_its_epoch_after_a_restart() {
    let (reading, consumer) =
        read_and_lose(&[("group.id", "g"), ("enable.auto.commit", "false")], 1);
    let mut earlier = consumer;
    reading.wait(earlier.commit(Some(at(3)))).unwrap();
    let committed = reading.cluster.state().committed.clone();
    assert_eq!(committed[&(TOPIC.to_owned(), 0)], (3, 0));
    reading.wait(earlier.close());
    let mut consumer = reading.consumer(&[("group.id", "g")]);
    let start = consumer.assign(vec![TopicPartition::new(TOPIC, 0)]);
    reading.wait(start).unwrap();
    assert_eq!(consumer.consumed(), at(3));
    reading.read(&mut consumer, 3);
}

#[test]
fn reading_continues_at_a_position_that_the_new_leader_has() {
    let reading = Reading::new(2, 1);
    reading.send(0);
    let mut consumer = reading.consumer_of_all(&[]);
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
    reading.cluster.state().move_leader(TOPIC, 0, 2);
    reading.send(0);
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
    assert_eq!(reading.cluster.asked("OffsetForLeaderEpoch"), [2]);
    reading.send(0);
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
    assert_eq!(reading.cluster.asked("OffsetForLeaderEpoch"), [2]);
}

#[derive(Debug, Clone)]
enum Step {
    Send,
    Poll,
    MoveLeader(i32),
    /// Elects a leader that lacks this many of the last records.
    ElectUncleanly(i32, i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Send),
        4 => Just(Step::Poll),
        1 => (1..=3).prop_map(Step::MoveLeader),
        2 => (1..=3, 0..4_i64).prop_map(|(node, lost)| Step::ElectUncleanly(node, lost)),
    ];
    prop::collection::vec(step, 1..40)
}

/// The records that a consumer has read: offsets and values.
fn read_values(reading: &Reading, consumer: &mut Consumer, read: &mut BTreeSet<(i64, Vec<u8>)>) {
    let polled = consumer.poll(Duration::from_millis(5), Some(2));
    let batch = reading.wait(polled).unwrap();
    let column = |name| batch.records.column_by_name(name).unwrap();
    let offsets = column("offset").as_primitive::<Int64Type>().values();
    let values = column("value").as_binary::<i32>();
    for (offset, value) in offsets.iter().zip(values) {
        read.insert((*offset, value.unwrap().to_vec()));
    }
}

fn check(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let reading = Reading::new(3, 1);
    let mut consumer = reading.consumer_of_all(&[("fetch.max.wait.ms", "1")]);
    let decode = DecodeOptions {
        views: false,
        ..DecodeOptions::default()
    };
    consumer.decode_as(decode).unwrap();
    let mut read = BTreeSet::new();
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Send => {
                let value = number.to_string();
                let record = Record::new(TOPIC, value.as_bytes());
                let handle = reading.producer.send_blocking(&record).unwrap();
                handle.wait().unwrap();
            }
            Step::Poll => read_values(&reading, &mut consumer, &mut read),
            Step::MoveLeader(node) => reading.cluster.state().move_leader(TOPIC, 0, node),
            Step::ElectUncleanly(node, lost) => {
                let end = reading.cluster.values(TOPIC, 0).len() as i64;
                let mut state = reading.cluster.state();
                if end > 0 {
                    state.elect_uncleanly(TOPIC, 0, node, end - lost);
                }
            }
        }
    }
    let stored = reading.cluster.values(TOPIC, 0);
    let start = Instant::now();
    while !stored.iter().all(|record| read.contains(record)) {
        prop_assert!(start.elapsed() < LONG, "{:?} of {:?}", read, stored);
        read_values(&reading, &mut consumer, &mut read);
    }
    Ok(())
}

#[test]
fn every_record_of_the_last_leader_is_read_at_its_offset() {
    let config = Config {
        cases: 60,
        failure_persistence: None,
        // A failing case waits long.
        max_shrink_iters: 20,
        ..Config::default()
    };
    TestRunner::new(config).run(&steps(), check).unwrap();
}
