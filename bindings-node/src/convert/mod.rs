//! Converts arguments and results. TypeScript has checked types and names; the remaining conversions concern the core's
//! own types.

pub(crate) mod bytes;
mod duration;
pub(crate) mod format;
pub(crate) mod partitions;
pub(crate) mod position;
pub(crate) mod rows;
pub mod time;
