//! What fault scenarios are made of.
//!
//! - [`proxy`] stands between clients and a broker, and delays, stalls and cuts their connections, by the frames of Kafka's protocol.
//! - [`history`] is what clients did and saw: sends and their results, records handed out, assignments, commits, and the log at the end.
//! - [`checker`] decides whether a history breaks a promise.
//! - [`chance`] gives numbers from a seed.

pub mod chance;
pub mod checker;
pub mod history;
pub mod proxy;
