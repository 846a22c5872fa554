//! Time on the wall and time on a processor.

use std::fs;
use std::ops::AddAssign;
use std::time::{Duration, Instant};

/// Measures this thread.
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu: Duration,
}

/// What something took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        let cpu = on_processor();
        Self {
            wall: Instant::now(),
            cpu,
        }
    }

    pub(crate) fn spent(&self) -> Spent {
        Spent {
            wall: self.wall.elapsed(),
            cpu: on_processor().saturating_sub(self.cpu),
        }
    }
}

impl Spent {
    pub(crate) const MAX: Self = Self {
        wall: Duration::MAX,
        cpu: Duration::MAX,
    };

    /// A limit that is set and not measured.
    pub(crate) fn allowed(time: Duration) -> Self {
        Self {
            wall: time,
            cpu: time,
        }
    }

    /// The better of two runs, each measure by itself.
    pub(crate) fn min(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            cpu: self.cpu.min(other.cpu),
        }
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.wall += other.wall;
        self.cpu += other.cpu;
    }
}

/// How long this thread has run, in the kernel or out of it.
fn on_processor() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}
