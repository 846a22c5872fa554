//! Converts between arguments of Python calls and values of the core.

pub(crate) mod cell;
pub(crate) mod config;
pub(crate) mod consuming;
pub(crate) mod format;
pub(crate) mod integer;
pub(crate) mod partitions;
pub(crate) mod position;
pub(crate) mod record;
pub(crate) mod rows;
pub(crate) mod tables;
pub(crate) mod time;
