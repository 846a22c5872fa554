//! Polls that are all cancelled before a broker answers still get assignments, positions and commits done.

use std::time::{Duration, Instant};

use headwater_client::{Consumer, Event, Operation, Rebalance, Subscription, TopicPartition};
use headwater_record::Offset;

use crate::support::reading::{LONG, Reading, TOPIC};

/// Many round trips.
const SOON: Duration = Duration::from_secs(20);

/// The duration of every request of a consumer to its group, and of every lookup.
const ROUND_TRIP: Duration = Duration::from_millis(40);
/// The caller cancels each poll after this time.
const PATIENCE: Duration = Duration::from_millis(4);

fn reading() -> Reading {
    let reading = Reading::new(1, 1);
    reading.send(0);
    let mut state = reading.cluster.state();
    state.lookup_takes = ROUND_TRIP;
    state.commit_takes = ROUND_TRIP;
    drop(state);
    reading
}

fn all() -> Vec<TopicPartition> {
    vec![TopicPartition::new(TOPIC, 0)]
}

/// Polls for a short time, like a caller with something else to do.
async fn short_poll(consumer: &mut Consumer) -> Option<Event> {
    let poll = Operation::poll(LONG, None);
    let polled = tokio::time::timeout(PATIENCE, consumer.next_event(&poll)).await;
    polled.ok().map(|event| event.unwrap())
}

/// Polls until there is an event.
fn next_event(reading: &Reading, consumer: &mut Consumer) -> Event {
    let start = Instant::now();
    while start.elapsed() < SOON {
        if let Some(event) = reading.wait(short_poll(consumer)) {
            return event;
        }
    }
    panic!("no event");
}

fn rebalance(reading: &Reading, consumer: &mut Consumer) -> Rebalance {
    match next_event(reading, consumer) {
        Event::Rebalance(rebalance) => rebalance,
        event => panic!("{event:?}"),
    }
}

fn records(reading: &Reading, consumer: &mut Consumer) -> usize {
    match next_event(reading, consumer) {
        Event::Batch(batch) => batch.len(),
        event => panic!("{event:?}"),
    }
}

/// A member that has got the partition and read its record.
fn member(reading: &Reading) -> Consumer {
    let pairs = [("group.id", "g"), ("group.protocol", "consumer")];
    let mut consumer = reading.consumer(&pairs);
    consumer.subscribe(Subscription::topics([TOPIC])).unwrap();
    let assigned = rebalance(reading, &mut consumer);
    assert_eq!(assigned, Rebalance::Assigned(all()));
    assert_eq!(records(reading, &mut consumer), 1);
    consumer
}

#[test]
fn a_member_gets_and_releases_partitions() {
    let reading = reading();
    let mut consumer = member(&reading);
    reading.cluster.state().group.has_empty_target = true;
    let revoked = rebalance(&reading, &mut consumer);
    assert_eq!(revoked, Rebalance::Revoked(all()));
    assert_eq!(
        reading.cluster.asked("OffsetCommit").len(),
        1,
        "one commit before the release, however often the wait for it was cancelled"
    );
    let committed = reading.wait(consumer.committed(&all())).unwrap();
    assert_eq!(committed[&all()[0]], Offset::new(1));
}

/// Another attempt as a new member could overwrite a commit of the next owner.
#[test]
fn a_commit_ends_with_its_membership() {
    let reading = reading();
    let mut consumer = member(&reading);
    reading.cluster.state().refuses_commits = true;
    reading.cluster.state().group.has_empty_target = true;
    while reading.cluster.asked("OffsetCommit").is_empty() {
        assert!(reading.wait(short_poll(&mut consumer)).is_none());
    }
    reading.cluster.state().group.fences = true;
    let lost = rebalance(&reading, &mut consumer);
    assert_eq!(lost, Rebalance::Lost(all()));
    let mut state = reading.cluster.state();
    state.group.has_empty_target = false;
    state.refuses_commits = false;
    drop(state);
    let assigned = rebalance(&reading, &mut consumer);
    assert_eq!(assigned, Rebalance::Assigned(all()));
    assert!(reading.cluster.state().committed.is_empty());
}

#[test]
fn a_position_out_of_range_is_reset() {
    let reading = reading();
    let mut consumer = reading.consumer_of_all(&[]);
    reading
        .wait(consumer.seek(&Offset::new(7).into(), &[]))
        .unwrap();
    assert_eq!(records(&reading, &mut consumer), 1);
}

#[test]
fn a_commit_after_a_cancelled_poll_counts() {
    let reading = reading();
    reading.send(0);
    let pairs = [("group.id", "g"), ("auto.offset.reset", "none")];
    let mut consumer = reading.consumer(&pairs);
    // No offset is committed yet: the partition has no position.
    reading.wait(consumer.assign(all())).unwrap();
    assert!(reading.wait(short_poll(&mut consumer)).is_none());
    let offsets = [(all()[0].clone(), Offset::new(1))].into();
    reading.wait(consumer.commit(Some(offsets))).unwrap();
    assert_eq!(records(&reading, &mut consumer), 1);
    assert_eq!(consumer.consumed()[&all()[0]], Offset::new(2));
}
