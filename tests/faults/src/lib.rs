//! The parts of fault scenarios.
//!
//! - [`proxy`] is between clients and a broker, and delays, stalls, repeats and cuts what they send, by the frames of
//!   Kafka's protocol.
//! - [`history`] contains the calls and results of clients: sends and their results, records handed out, assignments,
//!   commits, and the log at the end.
//! - [`checker`] decides whether a history violates a promise.
//! - [`chance`] draws numbers from a seed.

pub mod chance;
pub mod checker;
pub mod history;
mod mutants;
pub mod proxy;
