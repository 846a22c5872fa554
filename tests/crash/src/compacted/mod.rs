//! A compacted log that is written, cleaned and crashed, and its checks.

pub mod judge;
pub mod script;
pub mod session;
