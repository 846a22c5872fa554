//! The tests of this crate that use only what it makes public. One binary, so that it is linked once.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test that fails says where"
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
