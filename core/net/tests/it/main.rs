//! Tests of the transport against scripted peers: failing brokers, networks and configurations.
#![allow(clippy::unwrap_used, reason = "a panic shows where a test failed")]

mod bad_peers;
mod certificates;
mod connections;
mod metrics;
mod oauth;
mod passwords;
mod recovery;
mod sasl_broker;
mod support;
mod tls;
mod token_endpoint;
