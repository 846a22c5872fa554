//! Consumer groups: who reads what, from where, and what happens when members come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use headwater::{
    Announce, BatchOptions, Consumer, ConsumerConfig, ErrorCode, ErrorKind, NewTopic, Offset,
    Position, Rebalance, Subscription, TopicChanges, TopicPartition, Until,
};
use rstest::rstest;

use crate::table::{text, values};
use crate::target::Running;
use crate::target::Target::{self, Directory, Memory};

/// Long enough for every machine; tests never wait for it when all is well.
const PATIENCE: Duration = Duration::from_secs(60);
const MOMENT: Duration = Duration::from_millis(20);

/// A broker whose groups do not wait for more members, and whose members may have short sessions.
fn start(target: Target) -> Running {
    target.start_with(&[
        ("group.initial.rebalance.delay.ms", "0"),
        ("group.min.session.timeout.ms", "100"),
    ])
}

fn config(pairs: &[(&str, &str)]) -> ConsumerConfig {
    let fixed = [
        ("group.id", "g"),
        ("auto.offset.reset", "earliest"),
        ("heartbeat.interval.ms", "20"),
        ("metadata.max.age.ms", "50"),
        ("fetch.max.wait.ms", "50"),
    ];
    ConsumerConfig::parse(fixed.iter().chain(pairs).copied()).unwrap()
}

fn member(broker: &Running, topics: &[&str], pairs: &[(&str, &str)]) -> Consumer {
    let mut consumer = broker.consumer(config(pairs));
    consumer.decode_as(text()).unwrap();
    consumer.subscribe(Subscription::topics(topics)).unwrap();
    consumer
}

fn numbers(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|index| index.to_string())
}

fn partition(number: i32) -> TopicPartition {
    TopicPartition::new("t", number)
}

/// Polls all members in turn until `done`, and returns what each has read.
fn poll_until(
    broker: &Running,
    members: &mut [&mut Consumer],
    mut done: impl FnMut(&[&mut Consumer], &[Vec<String>]) -> bool,
) -> Vec<Vec<String>> {
    let mut read = vec![Vec::new(); members.len()];
    let deadline = Instant::now() + PATIENCE;
    loop {
        for (member, read) in members.iter_mut().zip(&mut read) {
            let batch = broker.wait(member.poll(MOMENT, Some(7))).unwrap();
            read.extend(values(&batch));
        }
        if done(members, &read) {
            return read;
        }
        assert!(
            Instant::now() < deadline,
            "it never came: {:?}, {read:?}",
            members
                .iter()
                .map(|member| member.assignment())
                .collect::<Vec<_>>()
        );
    }
}

/// Polls until every one of these has this many partitions.
fn poll_until_shared(
    broker: &Running,
    members: &mut [&mut Consumer],
    sizes: &[usize],
) -> Vec<Vec<String>> {
    poll_until(broker, members, |members, _| {
        let have: Vec<_> = members
            .iter()
            .map(|member| member.assignment().len())
            .collect();
        have == sizes
    })
}

fn poll_until_read(broker: &Running, member: &mut Consumer, count: usize) -> Vec<String> {
    poll_until(broker, &mut [member], |_, read| read[0].len() >= count).remove(0)
}

#[rstest]
fn two_members_share_the_partitions_and_each_record_is_read_once(
    #[values(Memory, Directory)] target: Target,
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
fn who_stays_takes_over_where_the_other_committed(#[values(Memory, Directory)] target: Target) {
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
fn cooperative_members_keep_what_stays(#[values(Memory, Directory)] target: Target) {
    let broker = start(target);
    broker.make("t", 4);
    let cooperative = [("partition.assignment.strategy", "cooperative-sticky")];
    let mut one = member(&broker, &["t"], &cooperative);
    one.announce(Announce::Rebalances);
    let mut told = Vec::new();
    let mut two = member(&broker, &["t"], &cooperative);
    let deadline = Instant::now() + PATIENCE;
    let mut joined = false;
    while !(one.assignment().len() == 2 && two.assignment().len() == 2) {
        broker.wait(one.poll(MOMENT, None)).unwrap();
        told.extend(std::iter::from_fn(|| one.next_rebalance()));
        joined |= one.assignment().len() == 4;
        if joined {
            // A member joins with its first poll.
            broker.wait(two.poll(MOMENT, None)).unwrap();
        }
        assert!(Instant::now() < deadline, "{told:?}");
    }
    // First all, then two of them go, and nothing is taken away to be given back.
    let all: Vec<_> = (0..4).map(partition).collect();
    let moved = two.assignment();
    let came: Vec<_> = told
        .iter()
        .filter_map(|rebalance| match rebalance {
            Rebalance::Assigned(partitions) => Some(partitions.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    let went: Vec<_> = told
        .iter()
        .filter_map(|rebalance| match rebalance {
            Rebalance::Revoked(partitions) => Some(partitions.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!((came, went), (all, moved), "{told:?}");
}

#[rstest]
fn rebalances_are_told_before_partitions_go_and_after_they_come(
    #[values(Memory, Directory)] target: Target,
) {
    let broker = start(target);
    broker.make("t", 2);
    broker.fill("t", 0, numbers(10));
    broker.fill("t", 1, numbers(10));
    let manual = [("enable.auto.commit", "false")];
    let mut one = member(&broker, &["t"], &manual);
    one.announce(Announce::Rebalances);
    let mut two = None;
    let mut committed = false;
    let deadline = Instant::now() + PATIENCE;
    while !committed {
        let batch = broker.wait(one.poll(MOMENT, None)).unwrap();
        while let Some(rebalance) = one.next_rebalance() {
            assert!(batch.is_empty());
            match rebalance {
                Rebalance::Assigned(partitions) => assert_eq!(partitions.len(), 2),
                Rebalance::Revoked(partitions) => {
                    // They are still its own.
                    assert_eq!(one.assignment(), partitions);
                    broker.wait(one.commit(None)).unwrap();
                    committed = true;
                }
                Rebalance::Lost(partitions) => panic!("{partitions:?} lost"),
            }
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
fn commits_are_kept_and_started_from(#[values(Memory, Directory)] target: Target) {
    let broker = start(target);
    broker.make("t", 2);
    broker.fill("t", 0, numbers(20));
    let mut one = member(&broker, &["t"], &[("enable.auto.commit", "false")]);
    assert_eq!(poll_until_read(&broker, &mut one, 7).len(), 7);
    assert_eq!(
        broker.wait(one.committed(&[partition(0)])).unwrap(),
        BTreeMap::new()
    );
    broker.wait(one.commit(None)).unwrap();
    let committed = broker.wait(one.committed(&[])).unwrap();
    assert_eq!(committed[&partition(0)], Offset::new(7));
    broker.wait(one.commit_async(None)).unwrap();
    broker.wait(one.close());

    // Who assigns partitions by hand starts there, too, and may commit while the group has no members.
    let mut other = broker.consumer(config(&[("enable.auto.commit", "false")]));
    other.decode_as(text()).unwrap();
    broker.wait(other.assign(vec![partition(0)])).unwrap();
    let batch = broker.wait(other.poll(PATIENCE, Some(1))).unwrap();
    assert_eq!(values(&batch), ["7"]);
    assert_eq!(broker.wait(other.lag()).unwrap()[&partition(0)], 12);
    broker.wait(other.commit(None)).unwrap();
    let committed = broker.wait(other.committed(&[])).unwrap();
    assert_eq!(committed[&partition(0)], Offset::new(8));
}

#[rstest]
fn only_finished_batches_are_committed_by_themselves(
    #[values(Memory, Directory)] target: Target,
    #[values("leaves", "dies")] how: &str,
) {
    let broker = start(target);
    broker.make("t", 1);
    broker.fill("t", 0, numbers(30));
    let short = [
        ("auto.commit.interval.ms", "0"),
        ("session.timeout.ms", "200"),
    ];
    let mut one = member(&broker, &["t"], &short);
    let read = poll_until(&broker, &mut [&mut one], |_, read| read[0].len() >= 21);
    assert_eq!(read[0].len(), 21);
    // The third batch was handed out, and nobody has asked for the fourth.
    if how == "leaves" {
        broker.wait(one.close());
    } else {
        drop(one);
    }
    let mut two = member(&broker, &["t"], &short);
    let again = poll_until_read(&broker, &mut two, 1);
    let first: usize = again[0].parse().unwrap();
    // The last commit of who dies may not have been sent.
    assert!(first == 14 || (how == "dies" && first < 14), "{first}");
}

#[rstest]
fn a_new_topic_that_matches_the_pattern_is_read(#[values(Memory, Directory)] target: Target) {
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
fn new_partitions_and_topics_that_come_later_are_read(#[values(Memory, Directory)] target: Target) {
    let broker = start(target);
    broker.make("t", 1);
    let mut one = member(&broker, &["t", "later"], &[]);
    poll_until_shared(&broker, &mut [&mut one], &[1]);
    let more = TopicChanges {
        partitions: Some(3),
        ..TopicChanges::default()
    };
    broker.wait(broker.alter_topic("t", more)).unwrap();
    poll_until_shared(&broker, &mut [&mut one], &[3]);
    broker
        .wait(broker.create_topic(NewTopic::new("later")))
        .unwrap();
    poll_until_shared(&broker, &mut [&mut one], &[4]);
}

#[rstest]
fn a_static_member_restarts_without_a_rebalance(#[values(Memory, Directory)] target: Target) {
    let broker = start(target);
    broker.make("t", 2);
    let mut one = member(&broker, &["t"], &[("group.instance.id", "one")]);
    let mut two = member(&broker, &["t"], &[("group.instance.id", "two")]);
    poll_until_shared(&broker, &mut [&mut one, &mut two], &[1, 1]);
    one.announce(Announce::Rebalances);
    while one.next_rebalance().is_some() {}
    let had = two.assignment();
    broker.wait(two.close());
    let mut two = member(&broker, &["t"], &[("group.instance.id", "two")]);
    poll_until_shared(&broker, &mut [&mut two], &[1]);
    assert_eq!(two.assignment(), had);
    // A few heartbeats later nobody has told the other to give anything up.
    broker.fill("t", one.assignment()[0].partition.get(), numbers(30));
    let read = poll_until_read(&broker, &mut one, 30);
    assert_eq!((read.len(), one.next_rebalance()), (30, None));
}

#[rstest]
fn of_two_static_members_with_one_name_the_newer_stays(
    #[values(Memory, Directory)] target: Target,
) {
    let broker = start(target);
    broker.make("t", 1);
    let name = [("group.instance.id", "one")];
    let mut old = member(&broker, &["t"], &name);
    poll_until_shared(&broker, &mut [&mut old], &[1]);
    let mut new = member(&broker, &["t"], &name);
    poll_until_shared(&broker, &mut [&mut new], &[1]);
    let deadline = Instant::now() + PATIENCE;
    let error = loop {
        match broker.wait(old.poll(MOMENT, None)) {
            Ok(_) => assert!(Instant::now() < deadline),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), ErrorCode::FencedInstanceId);
    assert!(error.is_fatal() && old.assignment().is_empty());
}

#[rstest]
fn the_partitions_of_a_dead_member_go_to_the_others(#[values(Memory, Directory)] target: Target) {
    let broker = start(target);
    broker.make("t", 2);
    let short = [("session.timeout.ms", "200")];
    let mut one = member(&broker, &["t"], &short);
    let mut two = member(&broker, &["t"], &short);
    poll_until_shared(&broker, &mut [&mut one, &mut two], &[1, 1]);
    drop(two);
    poll_until_shared(&broker, &mut [&mut one], &[2]);
}

#[rstest]
fn a_member_that_does_not_poll_loses_its_partitions_and_comes_back(
    #[values(Memory, Directory)] target: Target,
) {
    let broker = start(target);
    broker.make("t", 2);
    let impatient = [
        ("max.poll.interval.ms", "400"),
        ("enable.auto.commit", "false"),
    ];
    let mut one = member(&broker, &["t"], &[]);
    let mut two = member(&broker, &["t"], &impatient);
    two.announce(Announce::Rebalances);
    let deadline = Instant::now() + PATIENCE;
    while two.assignment().len() != 1 || one.assignment().len() != 1 {
        broker.wait(one.poll(MOMENT, None)).unwrap();
        broker.wait(two.poll(MOMENT, None)).unwrap();
        while two.next_rebalance().is_some() {}
        assert!(Instant::now() < deadline);
    }
    let had = two.assignment();
    poll_until_shared(&broker, &mut [&mut one], &[2]);
    // Its generation is over.
    let error = broker.wait(two.commit(None)).unwrap_err();
    assert!(
        matches!(
            error.code(),
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration
        ),
        "{error:?}"
    );
    let mut told = Vec::new();
    while one.assignment().len() != 1 || two.assignment().len() != 1 {
        broker.wait(one.poll(MOMENT, None)).unwrap();
        broker.wait(two.poll(MOMENT, None)).unwrap();
        told.extend(std::iter::from_fn(|| two.next_rebalance()));
        assert!(Instant::now() < deadline);
    }
    assert_eq!(told[0], Rebalance::Lost(had));
}

#[rstest]
fn a_stream_to_the_end_waits_for_its_partitions(#[values(Memory, Directory)] target: Target) {
    let broker = start(target);
    broker.make("t", 3);
    for number in 0..3 {
        broker.fill("t", number, numbers(100));
    }
    let mut one = member(&broker, &["t"], &[]);
    let options = BatchOptions {
        max_records: 70,
        until: Until::End,
        ..BatchOptions::default()
    };
    let mut read = 0;
    while let Some(batch) = broker.wait(one.next_batch(&options)).unwrap() {
        read += batch.len();
    }
    assert_eq!(read, 300);
    // The end was asked for, so all was finished.
    broker.wait(one.close());
    let mut two = member(&broker, &["t"], &[]);
    poll_until_shared(&broker, &mut [&mut two], &[3]);
    assert!(
        broker
            .wait(two.lag())
            .unwrap()
            .values()
            .all(|lag| *lag == 0)
    );
}

#[rstest]
fn subscribing_to_something_else_moves_the_member(#[values(Memory, Directory)] target: Target) {
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

#[rstest]
fn seeking_goes_there_within_the_assignment(#[values(Memory, Directory)] target: Target) {
    let broker = start(target);
    broker.make("t", 1);
    broker.fill("t", 0, numbers(10));
    let mut one = member(&broker, &["t"], &[]);
    poll_until_read(&broker, &mut one, 10);
    broker
        .wait(one.seek(&Position::Offset(Offset::new(8)), &[]))
        .unwrap();
    assert_eq!(poll_until_read(&broker, &mut one, 2), ["8", "9"]);
}

#[rstest]
fn what_cannot_be_right_is_refused(#[values(Memory, Directory)] target: Target) {
    let broker = start(target);
    broker.make("t", 1);
    let mut loner = broker.consumer(ConsumerConfig::default());
    let error = loner.subscribe(Subscription::topics(["t"])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(broker.wait(loner.commit(None)).is_err());
    let mut one = member(&broker, &["t"], &[]);
    assert!(broker.wait(one.assign(vec![partition(0)])).is_err());
    for (key, value) in [
        ("group.protocol", "consumer"),
        ("partition.assignment.strategy", "best"),
        ("heartbeat.interval.ms", "60000"),
    ] {
        let refused = ConsumerConfig::parse([("group.id", "g"), (key, value)]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config, "{refused}");
    }
    // Members must have an assignor in common.
    poll_until_shared(&broker, &mut [&mut one], &[1]);
    let mut stranger = member(
        &broker,
        &["t"],
        &[("partition.assignment.strategy", "sticky")],
    );
    let deadline = Instant::now() + PATIENCE;
    let error = loop {
        match broker.wait(stranger.poll(MOMENT, None)) {
            Ok(_) => assert!(Instant::now() < deadline),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), ErrorCode::InconsistentGroupProtocol);
}

#[rstest]
fn without_a_committed_offset_and_without_a_rule_polling_fails(
    #[values(Memory, Directory)] target: Target,
) {
    let broker = start(target);
    broker.make("t", 1);
    broker.fill("t", 0, numbers(5));
    let mut one = member(&broker, &["t"], &[("auto.offset.reset", "none")]);
    let deadline = Instant::now() + PATIENCE;
    let error = loop {
        match broker.wait(one.poll(MOMENT, None)) {
            Ok(_) => assert!(Instant::now() < deadline),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::OffsetOutOfRange);
    let at = BTreeMap::from([(partition(0), Offset::new(3))]);
    broker.wait(one.commit(Some(at))).unwrap();
    assert_eq!(poll_until_read(&broker, &mut one, 2), ["3", "4"]);
}
