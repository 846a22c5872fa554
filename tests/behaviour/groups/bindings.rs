//! Functions for bindings that read many messages at once, or process several partitions concurrently.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater::{Consumer, Event, Finishing, Offset, Operation, Rebalance};
use headwater_behaviour_macro::behaviour;

use super::{MOMENT, config, member, numbers, poll_until_read, start};
use crate::target::{RunningBroker, Target};

fn committed(broker: &RunningBroker) -> Option<i64> {
    let other = broker.consumer(config(broker, &[]));
    let committed = broker
        .wait(other.committed(&[broker.partition(0)]))
        .unwrap();
    committed
        .get(&broker.partition(0))
        .map(|offset| offset.get())
}

/// Waits for messages, and returns the number of decoded ones.
fn decoded(broker: &RunningBroker, consumer: &mut Consumer) -> usize {
    while !matches!(
        broker
            .wait(consumer.next_event(&Operation::NextMessage))
            .unwrap(),
        Event::Message
    ) {}
    let (_, rows) = consumer.decoded_messages().unwrap();
    rows.len()
}

#[behaviour]
fn decoded_messages_are_handed_out_when_they_are_taken(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(100));
    let mut one = member(&broker, &[t], &[("auto.commit.interval.ms", "60000")]);
    assert_eq!(decoded(&broker, &mut one), 100);
    assert_eq!(one.consumed()[&broker.partition(0)], Offset::ZERO);
    one.take_messages(0);
    one.take_messages(40);
    let (_, left) = one.decoded_messages().unwrap();
    assert_eq!(left, 40..100);
    let position = broker.wait(one.position()).unwrap();
    assert_eq!(position[&broker.partition(0)], Offset::new(40));
    // The last one is still being processed by the caller.
    broker.wait(one.close());
    assert_eq!(committed(&broker), Some(39));
}

#[behaviour]
fn a_seek_drops_messages_that_were_decoded_and_not_taken(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(100));
    let mut one = member(&broker, &[t], &[]);
    decoded(&broker, &mut one);
    one.take_messages(10);
    broker.wait(one.seek(&Offset::new(90).into(), &[])).unwrap();
    assert!(one.decoded_messages().is_none());
    assert_eq!(decoded(&broker, &mut one), 10);
}

#[behaviour]
fn a_member_that_takes_many_messages_polls_its_group(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, numbers(60_000));
    let mut one = member(&broker, &[t], &[]);
    decoded(&broker, &mut one);
    let mut two = member(&broker, &[t], &[]);
    let mut is_due = false;
    while !is_due {
        // The other one joins meanwhile.
        broker
            .wait(two.poll(Duration::from_millis(50), None))
            .unwrap();
        is_due = one.take_messages(300);
        assert!(one.decoded_messages().is_some(), "the group comes first");
    }
    let event = broker
        .wait(one.next_event(&Operation::NextMessage))
        .unwrap();
    assert!(matches!(event, Event::Rebalance(Rebalance::Revoked(_))));
}

#[behaviour]
fn only_what_the_caller_finishes_is_committed(
    target: Target,
    #[values("0", "60000")] interval: &str,
) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(100));
    let mut one = member(&broker, &[t], &[("auto.commit.interval.ms", interval)]);
    one.set_finishing(Finishing::Explicit);
    poll_until_read(&broker, &mut one, 100);
    one.finish(&BTreeMap::from([(broker.partition(0), Offset::new(30))]));
    for _ in 0..5 {
        broker.wait(one.poll(MOMENT, None)).unwrap();
    }
    broker.wait(one.close());
    assert_eq!(committed(&broker), Some(30));
}

#[behaviour]
fn records_finished_after_the_report_of_a_revocation_are_committed(target: Target) {
    let broker = start(target);
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(100));
    let mut one = member(&broker, &[t], &[("auto.commit.interval.ms", "60000")]);
    one.set_finishing(Finishing::Explicit);
    poll_until_read(&broker, &mut one, 100);
    let mut two = member(&broker, &[t], &[]);
    let poll = Operation::poll(MOMENT, None);
    loop {
        broker.wait(two.poll(Duration::ZERO, None)).unwrap();
        match broker.wait(one.next_event(&poll)).unwrap() {
            Event::Rebalance(Rebalance::Revoked(_)) => break,
            Event::Rebalance(_) | Event::Batch(_) => {}
            event => panic!("{event:?}"),
        }
    }
    one.finish(&BTreeMap::from([(broker.partition(0), Offset::new(70))]));
    broker.wait(one.next_event(&poll)).unwrap();
    assert_eq!(committed(&broker), Some(70));
}
