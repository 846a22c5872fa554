//! Commits whose responses are not waited for.

use std::time::Duration;

use headwater_client::{Consumer, Subscription, TopicPartition};
use rstest::rstest;

use crate::support::reading::{Reading, TOPIC};

/// A member without auto-commit, which has read a record.
fn reader() -> (Reading, Consumer) {
    let reading = Reading::new(1, 1);
    reading.send(0);
    let mut consumer = reading.consumer(&[
        ("group.id", "g"),
        ("group.protocol", "consumer"),
        ("enable.auto.commit", "false"),
    ]);
    consumer.subscribe(Subscription::topics([TOPIC])).unwrap();
    reading.read(&mut consumer, 1);
    reading.cluster.state().commit_takes = Duration::from_millis(100);
    (reading, consumer)
}

#[derive(Debug, Clone, Copy)]
enum Departure {
    Close,
    Unsubscribe,
}

#[rstest]
fn a_member_leaves_after_its_commits(
    #[values(Departure::Close, Departure::Unsubscribe)] leaving: Departure,
) {
    let (reading, mut consumer) = reader();
    reading.wait(consumer.commit_async(None)).unwrap();
    match leaving {
        Departure::Close => reading.wait(consumer.close()),
        Departure::Unsubscribe => reading.wait(consumer.unsubscribe()).unwrap(),
    }
    let partition = (TOPIC.to_owned(), 0);
    let committed = reading.cluster.state().committed.get(&partition).copied();
    assert_eq!(committed.map(|(offset, _)| offset), Some(1));
}

#[test]
fn partitions_are_released_after_their_commits() {
    let (reading, mut consumer) = reader();
    reading.wait(consumer.commit_async(None)).unwrap();
    reading.cluster.state().group.has_empty_target = true;
    while !consumer.assignment().is_empty() {
        reading.poll(&mut consumer, Duration::from_millis(5));
    }
    let partition = (TOPIC.to_owned(), 0);
    assert!(reading.cluster.state().committed.contains_key(&partition));
}

#[test]
fn assigned_partitions_are_dropped_after_their_commits() {
    let reading = Reading::new(1, 2);
    reading.send(0);
    let mut consumer = reading.consumer(&[("group.id", "g"), ("enable.auto.commit", "false")]);
    let partition = |number| TopicPartition::new(TOPIC, number);
    reading.wait(consumer.assign(vec![partition(0)])).unwrap();
    reading.read(&mut consumer, 1);
    reading.cluster.state().commit_takes = Duration::from_millis(100);
    reading.wait(consumer.commit_async(None)).unwrap();
    reading.wait(consumer.assign(vec![partition(1)])).unwrap();
    let committed = reading.cluster.state().committed.len();
    assert_eq!(committed, 1);
}
