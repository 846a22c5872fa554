//! The wall clock, for timestamps of records.

use headwater_env::{Env as _, RealEnv};

/// Milliseconds since the Unix epoch.
#[inline]
pub(crate) fn now_ms() -> i64 {
    RealEnv.wall_clock_ms()
}
