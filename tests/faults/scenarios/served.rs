//! Scenarios on a Headwater server in its own process.

use super::{add_partitions, disturb_connections, kill_leaders, recreate_topic, restart_each};
use crate::brokers::on_server;
use crate::scene::run;

#[test]
#[ignore = "needs kcat: make test-faults"]
fn served_a_killed_server_costs_nothing() {
    on_server(|brokers| run("killed-server", brokers, kill_leaders));
}

#[test]
#[ignore = "needs kcat: make test-faults"]
fn served_a_server_that_restarts_costs_nothing() {
    on_server(|brokers| run("restarted-server", brokers, restart_each));
}

#[test]
#[ignore = "needs kcat: make test-faults"]
fn served_partitions_that_are_added_cost_nothing() {
    on_server(|brokers| run("added-partitions", brokers, add_partitions));
}

#[test]
#[ignore = "needs kcat: make test-faults"]
fn served_a_recreated_topic_keeps_records_sent_to_it() {
    on_server(|brokers| run("recreated-topic", brokers, recreate_topic));
}

#[test]
#[ignore = "needs kcat: make test-faults"]
fn served_connections_that_are_cut_and_stalled_cost_nothing() {
    on_server(|brokers| run("connections", brokers, disturb_connections));
}
