//! Members with `group.protocol=consumer` (KIP-848).

use std::collections::BTreeSet;
use std::time::Instant;

use headwater::{
    BatchOptions, BatchStream, Consumer, ConsumerConfig, ErrorCode, Rebalance, Subscription, Until,
};
use headwater_behaviour_macro::behaviour;

use super::{
    MOMENT, PATIENCE, member, numbers, poll_reporting, poll_until, poll_until_read,
    poll_until_shared, start,
};
use crate::table::{text, values};
use crate::target::{RunningBroker, Target};

fn consumer_member(
    broker: &RunningBroker,
    subscription: Subscription,
    pairs: &[(&str, &str)],
) -> Consumer {
    let fixed = [
        ("group.id", broker.name("g")),
        ("group.protocol", "consumer"),
        ("auto.offset.reset", "earliest"),
        ("fetch.max.wait.ms", "50"),
    ];
    let config = ConsumerConfig::parse(fixed.iter().chain(pairs).copied()).unwrap();
    let mut consumer = broker.consumer(config);
    consumer.decode_as(text()).unwrap();
    consumer.subscribe(subscription).unwrap();
    consumer
}

fn of_t(broker: &RunningBroker, pairs: &[(&str, &str)]) -> Consumer {
    let t = broker.name("t");
    consumer_member(broker, Subscription::topics([t]), pairs)
}

#[behaviour]
fn members_share_the_partitions_and_each_record_is_read_once(
    target: Target,
    #[values("", "uniform", "range")] assignor: &str,
) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 4);
    let assignor = [("group.remote.assignor", assignor)];
    let mut one = of_t(&broker, &assignor);
    let mut two = of_t(&broker, &assignor);
    poll_until_shared(&broker, &mut [&mut one, &mut two], &[2, 2]);
    for number in 0..4 {
        broker.fill(t, number, (0..50).map(|index| format!("{number}/{index}")));
    }
    let read = poll_until(&broker, &mut [&mut one, &mut two], |_, read| {
        read.iter().map(Vec::len).sum::<usize>() >= 200
    });
    assert_eq!((read[0].len(), read[1].len()), (100, 100));
    let all: BTreeSet<_> = read.into_iter().flatten().collect();
    assert_eq!(all.len(), 200);
}

#[behaviour]
fn a_new_member_gets_only_moved_partitions_and_continues_at_their_commits(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 2);
    let mut one = of_t(&broker, &[]);
    broker.fill(t, 0, numbers(10));
    broker.fill(t, 1, numbers(10));
    assert_eq!(poll_until_read(&broker, &mut one, 20).len(), 20);
    let mut two = of_t(&broker, &[]);
    let mut rebalances = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while one.assignment().len() != 1 || two.assignment().len() != 1 {
        assert_eq!(broker.wait(two.poll(MOMENT, None)).unwrap().len(), 0);
        poll_reporting(&broker, &mut one, &mut rebalances);
        assert!(Instant::now() < deadline);
    }
    assert_eq!(rebalances, [Rebalance::Revoked(two.assignment())]);
    broker.fill(t, two.assignment()[0].partition.get(), ["next".to_owned()]);
    assert_eq!(poll_until_read(&broker, &mut two, 1), ["next"]);
    broker.wait(two.close());
    poll_until_shared(&broker, &mut [&mut one], &[2]);
}

#[behaviour]
fn the_broker_finds_the_topics_of_a_pattern(target: Target) {
    let broker = start(target);
    let (t1, other, t2) = (broker.name("t1"), broker.name("other"), broker.name("t2"));
    broker.make(t1, 1);
    broker.make(other, 1);
    let pattern = Subscription::pattern(broker.name("t[0-9]")).unwrap();
    let mut one = consumer_member(&broker, pattern, &[]);
    poll_until_shared(&broker, &mut [&mut one], &[1]);
    broker.make(t2, 2);
    poll_until_shared(&broker, &mut [&mut one], &[3]);
    one.subscribe(Subscription::topics([other])).unwrap();
    poll_until(&broker, &mut [&mut one], |members, _| {
        let assignment = members[0].assignment();
        assignment.len() == 1 && &*assignment[0].topic == other
    });
}

#[behaviour]
fn a_topic_that_does_not_exist_yet_is_read_when_it_does(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    let mut one = of_t(&broker, &[]);
    for _ in 0..5 {
        broker.wait(one.poll(MOMENT, None)).unwrap();
    }
    broker.make(t, 1);
    broker.fill(t, 0, numbers(3));
    assert_eq!(poll_until_read(&broker, &mut one, 3).len(), 3);
}

#[behaviour]
fn a_static_member_restarts_with_its_partitions(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 2);
    let mut one = of_t(&broker, &[("group.instance.id", "one")]);
    let mut two = of_t(&broker, &[("group.instance.id", "two")]);
    poll_until_shared(&broker, &mut [&mut one, &mut two], &[1, 1]);
    let had = two.assignment();
    broker.wait(two.close());
    let mut two = of_t(&broker, &[("group.instance.id", "two")]);
    let mut reported = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while two.assignment().is_empty() {
        poll_reporting(&broker, &mut one, &mut reported);
        broker.wait(two.poll(MOMENT, None)).unwrap();
        assert!(Instant::now() < deadline);
    }
    assert_eq!((two.assignment(), reported), (had, vec![]));
    let mut third = of_t(&broker, &[("group.instance.id", "two")]);
    let error = poll_until_error(&broker, &mut third);
    assert_eq!(error.code(), ErrorCode::UnreleasedInstanceId);
}

fn poll_until_error(broker: &RunningBroker, member: &mut Consumer) -> headwater::Error {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match broker.wait(member.poll(MOMENT, None)) {
            Ok(_) => assert!(Instant::now() < deadline),
            Err(error) => return error,
        }
    }
}

#[behaviour]
fn a_commit_goes_on_in_the_epoch_that_the_member_has_by_then(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 4);
    let mut one = of_t(&broker, &[("enable.auto.commit", "false")]);
    poll_until_shared(&broker, &mut [&mut one], &[4]);
    // Members come and go, which changes the epoch of the first one in the background.
    for _ in 0..5 {
        let mut two = of_t(&broker, &[]);
        for _ in 0..5 {
            broker.wait(two.poll(MOMENT, None)).unwrap();
            broker.wait(one.commit(None)).unwrap();
            broker.wait(one.poll(MOMENT, None)).unwrap();
        }
        broker.wait(two.close());
        broker.wait(one.commit(None)).unwrap();
    }
    assert!(!one.assignment().is_empty());
}

#[behaviour]
fn a_member_that_does_not_poll_leaves_and_comes_back(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 2);
    let mut one = of_t(&broker, &[]);
    let mut two = of_t(&broker, &[("max.poll.interval.ms", "300")]);
    poll_until_shared(&broker, &mut [&mut one, &mut two], &[1, 1]);
    let had = two.assignment();
    poll_until_shared(&broker, &mut [&mut one], &[2]);
    let deadline = Instant::now() + PATIENCE;
    let mut reported = Vec::new();
    while reported.is_empty() {
        poll_reporting(&broker, &mut two, &mut reported);
        assert!(Instant::now() < deadline);
    }
    assert_eq!(reported[0], Rebalance::Lost(had));
    poll_until_shared(&broker, &mut [&mut one, &mut two], &[1, 1]);
}

#[behaviour]
fn a_group_changes_its_protocol_and_back_while_it_is_read(
    target: Target,
    #[values("range", "cooperative-sticky")] strategy: &str,
) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 4);
    let classic = [("partition.assignment.strategy", strategy)];
    let mut one = member(&broker, &[t], &classic);
    poll_until_shared(&broker, &mut [&mut one], &[4]);
    let mut two = of_t(&broker, &[]);
    poll_until_shared(&broker, &mut [&mut one, &mut two], &[2, 2]);
    let mut three = member(&broker, &[t], &classic);
    poll_until(
        &broker,
        &mut [&mut one, &mut two, &mut three],
        |members, _| {
            let sizes: Vec<_> = members
                .iter()
                .map(|member| member.assignment().len())
                .collect();
            sizes.iter().sum::<usize>() == 4 && sizes.iter().all(|size| *size > 0)
        },
    );
    for number in 0..4 {
        broker.fill(t, number, (0..10).map(|index| format!("{number}/{index}")));
    }
    let read = poll_until(&broker, &mut [&mut one, &mut two, &mut three], |_, read| {
        read.iter().map(Vec::len).sum::<usize>() >= 40
    });
    let all: BTreeSet<_> = read.into_iter().flatten().collect();
    assert_eq!(all.len(), 40);
    broker.wait(two.close());
    poll_until_shared(&broker, &mut [&mut one, &mut three], &[2, 2]);
    let mut partitions = [one.assignment(), three.assignment()].concat();
    partitions.sort_unstable();
    assert_eq!(
        partitions,
        (0..4)
            .map(|number| broker.partition(number))
            .collect::<Vec<_>>()
    );
}

#[behaviour]
fn a_stream_to_the_end_waits_for_partitions_of_another_member(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 2);
    let mut one = of_t(&broker, &[]);
    poll_until_shared(&broker, &mut [&mut one], &[2]);
    one.pause(&[]).unwrap();
    for number in 0..2 {
        broker.fill(t, number, numbers(10));
    }
    let mut two = of_t(&broker, &[]);
    let stream = BatchStream::new(BatchOptions {
        until: Until::End,
        ..BatchOptions::default()
    });
    let stream = stream.unwrap();
    let reading = async {
        let mut read = Vec::new();
        while let Some(batch) = two.next_batch(&stream).await.unwrap() {
            read.extend(values(&batch));
        }
        read
    };
    let polling = async {
        loop {
            one.poll(MOMENT, None).await.unwrap();
        }
    };
    let read = broker.wait(async {
        tokio::select! {
            read = reading => read,
            () = polling => unreachable!("it polls until the other has read"),
        }
    });
    assert_eq!(read, numbers(10).collect::<Vec<_>>());
}
