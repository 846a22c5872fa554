//! A recreated topic has another id, and other records at the same offsets.

use headwater_client::{ErrorKind, Position, TopicPartition};
use rstest::rstest;

use crate::support::config;
use crate::support::reading::{LONG, Reading, TOPIC};

/// A consumer reads three records; then the topic is recreated with four.
fn recreated(pairs: &[(&str, &str)]) -> (Reading, headwater_client::Consumer) {
    let mut reading = Reading::new(2, 1);
    for _ in 0..3 {
        reading.send(0);
    }
    let mut consumer = reading.consumer(pairs);
    let start = consumer.assign(vec![TopicPartition::new(TOPIC, 0)]);
    reading.wait(start).unwrap();
    reading
        .wait(consumer.seek(&Position::Earliest, &[]))
        .unwrap();
    reading.read(&mut consumer, 3);
    reading.cluster.state().recreate_topic(TOPIC);
    reading.producer = reading.client.producer(config(&[]));
    for _ in 0..4 {
        reading.send(0);
    }
    (reading, consumer)
}

/// Offset 3, the consumer's position, exists in the new topic too.
#[rstest]
fn a_position_in_the_old_topic_is_not_used_in_the_new_one(
    #[values("earliest", "latest")] reset: &str,
) {
    let (reading, mut consumer) = recreated(&[("auto.offset.reset", reset)]);
    reading.read(&mut consumer, 4);
}

#[test]
fn a_consumer_that_does_not_reset_has_to_seek() {
    let (reading, mut consumer) = recreated(&[("auto.offset.reset", "none")]);
    let error = reading.try_poll(&mut consumer, LONG).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OffsetOutOfRange);
    reading
        .wait(consumer.seek(&Position::Earliest, &[]))
        .unwrap();
    reading.read(&mut consumer, 4);
}
