//! A consumer has a fetch session with each node (KIP-227): fetches after the first contain only changes.

use std::time::Duration;

use headwater_client::TopicPartition;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::SeenFetch;
use crate::support::reading::{LONG, Reading, TOPIC};

fn fetches(reading: &Reading) -> Vec<(i32, Vec<i32>, Vec<i32>)> {
    let fetches = reading.cluster.state().fetches.clone();
    let tuple = |fetch: SeenFetch| (fetch.session_epoch, fetch.named, fetch.forgotten);
    fetches.into_iter().map(tuple).collect()
}

fn epochs(reading: &Reading) -> Vec<i32> {
    let fetches = fetches(reading).into_iter();
    fetches.map(|(epoch, ..)| epoch).collect()
}

#[test]
fn later_fetches_contain_only_changes() {
    let reading = Reading::new(1, 3);
    reading.send(0);
    reading.send(1);
    let mut consumer = reading.consumer_of_all(&[]);
    assert_eq!(reading.poll(&mut consumer, LONG), 2);
    for partition in [0, 2] {
        reading.send(partition);
        assert_eq!(reading.poll(&mut consumer, LONG), 1);
    }
    let mut expected = [
        (0, vec![0, 1, 2], vec![]),
        (1, vec![0, 1], vec![]),
        (2, vec![0], vec![]),
    ];
    let mut fetches = fetches(&reading);
    for fetch in fetches.iter_mut().chain(&mut expected) {
        fetch.1.sort_unstable();
    }
    assert_eq!(fetches, expected);
}

#[test]
fn a_partition_that_is_no_longer_fetched_is_removed_from_the_session() {
    let reading = Reading::new(1, 2);
    reading.send(0);
    reading.send(1);
    let mut consumer = reading.consumer_of_all(&[]);
    assert_eq!(reading.poll(&mut consumer, LONG), 2);
    let paused = [TopicPartition::new(TOPIC, 1)];
    consumer.pause(&paused).unwrap();
    reading.send(0);
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
    let forgotten = |fetches: Vec<(i32, Vec<i32>, Vec<i32>)>| fetches.last().unwrap().2.clone();
    assert_eq!(forgotten(fetches(&reading)), [1]);
    let in_session: Vec<_> = reading
        .cluster
        .state()
        .sessions
        .values()
        .flat_map(|session| session.partitions.keys().map(|(_, number)| *number))
        .collect();
    assert_eq!(in_session, [0]);
    consumer.resume(&paused).unwrap();
    reading.send(1);
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
    assert!(fetches(&reading).last().unwrap().1.contains(&1));
}

#[test]
fn a_session_that_the_node_has_lost_is_created_again() {
    let reading = Reading::new(1, 1);
    let mut consumer = reading.consumer_of_all(&[]);
    for _ in 0..2 {
        reading.send(0);
        assert_eq!(reading.poll(&mut consumer, LONG), 1);
        reading.cluster.state().sessions.clear();
    }
    assert_eq!(epochs(&reading), [0, 1, 0]);
}

#[test]
fn a_session_with_another_epoch_is_closed_and_created_again() {
    let reading = Reading::new(1, 1);
    let mut consumer = reading.consumer_of_all(&[]);
    for _ in 0..2 {
        reading.send(0);
        assert_eq!(reading.poll(&mut consumer, LONG), 1);
        for session in reading.cluster.state().sessions.values_mut() {
            session.epoch += 5;
        }
    }
    assert_eq!(epochs(&reading), [0, 1, 0]);
    assert_eq!(reading.cluster.state().sessions.len(), 1);
}

/// It is unknown whether the node has processed the changes of a lost fetch.
#[test]
fn a_session_with_a_lost_fetch_is_closed_and_created_again() {
    let reading = Reading::new(1, 1);
    let mut consumer = reading.consumer_of_all(&[]);
    reading.send(0);
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
    reading.send(0);
    reading.cluster.state().away = 1;
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
    assert_eq!(epochs(&reading), [0, 0]);
    assert_eq!(reading.cluster.state().sessions.len(), 1);
}

#[test]
fn a_node_without_space_for_sessions_gets_full_fetches() {
    let reading = Reading::new(1, 1);
    reading.cluster.state().without_sessions = true;
    let mut consumer = reading.consumer_of_all(&[]);
    for _ in 0..3 {
        reading.send(0);
        assert_eq!(reading.poll(&mut consumer, LONG), 1);
    }
    assert_eq!(epochs(&reading), [0, 0, 0]);
}

#[test]
fn a_consumer_closes_its_sessions() {
    let reading = Reading::new(2, 2);
    reading.send(0);
    reading.send(1);
    let mut consumer = reading.consumer_of_all(&[]);
    reading.read(&mut consumer, 2);
    assert_eq!(reading.cluster.state().sessions.len(), 2);
    reading.wait(consumer.close());
    assert!(reading.cluster.state().sessions.is_empty());
}

#[derive(Debug, Clone)]
enum Step {
    Send(i32),
    Poll,
    Pause(i32),
    Resume(i32),
    MoveLeader(i32, i32),
    LoseSessions,
    SessionsOff(bool),
    /// This many requests of any kind do not reach a node.
    Away(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..4).prop_map(Step::Send),
        6 => Just(Step::Poll),
        1 => (0..4).prop_map(Step::Pause),
        2 => (0..4).prop_map(Step::Resume),
        1 => (0..4, 1..=2).prop_map(|(partition, node)| Step::MoveLeader(partition, node)),
        1 => Just(Step::LoseSessions),
        1 => any::<bool>().prop_map(Step::SessionsOff),
        1 => (1..3_usize).prop_map(Step::Away),
    ];
    prop::collection::vec(step, 1..60)
}

fn check(steps: Vec<Step>) {
    let reading = Reading::new(2, 4);
    let mut consumer = reading.consumer_of_all(&[("fetch.max.wait.ms", "1")]);
    let moment = Duration::from_millis(1);
    let (mut sent, mut read) = (0, 0);
    for step in steps {
        match step {
            Step::Send(partition) => {
                reading.send(partition);
                sent += 1;
            }
            Step::Poll => read += reading.poll(&mut consumer, moment),
            Step::Pause(number) => consumer
                .pause(&[TopicPartition::new(TOPIC, number)])
                .unwrap(),
            Step::Resume(number) => {
                let partition = TopicPartition::new(TOPIC, number);
                consumer.resume(&[partition]).unwrap();
            }
            Step::MoveLeader(partition, node) => {
                reading.cluster.state().move_leader(TOPIC, partition, node);
            }
            Step::LoseSessions => reading.cluster.state().sessions.clear(),
            Step::SessionsOff(off) => reading.cluster.state().without_sessions = off,
            Step::Away(requests) => reading.cluster.state().away += requests,
        }
    }
    consumer.resume(&[]).unwrap();
    reading.read(&mut consumer, sent - read);
    assert_eq!(reading.poll(&mut consumer, Duration::from_millis(5)), 0);
}

#[test]
fn every_record_is_read_once_with_any_faults_of_sessions() {
    let config = Config {
        cases: 60,
        failure_persistence: None,
        // A failing case waits long.
        max_shrink_iters: 20,
        ..Config::default()
    };
    let checked = TestRunner::new(config).run(&steps(), |steps| {
        check(steps);
        Ok(())
    });
    checked.unwrap();
}
