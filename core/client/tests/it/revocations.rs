//! Partitions that are revoked, and assigned again before the caller has released them.

use std::time::Duration;

use headwater_client::{Consumer, Event, Operation, Rebalance, Subscription, TopicPartition};

use crate::support::reading::{Reading, TOPIC};

/// The next rebalance.
fn rebalance(reading: &Reading, consumer: &mut Consumer) -> Rebalance {
    for _ in 0..1_000 {
        let poll = Operation::poll(Duration::from_millis(5), None);
        if let Event::Rebalance(rebalance) = reading.wait(consumer.next_event(&poll)).unwrap() {
            return rebalance;
        }
    }
    panic!("no rebalance");
}

#[test]
fn partitions_reported_as_revoked_are_released_and_assigned_again() {
    let reading = Reading::new(1, 1);
    reading.send(0);
    let pairs = [("group.id", "g"), ("group.protocol", "consumer")];
    let mut consumer = reading.consumer(&pairs);
    consumer.subscribe(Subscription::topics([TOPIC])).unwrap();
    let all = vec![TopicPartition::new(TOPIC, 0)];
    let assigned = Rebalance::Assigned(all.clone());
    assert_eq!(rebalance(&reading, &mut consumer), assigned);
    reading.cluster.state().group.has_empty_target = true;
    assert_eq!(
        rebalance(&reading, &mut consumer),
        Rebalance::Revoked(all.clone())
    );
    // The coordinator changes its mind while the caller works on the report.
    reading.cluster.state().group.has_empty_target = false;
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(rebalance(&reading, &mut consumer), assigned);
    reading.cluster.state().group.has_empty_target = true;
    assert_eq!(rebalance(&reading, &mut consumer), Rebalance::Revoked(all));
}
