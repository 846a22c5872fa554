//! Tests of this crate's public API. One binary, so that it is linked once.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a panic shows the failing line"
)]

mod bad_records;
mod hostile_tls;
mod plaintext;
#[path = "../../../protocol/tests/it/schema/mod.rs"]
mod schema;
mod security;
mod support;
