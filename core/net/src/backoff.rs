//! The pause before a broker is connected to again.

use std::time::Duration;

use headwater_env::{Env as _, RealEnv};

use crate::config::ConnectionConfig;

/// The pause after `failures` failed attempts in a row: `reconnect.backoff.ms`, doubled each time up to `reconnect.backoff.max.ms`, with a
/// jitter of 20 % (KIP-144).
pub(crate) fn reconnect_pause(config: &ConnectionConfig, failures: u32) -> Duration {
    if failures == 0 {
        return Duration::ZERO;
    }
    let doubled = 2_u32.saturating_pow(failures - 1);
    let pause = config.reconnect_backoff.saturating_mul(doubled);
    pause
        .min(config.reconnect_backoff_max)
        .mul_f64(0.8 + 0.4 * fraction())
}

/// A random number from 0 (inclusive) to 1 (exclusive).
fn fraction() -> f64 {
    f64::from(random()) / (f64::from(u32::MAX) + 1.0)
}

/// A random number.
pub(crate) fn random() -> u32 {
    let mut bytes = [0; 4];
    RealEnv.fill_random(&mut bytes);
    u32::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let config = ConnectionConfig::parse([("reconnect.backoff.ms", "100")]).unwrap();
        assert_eq!(reconnect_pause(&config, 0), Duration::ZERO);
        for (failures, expected_ms) in [(1, 100), (2, 200), (4, 800), (5, 1_000), (99, 1_000)] {
            let pause = reconnect_pause(&config, failures).as_millis();
            let jitter = expected_ms / 5;
            assert!(
                (expected_ms - jitter..=expected_ms + jitter).contains(&pause),
                "{failures}: {pause}"
            );
        }
    }
}
