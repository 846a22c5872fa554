//! Random ids and numbers from the environment.

use headwater_env::Env;
use uuid::{Builder, Uuid};

/// A random id (version 4), different from Kafka's reserved ids.
pub(crate) fn random_uuid<E: Env>(env: &E) -> Uuid {
    let mut bytes = [0; 16];
    env.fill_random(&mut bytes);
    // The version bits distinguish it from Kafka's reserved ids, which are all zero except the last bits.
    Builder::from_random_bytes(bytes).into_uuid()
}

/// A random number.
pub(crate) fn random_u32<E: Env>(env: &E) -> u32 {
    let mut bytes = [0; 4];
    env.fill_random(&mut bytes);
    u32::from_ne_bytes(bytes)
}
