//! The parts of fault scenarios.
//!
//! - [`proxy`] is between clients and a broker: it delays, stalls and repeats frames of Kafka's protocol, and cuts
//!   connections there.
//! - [`history`] contains the calls and results of clients: sends and their results, records handed out, assignments,
//!   commits, and the log at the end.
//! - [`checker`] decides whether a history violates a promise.
//! - [`chance`] draws numbers from a seed.

pub mod chance;
pub mod checker;
pub mod history;
mod mutants;
pub mod proxy;
