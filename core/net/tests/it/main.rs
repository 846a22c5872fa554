//! The transport against scripted peers: what connections do when brokers, networks and configurations are not as they should be.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod bad_peers;
mod connections;
mod support;
