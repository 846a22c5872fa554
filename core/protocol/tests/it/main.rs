//! Tests of this crate's public API. One binary, so that it is linked once.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a panic shows the failing line"
)]

mod codec;
mod frame;
mod golden;
mod hostile;
mod memory;
mod round_trip;
mod rules;
mod schema;
mod versions;
