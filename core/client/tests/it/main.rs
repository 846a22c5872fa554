//! The tests of this crate that use only what it makes public. One binary, so that it is linked once.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test that fails says where"
)]

mod consumer;
mod faults;
mod futures;
mod leaders;
mod own_keys;
mod producer;
mod routing;
mod stream;
mod support;
mod transactions;
