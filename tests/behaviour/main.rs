//! What a client promises, told through the public API only. The target comes from [`target`]: the same tests run in process, against our
//! server and against Apache Kafka. Tests of one place, as those of directories in `engine`, are plain tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

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
