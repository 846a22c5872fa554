//! Random numbers: for backoff jitter, and for ids.

use headwater_env::{Env as _, RealEnv};
use uuid::Uuid;

/// A random number from 0 (inclusive) to 1 (exclusive).
pub(crate) fn fraction() -> f64 {
    let mut random = [0; 4];
    RealEnv.fill_random(&mut random);
    f64::from(u32::from_le_bytes(random)) / (f64::from(u32::MAX) + 1.0)
}

/// A random id.
pub(crate) fn uuid() -> Uuid {
    let mut random = [0; 16];
    RealEnv.fill_random(&mut random);
    uuid::Builder::from_random_bytes(random).into_uuid()
}
