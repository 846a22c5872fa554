//! A producer whose metadata loses partitions: a lagging broker does not have new ones yet, or the topic was recreated
//! with fewer.

use std::time::Duration;

use headwater_client::{ErrorKind, Position, Record, SendHandle};
use headwater_protocol::ErrorCode;

use crate::support::reading::{Reading, TOPIC};

const SHORT: Duration = Duration::from_secs(10);

/// Makes the brokers return this number of partitions.
fn set_partitions(reading: &Reading, count: i32) {
    let mut state = reading.cluster.state();
    state.partitions.insert(TOPIC.to_owned(), count);
}

fn look_up(reading: &Reading) {
    let topic = reading.client.topic(TOPIC);
    reading.wait(topic.offsets(&Position::Earliest)).unwrap();
}

fn send(reading: &Reading, partition: i32, value: &[u8]) -> SendHandle {
    let record = Record::new(TOPIC, value).partition(partition);
    reading.producer.send_blocking(&record).unwrap()
}

#[test]
fn a_topic_without_partitions_takes_no_records() {
    let reading = Reading::new(2, 0);
    let record = Record::new(TOPIC, b"value");
    let error = reading.producer.send_blocking(&record).unwrap_err();
    assert_eq!(error.code(), ErrorCode::LeaderNotAvailable);
}

/// With restarted sequences the broker would take the second record for the first one, and drop it.
#[test]
fn a_partition_that_was_missing_continues_its_sequences() {
    let reading = Reading::new(2, 2);
    send(&reading, 1, b"first").wait().unwrap();
    set_partitions(&reading, 1);
    look_up(&reading);
    send(&reading, 0, b"other").wait().unwrap();
    set_partitions(&reading, 2);
    look_up(&reading);
    send(&reading, 1, b"second").wait().unwrap();
    let values = reading.cluster.values(TOPIC, 1);
    let values: Vec<_> = values.iter().map(|(_, value)| &**value).collect();
    assert_eq!(values, [&b"first"[..], b"second"]);
}

#[test]
fn a_flush_fails_the_records_of_a_partition_that_the_recreated_topic_lacks() {
    let reading = Reading::new(2, 2);
    let handle = send(&reading, 1, b"value");
    set_partitions(&reading, 1);
    reading.cluster.state().recreate_topic(TOPIC);
    look_up(&reading);
    send(&reading, 0, b"other").wait().unwrap();
    let flush = async {
        let flushed = tokio::time::timeout(SHORT, reading.producer.flush()).await;
        flushed.unwrap()
    };
    reading.wait(flush).unwrap();
    let error = handle.try_result().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTopicOrPartition);
}
