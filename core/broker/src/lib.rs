//! Partitions and the Kafka API handlers over the log.
//!
//! [`Broker::open`] takes a data directory, [`Broker::handle`] answers Kafka's typed requests in it, [`Broker::close`] leaves it clean.
//! A handler computes in the thread that polls it: in process a produce is done at the end of its first poll. Only a fetch that may
//! wait (`max_wait_ms`) and a produce that waits for replicas return pending.

mod broker;
mod context;
mod open_error;
mod open_report;

pub use broker::Broker;
pub use context::RequestContext;
pub use open_error::OpenError;
pub use open_report::{OpenReport, RecoveredPartition};
