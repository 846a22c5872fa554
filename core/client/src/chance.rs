//! Random numbers for backoff jitter.

use headwater_env::{Env as _, RealEnv};

/// A random number from 0 (inclusive) to 1 (exclusive).
pub(crate) fn fraction() -> f64 {
    let mut random = [0; 4];
    RealEnv.fill_random(&mut random);
    f64::from(u32::from_le_bytes(random)) / (f64::from(u32::MAX) + 1.0)
}
