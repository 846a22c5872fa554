//! Tests of this crate's public API. One binary, so that it is linked once.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a panic shows the failing line"
)]

mod changing_protocols;
mod compaction;
mod configs;
mod consumer_group_members;
mod consumer_groups;
mod coordinator_storage;
mod crash;
mod damaged_metadata;
mod described;
mod encoding;
mod exhaustion;
mod fetch_sessions;
mod group_offsets;
mod groups;
mod held_memory;
mod hostile;
mod long_poll;
#[path = "../../../protocol/tests/it/memory/mod.rs"]
mod memory;
mod metadata;
mod produce_fetch;
mod produce_runs;
mod records_and_producers;
mod refused_records;
mod restart;
#[path = "../../../protocol/tests/it/schema/mod.rs"]
mod schema;
mod scram_users;
mod support;
mod topic_changes;
mod topics;
mod unmade_topics;
mod warnings;
