//! A compacted log that is written, cleaned and crashed, and what must be true of it.

pub mod judge;
pub mod script;
pub mod session;
