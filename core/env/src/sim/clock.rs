//! A clock that tests advance.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// 2024-01-01T00:00:00Z, the initial wall clock.
const START_MS: i64 = 1_704_067_200_000;

#[derive(Debug)]
pub(super) struct Clock {
    wall_ms: AtomicI64,
    since_boot_ns: AtomicU64,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock::booted_at(START_MS)
    }

    /// The clock after a start of the machine: the wall clock continues, the monotonic clock restarts.
    pub(super) fn booted_at(wall_ms: i64) -> Clock {
        Clock {
            wall_ms: AtomicI64::new(wall_ms),
            since_boot_ns: AtomicU64::new(0),
        }
    }

    pub(super) fn wall_ms(&self) -> i64 {
        self.wall_ms.load(Ordering::SeqCst)
    }

    pub(super) fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.since_boot_ns.load(Ordering::SeqCst))
    }

    pub(super) fn set_wall_ms(&self, ms: i64) {
        self.wall_ms.store(ms, Ordering::SeqCst);
    }

    pub(super) fn jump_wall_ms(&self, by_ms: i64) {
        self.wall_ms.fetch_add(by_ms, Ordering::SeqCst);
    }

    pub(super) fn advance(&self, by: Duration) {
        self.since_boot_ns
            .fetch_add(by.as_nanos() as u64, Ordering::SeqCst);
        self.jump_wall_ms(by.as_millis() as i64);
    }
}
