//! The tests of this crate that use only what it makes public. One binary, so that it is linked once.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test that fails says where"
)]

mod bad_records;
mod hostile_tls;
mod plaintext;
#[path = "../../../protocol/tests/it/schema/mod.rs"]
mod schema;
mod security;
mod support;
