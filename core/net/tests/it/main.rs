//! The transport against scripted peers: what connections do when brokers, networks and configurations are not as they should be.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod bad_peers;
mod certificates;
mod connections;
mod metrics;
mod oauth;
mod passwords;
mod sasl_broker;
mod support;
mod tls;
mod token_endpoint;
