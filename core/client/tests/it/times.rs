//! Offsets by timestamp from a broker that does not find them: Kafka searches only the first segment that may have the
//! record, and that record may be deleted.

use headwater_client::{Position, Record};
use headwater_record::{Offset, PartitionId};

use crate::support::reading::{Reading, TOPIC};

/// A partition with records with the timestamps 10, 40, 20 and 30, each in its own batch.
fn reading() -> Reading {
    let reading = Reading::new(1, 1);
    for time in [10, 40, 20, 30] {
        let record = Record::new(TOPIC, b"value").timestamp_ms(time);
        let sent = reading.producer.send_blocking(&record).unwrap();
        sent.wait().unwrap();
    }
    reading.cluster.state().finds_no_time = true;
    reading
}

fn first_at(reading: &Reading, time: i64) -> Offset {
    let topic = reading.client.topic(TOPIC);
    let offsets = reading.wait(topic.offsets(&Position::TimestampMs(time)));
    offsets.unwrap()[&PartitionId::new(0)]
}

#[test]
fn a_record_that_the_broker_does_not_find_by_its_time_is_found_by_reading() {
    let reading = reading();
    reading.cluster.state().log_start = 2;
    assert_eq!(first_at(&reading, 15), Offset::new(2));
    assert_eq!(first_at(&reading, 25), Offset::new(3));
    assert_eq!(first_at(&reading, 35), Offset::new(4), "the end");
}

#[test]
fn no_records_are_read_for_a_timestamp_after_the_greatest() {
    let reading = reading();
    reading.cluster.state().log_start = 2;
    assert_eq!(first_at(&reading, 41), Offset::new(4));
    assert!(reading.cluster.asked("Fetch").is_empty());
}

#[test]
fn the_answer_of_a_broker_is_final_if_no_record_was_deleted() {
    let reading = reading();
    assert_eq!(first_at(&reading, 15), Offset::new(4));
    assert!(reading.cluster.asked("Fetch").is_empty());
}
