//! Consumer groups: assignments, start positions, and members that come and go.

mod bindings;
mod commits;
mod consumer_protocol;
mod deleted;
mod finished;
mod members;
mod sharing;
mod streams;

use std::time::{Duration, Instant};

use headwater::{Batch, Consumer, ConsumerConfig, Event, Operation, Rebalance, Subscription};

use crate::table::{text, values};
use crate::target::{RunningBroker, Target};

/// Long enough for any machine; passing tests never wait that long.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);
pub(super) const MOMENT: Duration = Duration::from_millis(20);

/// A broker whose groups do not wait for more members, and whose members may have short sessions.
pub(super) fn start(target: Target) -> RunningBroker {
    target.start_with(&[
        ("group.initial.rebalance.delay.ms", "0"),
        ("group.min.session.timeout.ms", "100"),
        ("group.consumer.min.heartbeat.interval.ms", "20"),
        ("group.consumer.heartbeat.interval.ms", "20"),
        ("group.consumer.min.session.timeout.ms", "100"),
    ])
}

pub(super) fn config(broker: &RunningBroker, pairs: &[(&str, &str)]) -> ConsumerConfig {
    let fixed = [
        ("group.id", broker.name("g")),
        ("auto.offset.reset", "earliest"),
        ("heartbeat.interval.ms", "20"),
        ("metadata.max.age.ms", "50"),
        ("fetch.max.wait.ms", "50"),
    ];
    ConsumerConfig::parse(fixed.iter().chain(pairs).copied()).unwrap()
}

pub(super) fn member(broker: &RunningBroker, topics: &[&str], pairs: &[(&str, &str)]) -> Consumer {
    let mut consumer = broker.consumer(config(broker, pairs));
    consumer.decode_as(text()).unwrap();
    consumer.subscribe(Subscription::topics(topics)).unwrap();
    consumer
}

/// Polls briefly, and collects the rebalances that are reported meanwhile.
pub(super) fn poll_reporting(
    broker: &RunningBroker,
    consumer: &mut Consumer,
    reported: &mut Vec<Rebalance>,
) -> Batch {
    let poll = Operation::poll(MOMENT, None);
    loop {
        match broker.wait(consumer.next_event(&poll)).unwrap() {
            Event::Rebalance(rebalance) => reported.push(rebalance),
            Event::Batch(batch) => return batch,
            event => panic!("{event:?}"),
        }
    }
}

pub(super) fn numbers(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|index| index.to_string())
}

/// Polls all members in turn until `done`, and returns the records that each has read.
pub(super) fn poll_until(
    broker: &RunningBroker,
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
            "the condition was never met: {:?}, {read:?}",
            members
                .iter()
                .map(|member| member.assignment())
                .collect::<Vec<_>>()
        );
    }
}

/// Polls until every one of these has this many partitions.
pub(super) fn poll_until_shared(
    broker: &RunningBroker,
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

pub(super) fn poll_until_read(
    broker: &RunningBroker,
    member: &mut Consumer,
    count: usize,
) -> Vec<String> {
    poll_until(broker, &mut [member], |_, read| read[0].len() >= count).remove(0)
}
