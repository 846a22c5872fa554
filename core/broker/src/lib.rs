//! Partitions and the Kafka API handlers over the log.
//!
//! [`Broker::open`] takes a data directory, [`Broker::handle`] answers Kafka's typed requests in it, [`Broker::close`] leaves it clean.
//! A handler computes in the thread that polls it: in process a produce is done at the end of its first poll. Only a fetch that may
//! wait (`max_wait_ms`) returns pending.
//!
//! The way of a request: `api` (one file for each API) finds the topics and partitions and maps errors to Kafka's codes; `partition`
//! knows who leads and how far may be read; the log below it does the rest. A change of the cluster goes through the `controller`: it is
//! durable in the `metadata_log` before an image with it is published and files are made. `housekeeping` and `storage` remove what may go.

mod api;
mod broker;
mod close;
mod config_changes;
mod config_layers;
mod context;
mod controller;
mod counters;
mod deletion;
mod expired;
mod features;
mod fetch_sessions;
mod groups;
mod housekeeping;
mod left_over;
mod listeners;
mod log_config;
mod loss;
mod memory;
mod metadata_log;
mod new_topic;
mod open;
mod partition;
mod partition_files;
mod producer_ids;
mod random;
mod refusal;
mod state;
mod storage;
mod topic_changes;
mod topics;
mod waiters;

pub use broker::Broker;
pub use close::CloseError;
pub use context::{Listener, Principal, RequestContext};
pub use counters::{DeletionCounts, Deletions};
pub use listeners::{ListenerRegistration, OpenListener};
pub use loss::DirectoryLost;
pub use memory::{FREE_BYTES, Holding, Memory};
pub use open::{OpenError, OpenReport, RecoveredPartition, StrayDirectory};
