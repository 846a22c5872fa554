//! When a client starts again from its bootstrap addresses (KIP-899, KIP-1102).

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// `metadata.recovery.strategy`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryStrategy {
    /// The client uses the brokers from metadata only.
    None,
    /// The client returns to its bootstrap addresses: when no known broker can be reached, when a broker requires it,
    /// and after metadata requests without a response for this time (`metadata.recovery.rebootstrap.trigger.ms`).
    Rebootstrap(Duration),
}

/// Watches the metadata requests of a client. May be used concurrently.
#[derive(Debug)]
pub(crate) struct Recovery {
    strategy: RecoveryStrategy,
    /// When the first request failed since the last response with brokers.
    failing_since: Mutex<Option<Instant>>,
}

impl Recovery {
    pub(crate) fn new(strategy: RecoveryStrategy) -> Self {
        Self {
            strategy,
            failing_since: Mutex::default(),
        }
    }

    /// Whether the client may return to its bootstrap addresses.
    pub(crate) fn uses_bootstrap_again(&self) -> bool {
        self.strategy != RecoveryStrategy::None
    }

    /// Whether requests have failed for so long that the client must return to its bootstrap addresses now.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let RecoveryStrategy::Rebootstrap(trigger) = self.strategy else {
            return false;
        };
        let mut failing_since = self.failing_since.lock();
        let is_due = failing_since.is_some_and(|since| now - since > trigger);
        if is_due {
            *failing_since = Some(now);
        }
        is_due
    }

    /// Begins a request. It fails if it is dropped after (nearly) `timeout`. Dropping it earlier has no effect: the
    /// caller has stopped waiting.
    pub(crate) fn attempt(&self, timeout: Duration) -> Attempt<'_> {
        Attempt {
            recovery: self,
            started: Instant::now(),
            timeout,
            is_over: false,
        }
    }

    fn failed(&self, started: Instant) {
        self.failing_since.lock().get_or_insert(started);
    }

    fn answered(&self) {
        *self.failing_since.lock() = None;
    }
}

/// A metadata request.
pub(crate) struct Attempt<'a> {
    recovery: &'a Recovery,
    started: Instant,
    timeout: Duration,
    is_over: bool,
}

impl Attempt<'_> {
    /// Ends it with a response that has brokers.
    pub(crate) fn answered(mut self) {
        self.is_over = true;
        self.recovery.answered();
    }

    /// Ends it without one.
    pub(crate) fn failed(mut self) {
        self.is_over = true;
        self.recovery.failed(self.started);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        // The caller's time limit started slightly earlier.
        if !self.is_over && self.started.elapsed() >= self.timeout.mul_f64(0.9) {
            self.recovery.failed(self.started);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIGGER: Duration = Duration::from_secs(10);
    const TIMEOUT: Duration = Duration::from_secs(3);

    fn is_due_after(recovery: &Recovery, time: Duration) -> bool {
        recovery.is_due(Instant::now() + time)
    }

    #[test]
    fn requests_that_fail_for_the_trigger_time_lead_back_to_bootstrap() {
        let recovery = Recovery::new(RecoveryStrategy::Rebootstrap(TRIGGER));
        assert!(!is_due_after(&recovery, 2 * TRIGGER), "nothing failed");
        recovery.attempt(TIMEOUT).failed();
        assert!(!is_due_after(&recovery, TRIGGER / 2));
        assert!(is_due_after(&recovery, 2 * TRIGGER));
        assert!(
            !is_due_after(&recovery, 2 * TRIGGER),
            "the time starts again"
        );
        assert!(is_due_after(&recovery, 4 * TRIGGER));
        recovery.attempt(TIMEOUT).answered();
        assert!(!is_due_after(&recovery, 9 * TRIGGER));
    }

    #[test]
    fn a_caller_that_stops_waiting_early_does_not_count_as_a_failure() {
        let recovery = Recovery::new(RecoveryStrategy::Rebootstrap(TRIGGER));
        drop(recovery.attempt(TIMEOUT));
        assert!(!is_due_after(&recovery, 2 * TRIGGER));
        drop(recovery.attempt(Duration::ZERO));
        assert!(
            is_due_after(&recovery, 2 * TRIGGER),
            "it waited long enough"
        );
    }

    #[test]
    fn the_strategy_none_never_leads_back() {
        let recovery = Recovery::new(RecoveryStrategy::None);
        recovery.attempt(TIMEOUT).failed();
        assert!(!is_due_after(&recovery, 1_000 * TRIGGER));
    }
}
