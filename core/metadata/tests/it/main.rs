//! Tests of this crate's public API. One binary, so that it is linked once.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a panic shows the failing line"
)]

mod config;
mod image;
