//! Members that restart, die, or do not poll.

use std::time::Instant;

use headwater::{
    BatchOptions, BatchStream, ConsumerConfig, ErrorCode, ErrorKind, Rebalance, Subscription,
};
use headwater_behaviour_macro::behaviour;

use super::{MOMENT, PATIENCE, member, numbers, poll_reporting, poll_until_shared, start};
use crate::target::Target;

#[behaviour]
fn a_static_member_restarts_without_a_rebalance(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 2);
    let mut one = member(&broker, &[t], &[("group.instance.id", "one")]);
    let mut two = member(&broker, &[t], &[("group.instance.id", "two")]);
    poll_until_shared(&broker, &mut [&mut one, &mut two], &[1, 1]);
    let had = two.assignment();
    broker.wait(two.close());
    let mut two = member(&broker, &[t], &[("group.instance.id", "two")]);
    poll_until_shared(&broker, &mut [&mut two], &[1]);
    assert_eq!(two.assignment(), had);
    // A few heartbeats later the other member has not had to release anything.
    broker.fill(t, one.assignment()[0].partition.get(), numbers(30));
    let (mut read, mut reported) = (0, Vec::new());
    let deadline = Instant::now() + PATIENCE;
    while read < 30 {
        read += poll_reporting(&broker, &mut one, &mut reported).len();
        assert!(Instant::now() < deadline);
    }
    assert_eq!((read, reported), (30, vec![]));
}

#[behaviour]
fn of_two_static_members_with_one_name_the_newer_stays(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 1);
    let name = [("group.instance.id", "one")];
    let mut old = member(&broker, &[t], &name);
    poll_until_shared(&broker, &mut [&mut old], &[1]);
    let mut new = member(&broker, &[t], &name);
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

#[behaviour]
fn the_partitions_of_a_dead_member_go_to_the_others(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 2);
    let short = [("session.timeout.ms", "200")];
    let mut one = member(&broker, &[t], &short);
    let mut two = member(&broker, &[t], &short);
    poll_until_shared(&broker, &mut [&mut one, &mut two], &[1, 1]);
    drop(two);
    poll_until_shared(&broker, &mut [&mut one], &[2]);
}

#[behaviour]
fn a_member_that_does_not_poll_loses_its_partitions_and_comes_back(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 2);
    let impatient = [
        ("max.poll.interval.ms", "400"),
        ("enable.auto.commit", "false"),
    ];
    let mut one = member(&broker, &[t], &[]);
    let mut two = member(&broker, &[t], &impatient);
    let deadline = Instant::now() + PATIENCE;
    while two.assignment().len() != 1 || one.assignment().len() != 1 {
        broker.wait(one.poll(MOMENT, None)).unwrap();
        broker.wait(two.poll(MOMENT, None)).unwrap();
        assert!(Instant::now() < deadline);
    }
    let had = two.assignment();
    poll_until_shared(&broker, &mut [&mut one], &[2]);
    // Its generation has ended.
    let error = broker.wait(two.commit(None)).unwrap_err();
    assert!(
        matches!(
            error.code(),
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration
        ),
        "{error:?}"
    );
    let mut reported = Vec::new();
    while one.assignment().len() != 1 || two.assignment().len() != 1 {
        broker.wait(one.poll(MOMENT, None)).unwrap();
        poll_reporting(&broker, &mut two, &mut reported);
        assert!(Instant::now() < deadline);
    }
    assert_eq!(reported[0], Rebalance::Lost(had));
}

#[behaviour]
fn invalid_options_are_refused(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 1);
    let mut loner = broker.consumer(ConsumerConfig::default());
    let error = loner.subscribe(Subscription::topics([t])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(broker.wait(loner.commit(None)).is_err());
    let mut one = member(&broker, &[t], &[]);
    assert!(broker.wait(one.assign(vec![broker.partition(0)])).is_err());
    for (key, value) in [
        ("group.protocol", "sideways"),
        ("group.remote.assignor", "uniform"),
        ("partition.assignment.strategy", "best"),
        ("heartbeat.interval.ms", "60000"),
    ] {
        let refused =
            ConsumerConfig::parse([("group.id", broker.name("g")), (key, value)]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config, "{refused}");
    }
    // Members must have an assignor in common.
    poll_until_shared(&broker, &mut [&mut one], &[1]);
    let mut stranger = member(
        &broker,
        &[t],
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

#[behaviour]
fn a_member_without_partitions_waits_for_some(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 1);
    let mut one = member(&broker, &[t], &[]);
    let mut two = member(&broker, &[t], &[]);
    poll_until_shared(&broker, &mut [&mut one], &[1]);
    for _ in 0..20 {
        broker.wait(one.poll(MOMENT, None)).unwrap();
        broker.wait(two.poll(MOMENT, None)).unwrap();
    }
    let idle = if one.assignment().is_empty() {
        &mut one
    } else {
        &mut two
    };
    let stream = BatchStream::new(BatchOptions::default()).unwrap();
    // A loop that never waits would never let time pass.
    let waited =
        broker.wait(async { tokio::time::timeout(10 * MOMENT, idle.next_batch(&stream)).await });
    assert!(waited.is_err(), "{waited:?}");
}
