//! Partitions and the handlers of Kafka's APIs, over the log.
//!
//! [`Broker::open`] opens a data directory, [`Broker::handle`] handles Kafka's typed requests, [`Broker::close`] shuts
//! down cleanly. A handler runs in the thread that polls it: an in-process produce completes in its first poll. Only a
//! fetch that waits (`max_wait_ms`) returns pending.
//!
//! The path of a request: `api` (one file for each API) looks up topics and partitions and maps errors to Kafka's
//! codes; `partition` checks the leadership and the high watermark; the log below does the rest. Metadata changes go
//! through the `controller`: a quorum decides on them, here by making them durable in the `metadata_log`, and then the
//! new image is published. `housekeeping` and `storage` delete old records.
//!
//! `state` connects the components; each handler takes those that it needs.

#![warn(clippy::mod_module_files)]

mod api;
mod broker;
mod close;
mod config_layers;
mod context;
mod controller;
mod counters;
mod directory_watch;
mod expired;
mod features;
mod fetch_sessions;
mod groups;
mod housekeeping;
mod left_over;
mod lifecycle;
mod listeners;
mod log_config;
mod memory;
mod metadata_log;
mod new_topic;
mod node;
mod open;
mod partition;
mod partition_files;
mod partitions;
mod random;
mod refusal;
mod state;
mod storage;
mod waiters;

pub use broker::Broker;
pub use close::CloseError;
pub use context::{Listener, Principal, RequestContext};
pub use counters::{DeletionCounts, Deletions};
pub use directory_watch::DirectoryLost;
pub use listeners::{ListenerRegistration, OpenListener};
pub use memory::{ConnectionMemory, FREE_BYTES, RequestMemory};
pub use open::{OpenError, OpenReport, RecoveredPartition, StrayDirectory};
