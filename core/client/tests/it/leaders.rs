//! A consumer reads from many leaders: none of them delays another.

use std::time::Duration;

use headwater_client::Position;
use headwater_protocol::ErrorCode;
use rstest::rstest;

use crate::support::reading::{LONG, Reading, TOPIC};

/// Shorter than a fetch that waits for records.
const MOMENT: Duration = Duration::from_millis(1);

#[test]
fn a_leader_that_does_not_answer_delays_no_record_of_another() {
    let reading = Reading::new(2, 2);
    reading.cluster.state().silent_nodes = vec![2];
    let mut consumer = reading.consumer_of_all(&[]);
    for _ in 0..3 {
        reading.send(0);
        assert_eq!(reading.poll(&mut consumer, LONG), 1);
    }
    assert_eq!(reading.fetches_from(2), 1, "the fetch stays in flight");
}

#[test]
fn a_failing_leader_drops_no_answer_of_another() {
    let reading = Reading::new(2, 2);
    reading.send(0);
    reading.send(1);
    let mut consumer = reading.consumer_of_all(&[]);
    reading.cluster.state().dead_nodes = vec![2];
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
    assert_eq!(reading.fetches_from(1), 1);
    reading.cluster.state().dead_nodes.clear();
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
}

/// The leader's successor is looked up, which takes long: records of the other leader are returned at once.
#[rstest]
#[case::dead_leader(None)]
#[case::moved_leader(Some(ErrorCode::NotLeaderOrFollower))]
fn the_lookup_of_a_leader_delays_no_record_of_another(#[case] refusal: Option<ErrorCode>) {
    let reading = Reading::new(2, 2);
    let mut consumer = reading.consumer_of_all(&[]);
    for partition in 0..2 {
        reading.send(partition);
    }
    reading.read(&mut consumer, 2);
    {
        let mut state = reading.cluster.state();
        state.metadata_takes = 2 * LONG;
        match refusal {
            None => state.dead_nodes = vec![2],
            Some(code) => state.fetch_faults.push_back(code),
        }
    }
    // One of the leaders fails the next fetch, and the other one gets a record.
    for partition in 0..2 {
        if refusal.is_some() || partition == 0 {
            reading.send(partition);
        }
    }
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
}

#[test]
fn the_partitions_of_a_dead_leader_are_read_from_its_successor() {
    let reading = Reading::new(2, 2);
    reading.send(1);
    let mut consumer = reading.consumer_of_all(&[]);
    reading.cluster.state().dead_nodes = vec![2];
    reading.cluster.state().move_leader(TOPIC, 1, 1);
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
}

#[test]
fn a_caller_that_stops_waiting_loses_no_answer() {
    let reading = Reading::new(1, 1);
    reading.send(0);
    let mut consumer = reading.consumer_of_all(&[]);
    reading.cluster.state().fetch_takes = Duration::from_millis(50);
    let mut polls = (0..1_000).map(|_| reading.poll(&mut consumer, MOMENT));
    assert_eq!(polls.find(|read| *read > 0), Some(1));
    assert_eq!(reading.fetches_from(1), 1);
}

/// A fetch in flight is for the old position.
#[rstest]
fn a_caller_that_seeks_reads_from_the_new_position(#[values(true, false)] while_paused: bool) {
    let reading = Reading::new(1, 1);
    reading.send(0);
    let mut consumer = reading.consumer_of_all(&[]);
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
    // Waits for the second record.
    assert_eq!(reading.poll(&mut consumer, MOMENT), 0);
    if while_paused {
        consumer.pause(&[]).unwrap();
    }
    reading
        .wait(consumer.seek(&Position::Earliest, &[]))
        .unwrap();
    reading.send(0);
    if while_paused {
        assert_eq!(reading.poll(&mut consumer, MOMENT), 0);
        consumer.resume(&[]).unwrap();
    }
    assert_eq!(reading.poll(&mut consumer, LONG), 2);
}

/// The consumer has moved its position while it was paused, so the response for the old position must be ignored.
#[test]
fn the_error_of_a_fetch_for_an_earlier_position_has_no_effect() {
    let reading = Reading::new(1, 1);
    reading.send(0);
    let mut consumer = reading.consumer_of_all(&[]);
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
    reading.cluster.state().fetch_takes = Duration::from_millis(50);
    assert_eq!(reading.poll(&mut consumer, MOMENT), 0);
    consumer.pause(&[]).unwrap();
    reading
        .cluster
        .state()
        .fetch_faults
        .push_back(ErrorCode::OffsetOutOfRange);
    reading.send(0);
    reading.wait(consumer.seek(&Position::Latest, &[])).unwrap();
    while !reading.cluster.state().fetch_faults.is_empty() {
        assert_eq!(reading.poll(&mut consumer, Duration::from_millis(10)), 0);
    }
    consumer.resume(&[]).unwrap();
    reading.send(0);
    assert_eq!(reading.poll(&mut consumer, LONG), 1, "not from the start");
}
