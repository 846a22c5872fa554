//! The tests of this crate that use its public API. One binary, so that it is linked once.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a panic shows where a test failed"
)]

mod buffers;
mod closing;
mod commits;
mod consumer;
mod dropped_producers;
mod faults;
mod fetch_sessions;
mod futures;
mod group_offsets;
mod lagging_brokers;
mod leaders;
mod leaving;
mod metrics;
mod missing_partitions;
mod named_leaders;
mod new_members;
mod own_keys;
mod preferred_replicas;
mod producer;
mod recreated_topics;
mod releases;
mod retries;
mod revocations;
mod routing;
mod senders;
mod short_polls;
mod stream;
mod support;
mod throttling;
mod times;
mod transactions;
mod truncation;
