//! Auto-commit never undoes an explicit commit.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater::{Consumer, Offset, Position, TopicPartition};
use headwater_behaviour_macro::behaviour;

use super::{MOMENT, PATIENCE, config, member, numbers, poll_until_read, start};
use crate::target::{RunningBroker, Target};

/// How the caller finishes records.
#[derive(Debug, Clone, Copy)]
enum Commit {
    Positions,
    Offsets,
    WithoutWaiting,
}

/// An event that ends a consumer or changes its assignment.
#[derive(Debug, Clone, Copy)]
enum End {
    Close,
    Unsubscribe,
    /// With an interval of 0 each call auto-commits.
    Interval,
    /// Another member takes over its partitions.
    Revocation,
}

fn committed(broker: &RunningBroker) -> Option<i64> {
    let other = broker.consumer(config(broker, &[]));
    let committed = broker
        .wait(other.committed(&[broker.partition(0)]))
        .unwrap();
    committed
        .get(&broker.partition(0))
        .map(|offset| offset.get())
}

fn commit(broker: &RunningBroker, consumer: &mut Consumer, how: Commit) {
    let what = BTreeMap::from([(broker.partition(0), Offset::new(40))]);
    match how {
        Commit::Positions => broker.wait(consumer.commit(None)).unwrap(),
        Commit::Offsets => broker.wait(consumer.commit(Some(what))).unwrap(),
        Commit::WithoutWaiting => broker.wait(consumer.commit_async(None)).unwrap(),
    }
}

#[behaviour]
fn an_explicit_commit_stays(
    target: Target,
    #[values(Commit::Positions, Commit::Offsets, Commit::WithoutWaiting)] how: Commit,
    #[values(End::Close, End::Unsubscribe, End::Interval, End::Revocation)] end: End,
) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(100));
    let interval = match end {
        End::Interval => "0",
        _ => "60000",
    };
    let pairs = [
        ("max.poll.records", "40"),
        ("auto.commit.interval.ms", interval),
    ];
    let mut one = member(&broker, &[t], &pairs);
    let mut read = 0;
    while read < 40 {
        read += broker
            .wait(one.poll(MOMENT, Some(40 - read)))
            .unwrap()
            .len();
    }
    commit(&broker, &mut one, how);
    match end {
        End::Close => broker.wait(one.close()),
        End::Unsubscribe => broker.wait(one.unsubscribe()).unwrap(),
        End::Interval => (0..50).for_each(|_| {
            broker.wait(one.poll(Duration::ZERO, Some(1))).unwrap();
            std::thread::sleep(Duration::from_millis(1));
        }),
        End::Revocation => {
            let mut two = member(&broker, &[t], &pairs);
            for _ in 0..20 {
                broker.wait(two.poll(MOMENT, None)).unwrap();
            }
            // This poll starts the rebalance and requests the next records, so the first ones are finished in any case.
            broker.wait(one.poll(Duration::ZERO, Some(1))).unwrap();
            broker.wait(one.close());
        }
    }
    assert!(committed(&broker) >= Some(40), "{:?}", committed(&broker));
}

#[behaviour]
fn a_commit_ahead_of_the_position_and_one_behind_it_both_stay(
    target: Target,
    #[values(70, 5)] explicit: i64,
) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(100));
    let mut one = member(&broker, &[t], &[("auto.commit.interval.ms", "0")]);
    poll_until_read(&broker, &mut one, 40);
    let what = BTreeMap::from([(broker.partition(0), Offset::new(explicit))]);
    broker.wait(one.commit(Some(what))).unwrap();
    if explicit == 70 {
        // Requesting more finishes the records that were handed out, which are fewer.
        broker.wait(one.poll(Duration::ZERO, Some(1))).unwrap();
    }
    broker.wait(one.close());
    assert_eq!(committed(&broker), Some(explicit));
}

#[behaviour]
fn a_seek_sets_the_next_commit(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(100));
    let mut one = member(&broker, &[t], &[]);
    poll_until_read(&broker, &mut one, 40);
    broker.wait(one.commit(None)).unwrap();
    let back = Position::Offset(Offset::ZERO);
    broker.wait(one.seek(&back, &[])).unwrap();
    assert_eq!(broker.wait(one.poll(PATIENCE, Some(7))).unwrap().len(), 7);
    broker.wait(one.poll(PATIENCE, Some(1))).unwrap();
    broker.wait(one.close());
    assert_eq!(committed(&broker), Some(7));
}

#[behaviour]
fn an_idle_consumer_does_not_undo_commits_of_others(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(100));
    let commit = |offset| {
        let mut other = broker.consumer(config(&broker, &[]));
        let what = BTreeMap::from([(broker.partition(0), Offset::new(offset))]);
        broker.wait(other.commit(Some(what))).unwrap();
    };
    commit(10);
    let mut one = broker.consumer(config(&broker, &[]));
    broker.wait(one.assign(vec![broker.partition(0)])).unwrap();
    commit(50);
    broker.wait(one.close());
    assert_eq!(committed(&broker), Some(50));
}

#[behaviour]
fn partitions_that_are_not_assigned_any_more_are_committed(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, numbers(10));
    let mut one = broker.consumer(config(&broker, &[]));
    broker.wait(one.assign(vec![broker.partition(0)])).unwrap();
    let mut read = 0;
    while read < 10 {
        read += broker.wait(one.poll(PATIENCE, Some(10))).unwrap().len();
    }
    broker.wait(one.poll(Duration::ZERO, None)).unwrap();
    broker
        .wait(one.assign(vec![TopicPartition::new(t, 1)]))
        .unwrap();
    assert_eq!(committed(&broker), Some(10));
}
