//! The tests of this crate that use its public API. One binary, so that it is linked once.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::similar_names,
    reason = "a panic shows where a test failed, and its input"
)]

mod damage;
mod decode;
mod dtype;
mod encode;
mod errors;
mod foreign_transactions;
mod json;
mod round_trip;
mod support;
mod transaction_model;
mod transactions;
mod types;
mod unnamed;
mod unnested;
