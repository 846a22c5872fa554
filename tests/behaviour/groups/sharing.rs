//! Who reads what, and how it moves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use headwater::{
    Event, NewTopic, Offset, Operation, Rebalance, Subscription, TopicChanges, TopicPartition,
};
use rstest::rstest;

use super::{
    MOMENT, PATIENCE, config, member, numbers, partition, poll_reporting, poll_until,
    poll_until_read, poll_until_shared, start,
};
use crate::table::text;
use crate::target::Target::{self, Directory, Memory, Served};

#[rstest]
fn two_members_share_the_partitions_and_each_record_is_read_once(
    #[values(Memory, Directory, Served)] target: Target,
    #[values("range", "roundrobin", "sticky", "cooperative-sticky")] strategy: &str,
) {
    let broker = start(target);
    broker.make("t", 4);
    let strategy = [("partition.assignment.strategy", strategy)];
    let mut one = member(&broker, &["t"], &strategy);
    let mut two = member(&broker, &["t"], &strategy);
    poll_until_shared(&broker, &mut [&mut one, &mut two], &[2, 2]);
    let mut sent = BTreeSet::new();
    for number in 0..4 {
        let values: Vec<_> = (0..50).map(|index| format!("{number}/{index}")).collect();
        broker.fill("t", number, &values);
        sent.extend(values);
    }
    let read = poll_until(&broker, &mut [&mut one, &mut two], |_, read| {
        read.iter().map(Vec::len).sum::<usize>() >= 200
    });
    assert_eq!((read[0].len(), read[1].len()), (100, 100));
    let all: BTreeSet<_> = read.into_iter().flatten().collect();
    assert_eq!(all, sent);
    let (one, two) = (one.assignment(), two.assignment());
    assert!(one.iter().all(|partition| !two.contains(partition)));
}

#[rstest]
fn who_stays_takes_over_where_the_other_committed(
    #[values(Memory, Directory, Served)] target: Target,
) {
    let broker = start(target);
    broker.make("t", 2);
    let manual = [("enable.auto.commit", "false")];
    let mut one = member(&broker, &["t"], &manual);
    let mut two = member(&broker, &["t"], &manual);
    poll_until_shared(&broker, &mut [&mut one, &mut two], &[1, 1]);
    broker.fill("t", two.assignment()[0].partition.get(), numbers(10));
    let read = poll_until(&broker, &mut [&mut one, &mut two], |_, read| {
        read[1].len() >= 10
    });
    assert_eq!(read[1].len(), 10);
    let at = BTreeMap::from([(two.assignment()[0].clone(), Offset::new(6))]);
    broker.wait(two.commit(Some(at))).unwrap();
    broker.wait(two.close());
    let read = poll_until_read(&broker, &mut one, 4);
    assert_eq!(read, ["6", "7", "8", "9"]);
    assert_eq!(one.assignment().len(), 2);
}

#[rstest]
fn cooperative_members_keep_what_stays(#[values(Memory, Directory, Served)] target: Target) {
    let broker = start(target);
    broker.make("t", 4);
    let cooperative = [("partition.assignment.strategy", "cooperative-sticky")];
    let mut one = member(&broker, &["t"], &cooperative);
    let mut reported = Vec::new();
    let mut two = member(&broker, &["t"], &cooperative);
    let deadline = Instant::now() + PATIENCE;
    let mut joined = false;
    while !(one.assignment().len() == 2 && two.assignment().len() == 2) {
        poll_reporting(&broker, &mut one, &mut reported);
        joined |= one.assignment().len() == 4;
        if joined {
            // A member joins with its first poll.
            broker.wait(two.poll(MOMENT, None)).unwrap();
        }
        assert!(Instant::now() < deadline, "{reported:?}");
    }
    // First all, then two of them go, and nothing is taken away to be given back.
    let all: Vec<_> = (0..4).map(partition).collect();
    let moved = two.assignment();
    let came: Vec<_> = reported
        .iter()
        .filter_map(|rebalance| match rebalance {
            Rebalance::Assigned(partitions) => Some(partitions.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    let went: Vec<_> = reported
        .iter()
        .filter_map(|rebalance| match rebalance {
            Rebalance::Revoked(partitions) => Some(partitions.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!((came, went), (all, moved), "{reported:?}");
}

#[rstest]
fn rebalances_are_told_before_partitions_go_and_after_they_come(
    #[values(Memory, Directory, Served)] target: Target,
) {
    let broker = start(target);
    broker.make("t", 2);
    broker.fill("t", 0, numbers(10));
    broker.fill("t", 1, numbers(10));
    let manual = [("enable.auto.commit", "false")];
    let mut one = member(&broker, &["t"], &manual);
    let mut two = None;
    let mut committed = false;
    let deadline = Instant::now() + PATIENCE;
    while !committed {
        match broker.wait(one.next_event(&Operation::poll(MOMENT, None))) {
            Ok(Event::Rebalance(Rebalance::Assigned(partitions))) => {
                assert_eq!(partitions.len(), 2);
            }
            Ok(Event::Rebalance(Rebalance::Revoked(partitions))) => {
                // They are still its own.
                assert_eq!(one.assignment(), partitions);
                broker.wait(one.commit(None)).unwrap();
                committed = true;
            }
            Ok(Event::Batch(_)) => {}
            event => panic!("{event:?}"),
        }
        let at = broker.wait(one.position()).unwrap();
        if at.len() == 2 && at.values().all(|position| position.get() == 10) && two.is_none() {
            two = Some(member(&broker, &["t"], &manual));
        }
        if let Some(two) = &mut two {
            broker.wait(two.poll(Duration::ZERO, None)).unwrap();
        }
        assert!(Instant::now() < deadline);
    }
    let committed = broker
        .wait(one.committed(&[partition(0), partition(1)]))
        .unwrap();
    assert!(committed.values().all(|offset| offset.get() == 10));
}

#[rstest]
fn a_new_topic_that_matches_the_pattern_is_read(
    #[values(Memory, Directory, Served)] target: Target,
) {
    let broker = start(target);
    broker.make("flights-1", 1);
    broker.make("trains-1", 1);
    let mut consumer = broker.consumer(config(&[]));
    consumer.decode_as(text()).unwrap();
    consumer
        .subscribe(Subscription::pattern("flights-.*").unwrap())
        .unwrap();
    poll_until_shared(&broker, &mut [&mut consumer], &[1]);
    broker.make("flights-2", 2);
    poll_until_shared(&broker, &mut [&mut consumer], &[3]);
    broker.fill("flights-2", 1, ["new"]);
    broker.fill("trains-1", 0, ["other"]);
    assert_eq!(poll_until_read(&broker, &mut consumer, 1), ["new"]);
}

#[rstest]
fn new_partitions_and_topics_that_come_later_are_read(
    #[values(Memory, Directory, Served)] target: Target,
) {
    let broker = start(target);
    broker.make("t", 1);
    let mut one = member(&broker, &["t", "later"], &[]);
    poll_until_shared(&broker, &mut [&mut one], &[1]);
    let more = TopicChanges {
        partitions: Some(3),
        ..TopicChanges::default()
    };
    broker.wait(broker.admin().alter_topic("t", more)).unwrap();
    poll_until_shared(&broker, &mut [&mut one], &[3]);
    broker
        .wait(broker.admin().create_topic(NewTopic::new("later")))
        .unwrap();
    poll_until_shared(&broker, &mut [&mut one], &[4]);
}

#[rstest]
fn subscribing_to_something_else_moves_the_member(
    #[values(Memory, Directory, Served)] target: Target,
) {
    let broker = start(target);
    broker.make("t", 2);
    broker.make("u", 1);
    let mut one = member(&broker, &["t"], &[]);
    poll_until_shared(&broker, &mut [&mut one], &[2]);
    one.subscribe(Subscription::topics(["u"])).unwrap();
    poll_until(&broker, &mut [&mut one], |members, _| {
        members[0].assignment() == [TopicPartition::new("u", 0)]
    });
    broker.wait(one.unsubscribe()).unwrap();
    assert_eq!(one.assignment(), []);
    broker.wait(one.assign(vec![partition(1)])).unwrap();
    assert_eq!(one.assignment(), [partition(1)]);
}
