//! Timers of the state machines of both protocols: time since the last poll, and pauses between attempts.

use std::time::{Duration, Instant};

use crate::config::RetryConfig;

/// The time since the last poll, limited by `max.poll.interval.ms`.
#[derive(Debug)]
pub(super) struct PollTimer {
    max_poll_interval: Duration,
    /// `None` before the first poll.
    last_poll: Option<Instant>,
}

impl PollTimer {
    pub(super) const fn new(max_poll_interval: Duration) -> Self {
        Self {
            max_poll_interval,
            last_poll: None,
        }
    }

    /// Records a poll. Returns whether the previous one was too long ago.
    pub(super) fn polled(&mut self, now: Instant) -> bool {
        let had_expired = self.is_expired(now);
        self.last_poll = Some(now);
        had_expired
    }

    /// Whether `max.poll.interval.ms` has passed since the last poll, or there was none.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.deadline().is_none_or(|deadline| now >= deadline)
    }

    /// When it expires; `None` before the first poll.
    pub(super) fn deadline(&self) -> Option<Instant> {
        Some(self.last_poll? + self.max_poll_interval)
    }
}

/// Growing pauses between failed attempts.
#[derive(Debug)]
pub(super) struct Backoff {
    retry: RetryConfig,
    failures: u32,
    until: Option<Instant>,
}

impl Backoff {
    pub(super) const fn new(retry: RetryConfig) -> Self {
        Self {
            retry,
            failures: 0,
            until: None,
        }
    }

    /// Pauses before the next attempt.
    pub(super) fn failed(&mut self, now: Instant) {
        self.failures += 1;
        self.until = Some(now + self.retry.jittered_pause(self.failures));
    }

    /// Resets the next pause to the first one.
    pub(super) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The end of the pause, unless it is over.
    pub(super) fn pending(&mut self, now: Instant) -> Option<Instant> {
        self.until = self.until.filter(|until| now < *until);
        self.until
    }

    /// The longest pause.
    pub(super) const fn longest(&self) -> Duration {
        self.retry.backoff_max
    }
}
