//! The assignment of partitions to members, and how it moves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use headwater::{
    Event, NewTopic, Offset, Operation, Rebalance, Subscription, TopicChanges, TopicPartition,
};
use headwater_behaviour_macro::behaviour;

use super::{
    MOMENT, PATIENCE, config, member, numbers, poll_reporting, poll_until, poll_until_read,
    poll_until_shared, start,
};
use crate::table::text;
use crate::target::Target;

#[behaviour]
fn two_members_share_the_partitions_and_each_record_is_read_once(
    target: Target,
    #[values("range", "roundrobin", "sticky", "cooperative-sticky")] strategy: &str,
) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 4);
    let strategy = [("partition.assignment.strategy", strategy)];
    let mut one = member(&broker, &[t], &strategy);
    let mut two = member(&broker, &[t], &strategy);
    poll_until_shared(&broker, &mut [&mut one, &mut two], &[2, 2]);
    let mut sent = BTreeSet::new();
    for number in 0..4 {
        let values: Vec<_> = (0..50).map(|index| format!("{number}/{index}")).collect();
        broker.fill(t, number, &values);
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

#[behaviour]
fn the_remaining_member_continues_at_the_commits_of_the_other(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 2);
    let manual = [("enable.auto.commit", "false")];
    let mut one = member(&broker, &[t], &manual);
    let mut two = member(&broker, &[t], &manual);
    poll_until_shared(&broker, &mut [&mut one, &mut two], &[1, 1]);
    broker.fill(t, two.assignment()[0].partition.get(), numbers(10));
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

#[behaviour]
fn cooperative_members_keep_partitions_that_stay(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 4);
    let cooperative = [("partition.assignment.strategy", "cooperative-sticky")];
    let mut one = member(&broker, &[t], &cooperative);
    let mut reported = Vec::new();
    let mut two = member(&broker, &[t], &cooperative);
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
    // First all partitions, then two of them are revoked, and none is revoked only to be assigned again.
    let all: Vec<_> = (0..4).map(|number| broker.partition(number)).collect();
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

#[behaviour]
fn rebalances_are_reported_before_revocations_and_after_assignments(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, numbers(10));
    broker.fill(t, 1, numbers(10));
    let manual = [("enable.auto.commit", "false")];
    let mut one = member(&broker, &[t], &manual);
    let mut two = None;
    let mut committed = false;
    let deadline = Instant::now() + PATIENCE;
    while !committed {
        match broker.wait(one.next_event(&Operation::poll(MOMENT, None))) {
            Ok(Event::Rebalance(Rebalance::Assigned(partitions))) => {
                assert_eq!(partitions.len(), 2);
            }
            Ok(Event::Rebalance(Rebalance::Revoked(partitions))) => {
                // It still owns them.
                assert_eq!(one.assignment(), partitions);
                broker.wait(one.commit(None)).unwrap();
                committed = true;
            }
            Ok(Event::Batch(_)) => {}
            event => panic!("{event:?}"),
        }
        let at = broker.wait(one.position()).unwrap();
        if at.len() == 2 && at.values().all(|position| position.get() == 10) && two.is_none() {
            two = Some(member(&broker, &[t], &manual));
        }
        if let Some(two) = &mut two {
            broker.wait(two.poll(Duration::ZERO, None)).unwrap();
        }
        assert!(Instant::now() < deadline);
    }
    let committed = broker
        .wait(one.committed(&[broker.partition(0), broker.partition(1)]))
        .unwrap();
    assert!(committed.values().all(|offset| offset.get() == 10));
}

#[behaviour]
fn a_new_topic_that_matches_the_pattern_is_read(target: Target) {
    let broker = start(target);
    let (flights_1, trains_1, flights_2) = (
        broker.name("flights-1"),
        broker.name("trains-1"),
        broker.name("flights-2"),
    );
    broker.make(flights_1, 1);
    broker.make(trains_1, 1);
    let mut consumer = broker.consumer(config(&broker, &[]));
    consumer.decode_as(text()).unwrap();
    consumer
        .subscribe(Subscription::pattern(broker.name("flights-.*")).unwrap())
        .unwrap();
    poll_until_shared(&broker, &mut [&mut consumer], &[1]);
    broker.make(flights_2, 2);
    poll_until_shared(&broker, &mut [&mut consumer], &[3]);
    broker.fill(flights_2, 1, ["new"]);
    broker.fill(trains_1, 0, ["other"]);
    assert_eq!(poll_until_read(&broker, &mut consumer, 1), ["new"]);
}

#[behaviour]
fn new_partitions_and_topics_that_come_later_are_read(target: Target) {
    let broker = start(target);
    let (t, later) = (broker.name("t"), broker.name("later"));
    broker.make(t, 1);
    let mut one = member(&broker, &[t, later], &[]);
    poll_until_shared(&broker, &mut [&mut one], &[1]);
    let more = TopicChanges {
        partitions: Some(3),
        ..TopicChanges::default()
    };
    broker.wait(broker.admin().alter_topic(t, more)).unwrap();
    poll_until_shared(&broker, &mut [&mut one], &[3]);
    broker
        .wait(broker.admin().create_topic(NewTopic::new(later)))
        .unwrap();
    poll_until_shared(&broker, &mut [&mut one], &[4]);
}

#[behaviour]
fn subscribing_to_something_else_moves_the_member(target: Target) {
    let broker = start(target);
    let (t, u) = (broker.name("t"), broker.name("u"));
    broker.make(t, 2);
    broker.make(u, 1);
    let mut one = member(&broker, &[t], &[]);
    poll_until_shared(&broker, &mut [&mut one], &[2]);
    one.subscribe(Subscription::topics([u])).unwrap();
    poll_until(&broker, &mut [&mut one], |members, _| {
        members[0].assignment() == [TopicPartition::new(u, 0)]
    });
    broker.wait(one.unsubscribe()).unwrap();
    assert_eq!(one.assignment(), []);
    broker.wait(one.assign(vec![broker.partition(1)])).unwrap();
    assert_eq!(one.assignment(), [broker.partition(1)]);
}
