//! The promises of a client, tested through the public API only. The target comes from [`target`]: the same tests run
//! in process, with our server, and with Apache Kafka. Tests that concern only one of these, like those of directories
//! in `engine`, are plain tests.

#![allow(clippy::unwrap_used, reason = "a panic ends a failed test")]

mod bad_input;
mod bulk;
mod changing_topics;
mod compacted;
mod config_keys;
mod consume;
mod differences;
mod engine;
mod exactness;
mod groups;
mod produce;
mod releases;
mod scan;
mod streams;
mod table;
mod tables;
mod target;
mod time;
mod topics;
mod wakeup;
