//! The tests of this crate that use its public API. One binary, so that it is linked once.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a panic shows where a test failed"
)]

mod builder;
mod cases;
mod compression;
mod foreign_batches;
mod hostile;
mod rewrite;
mod round_trip;
mod support;
mod timestamps;
mod transactions;
mod validation;
