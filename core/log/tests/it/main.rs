//! The tests of this crate that use its public API. One binary, so that it is linked once.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::case_sensitive_file_extension_comparisons,
    clippy::unwrap_used,
    reason = "a panic shows where a test failed"
)]

mod append_and_read;
mod compaction;
mod compaction_producers;
mod compaction_properties;
mod epochs;
mod flush;
mod gaps;
mod moved_files;
mod padding;
mod recovery;
mod removal;
mod support;
mod together;
