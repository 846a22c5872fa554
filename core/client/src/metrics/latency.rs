//! Latencies of the last one to two minutes.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// The length of a window. The summary covers the current and the previous window.
const WINDOW: Duration = Duration::from_mins(1);

/// Two digits: a value is wrong by at most one percent.
const DIGITS: u8 = 2;

/// The maximum recorded latency, one hour. It bounds the memory of a window.
const LONGEST_MICROS: u64 = 3_600_000_000;

/// A summary of latencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LatencySummary {
    /// The number of latencies.
    pub count: u64,
    /// Their mean.
    pub mean: Duration,
    /// Half of them were at most this.
    pub p50: Duration,
    /// 99 % of them were at most this.
    pub p99: Duration,
    /// The longest one.
    pub max: Duration,
}

/// Collects latencies, and drops those older than two minutes.
#[derive(Debug)]
pub struct LatencyWindow {
    current: Histogram<u32>,
    previous: Histogram<u32>,
    since: Instant,
}

impl LatencyWindow {
    /// An empty window that begins at `now`.
    pub fn new(now: Instant) -> Self {
        Self {
            current: histogram(),
            previous: histogram(),
            since: now,
        }
    }

    /// Adds a latency that ended at `now`.
    pub fn record(&mut self, latency: Duration, now: Instant) {
        self.turn(now);
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.current.saturating_record(micros);
    }

    /// The latencies of the last one to two minutes.
    pub fn summary(&mut self, now: Instant) -> LatencySummary {
        self.turn(now);
        let mut both = self.previous.clone();
        // Both histograms have the same bounds, so adding them cannot fail.
        if both.add(&self.current).is_err() || both.is_empty() {
            return LatencySummary::default();
        }
        let micros = Duration::from_micros;
        LatencySummary {
            count: both.len(),
            mean: micros(both.mean() as u64),
            p50: micros(both.value_at_quantile(0.5)),
            p99: micros(both.value_at_quantile(0.99)),
            max: micros(both.max()),
        }
    }

    fn turn(&mut self, now: Instant) {
        let age = now.saturating_duration_since(self.since);
        if age < WINDOW {
            return;
        }
        std::mem::swap(&mut self.current, &mut self.previous);
        self.current.reset();
        if age >= WINDOW * 2 {
            self.previous.reset();
        }
        self.since = now;
    }
}

fn histogram() -> Histogram<u32> {
    match Histogram::new_with_bounds(1, LONGEST_MICROS, DIGITS) {
        Ok(histogram) => histogram,
        Err(error) => unreachable!("these bounds are allowed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_has_the_quantiles_of_the_recorded_latencies() {
        let start = Instant::now();
        let mut window = LatencyWindow::new(start);
        assert_eq!(window.summary(start), LatencySummary::default());
        for micros in 1..=1_000 {
            window.record(Duration::from_micros(micros), start);
        }
        let summary = window.summary(start);
        assert_eq!(summary.count, 1_000);
        for (found, expected) in [
            (summary.mean, 500),
            (summary.p50, 500),
            (summary.p99, 990),
            (summary.max, 1_000),
        ] {
            let off = found.as_micros().abs_diff(expected);
            assert!(off * 50 <= expected, "{found:?} is not {expected} us");
        }
    }

    #[test]
    fn old_latencies_are_dropped() {
        let start = Instant::now();
        let mut window = LatencyWindow::new(start);
        window.record(Duration::from_secs(1), start);
        window.record(Duration::from_secs(2), start + WINDOW);
        assert_eq!(window.summary(start + WINDOW).count, 2);
        assert_eq!(window.summary(start + WINDOW * 2).count, 1);
        assert_eq!(window.summary(start + WINDOW * 4).count, 0);
    }

    #[test]
    fn a_latency_beyond_the_bound_counts_as_the_maximum() {
        let now = Instant::now();
        let mut window = LatencyWindow::new(now);
        window.record(Duration::MAX, now);
        let summary = window.summary(now);
        assert_eq!(summary.count, 1);
        assert!(summary.max >= Duration::from_mins(59), "{summary:?}");
    }
}
