//! A recreated topic has another id, and other records at the same offsets.

use headwater_client::{ErrorKind, Finishing, Position, TopicPartition};
use headwater_record::Offset;
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

/// A caller that works on several records at once finishes the old topic's records after the position was restarted.
#[test]
fn a_record_of_the_old_topic_that_is_finished_late_commits_nothing() {
    let (reading, mut consumer) = recreated(&[
        ("auto.offset.reset", "earliest"),
        ("group.id", "g"),
        ("auto.commit.interval.ms", "60000"),
    ]);
    consumer.set_finishing(Finishing::Explicit);
    let partition = TopicPartition::new(TOPIC, 0);
    let finished = |offset| [(partition.clone(), Offset::new(offset))].into();
    while consumer.consumed()[&partition] != Offset::new(1) {
        reading.wait(consumer.poll(LONG, Some(1))).unwrap();
    }
    consumer.finish(&finished(1));
    consumer.finish(&finished(3));
    reading.wait(consumer.close());
    let state = reading.cluster.state();
    let (committed, _) = state.committed[&(TOPIC.to_owned(), 0)];
    assert_eq!(committed, 1);
}
