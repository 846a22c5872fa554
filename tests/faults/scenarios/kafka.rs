//! Scenarios on three Apache Kafka brokers.

use std::collections::BTreeMap;

use super::{add_partitions, disturb_connections, kill_leaders, recreate_topic, restart_each};
use crate::brokers::on_kafka;
use crate::scene::{Scene, run};
use crate::{eventually, wire};

/// Moves the leaders of the topic's partitions, and of the groups' offsets, from broker to broker.
fn move_leaders(scene: &mut Scene<'_>) {
    for _ in 0..6 {
        for topic in [scene.topic.clone(), "__consumer_offsets".to_owned()] {
            let leaders = scene.brokers.leaders(&topic);
            let partitions: Vec<_> = leaders.into_iter().collect();
            let (partition, leader) = scene.chance.pick(&partitions);
            move_to_next(scene, &topic, partition, leader);
        }
        scene.progress(60);
    }
}

fn move_to_next(scene: &Scene<'_>, topic: &str, partition: i32, leader: u32) {
    let next = leader % 3 + 1;
    let replicas: Vec<i32> = [next, leader, 6 - next - leader]
        .map(|one| one as i32)
        .into();
    eventually("a leader that moves", || {
        wire::move_leader(scene.brokers.running(), topic, partition, replicas.clone()).then_some(())
    });
    eventually("the new leader", || {
        let leaders: BTreeMap<i32, u32> = scene.brokers.leaders(topic);
        (leaders.get(&partition) == Some(&next)).then_some(())
    });
}

#[test]
#[ignore = "needs Apache Kafka: make test-faults"]
fn kafka_a_killed_leader_costs_nothing() {
    on_kafka(|brokers| run("killed-leader", brokers, kill_leaders));
}

#[test]
#[ignore = "needs Apache Kafka: make test-faults"]
fn kafka_brokers_that_restart_one_by_one_cost_nothing() {
    on_kafka(|brokers| run("restarts", brokers, restart_each));
}

#[test]
#[ignore = "needs Apache Kafka: make test-faults"]
fn kafka_leaders_that_move_cost_nothing() {
    on_kafka(|brokers| run("moved-leaders", brokers, move_leaders));
}

#[test]
#[ignore = "needs Apache Kafka: make test-faults"]
fn kafka_partitions_that_are_added_cost_nothing() {
    on_kafka(|brokers| run("added-partitions", brokers, add_partitions));
}

#[test]
#[ignore = "needs Apache Kafka: make test-faults"]
fn kafka_a_recreated_topic_keeps_records_sent_to_it() {
    on_kafka(|brokers| run("recreated-topic", brokers, recreate_topic));
}

#[test]
#[ignore = "needs Apache Kafka: make test-faults"]
fn kafka_connections_that_are_cut_and_stalled_cost_nothing() {
    on_kafka(|brokers| run("connections", brokers, disturb_connections));
}
