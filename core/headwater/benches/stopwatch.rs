//! Wall time and processor time.

use std::fs;
use std::ops::AddAssign;
use std::time::{Duration, Instant};

/// Measures this thread.
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu: Duration,
}

/// The time of a run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RunTime {
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

    pub(crate) fn spent(&self) -> RunTime {
        RunTime {
            wall: self.wall.elapsed(),
            cpu: on_processor().saturating_sub(self.cpu),
        }
    }
}

impl RunTime {
    pub(crate) const MAX: Self = Self {
        wall: Duration::MAX,
        cpu: Duration::MAX,
    };

    /// A fixed limit.
    pub(crate) fn allowed(time: Duration) -> Self {
        Self {
            wall: time,
            cpu: time,
        }
    }

    /// The better of two runs, separately for each time.
    pub(crate) fn min(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            cpu: self.cpu.min(other.cpu),
        }
    }
}

impl AddAssign for RunTime {
    fn add_assign(&mut self, other: Self) {
        self.wall += other.wall;
        self.cpu += other.cpu;
    }
}

/// The processor time of this thread, in user and kernel mode.
fn on_processor() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}
