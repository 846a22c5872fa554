//! The tests of this crate that use only what it makes public. One binary, so that it is linked once.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::similar_names,
    reason = "a test that fails says where, and names what it decodes"
)]

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
