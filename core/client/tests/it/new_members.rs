//! New members of a group of the consumer protocol, which get their partitions late.

use std::time::Duration;

use headwater_client::{BatchOptions, BatchStream, Consumer, Subscription, Until};
use headwater_protocol::ErrorCode;

use crate::support::reading::{LONG, Reading, TOPIC};

/// Three records in each of two partitions, and a member that joins with its first call.
fn reading_and_member() -> (Reading, Consumer) {
    let reading = Reading::new(1, 2);
    for partition in [0, 0, 0, 1, 1, 1] {
        reading.send(partition);
    }
    let mut consumer = reading.consumer(&[("group.id", "g"), ("group.protocol", "consumer")]);
    consumer.subscribe(Subscription::topics([TOPIC])).unwrap();
    (reading, consumer)
}

/// The number of records of a stream that ends at the end of the partitions.
fn read_to_end(reading: &Reading, consumer: &mut Consumer) -> usize {
    let options = BatchOptions {
        until: Until::End,
        ..BatchOptions::default()
    };
    let stream = BatchStream::new(options).unwrap();
    let mut records = 0;
    let all = async {
        while let Some(batch) = consumer.next_batch(&stream).await.unwrap() {
            records += batch.len();
        }
    };
    reading.wait(async { tokio::time::timeout(LONG, all).await.unwrap() });
    records
}

#[test]
fn a_stream_to_the_end_waits_until_the_first_assignment_is_computed() {
    let (reading, mut consumer) = reading_and_member();
    reading.cluster.state().group.computed_after = 5;
    // The member does not wait for its next regular heartbeat.
    reading.cluster.state().group.heartbeat_interval_ms = 600_000;
    assert_eq!(read_to_end(&reading, &mut consumer), 6);
}

#[test]
fn a_stream_to_the_end_waits_until_other_members_release_partitions() {
    let (reading, mut consumer) = reading_and_member();
    reading.cluster.state().group.released_after = 5;
    assert_eq!(read_to_end(&reading, &mut consumer), 6);
}

#[test]
fn a_stream_to_the_end_of_a_member_without_a_share_ends_empty() {
    let (reading, mut consumer) = reading_and_member();
    reading.cluster.state().group.has_empty_target = true;
    assert_eq!(read_to_end(&reading, &mut consumer), 0);
    assert_eq!(reading.cluster.state().group.descriptions, 1);
}

#[test]
fn the_group_is_described_until_a_member_has_its_target_and_not_again() {
    let (reading, mut consumer) = reading_and_member();
    assert_eq!(read_to_end(&reading, &mut consumer), 6);
    let asked = reading.cluster.state().group.descriptions;
    reading.send(0);
    assert_eq!(read_to_end(&reading, &mut consumer), 1);
    assert_eq!(reading.cluster.state().group.descriptions, asked);
}

#[test]
fn a_description_that_fails_for_a_while_is_repeated() {
    let (reading, mut consumer) = reading_and_member();
    let code = ErrorCode::CoordinatorLoadInProgress;
    reading.cluster.state().group.has_empty_target = true;
    reading.cluster.state().group.description_fault = Some(code);
    let cluster = std::sync::Arc::clone(&reading.cluster);
    let mending = std::thread::spawn(move || {
        while cluster.state().group.descriptions < 3 {
            std::thread::sleep(Duration::from_millis(1));
        }
        cluster.state().group.description_fault = None;
    });
    assert_eq!(read_to_end(&reading, &mut consumer), 0);
    mending.join().unwrap();
    assert!(reading.cluster.state().group.descriptions > 3);
}

#[test]
fn an_assignment_counts_as_complete_if_the_group_may_not_be_described() {
    let (reading, mut consumer) = reading_and_member();
    let code = ErrorCode::GroupAuthorizationFailed;
    reading.cluster.state().group.description_fault = Some(code);
    assert_eq!(read_to_end(&reading, &mut consumer), 6);
    assert_eq!(reading.cluster.state().group.descriptions, 1);
}
