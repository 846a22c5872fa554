//! Counts the requests of a client, and the records that it has skipped.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::metrics::RequestMetrics;
use crate::transport::Node;

/// The counters that all lanes of a client share. May be used concurrently.
#[derive(Debug, Default)]
pub(crate) struct RequestCounters {
    requests: AtomicU64,
    errors: AtomicU64,
    retries: AtomicU64,
    skipped_records: AtomicU64,
    throttle_times: Mutex<HashMap<Node, Duration>>,
}

impl RequestCounters {
    pub(crate) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts records that `on_error="skip"` has skipped.
    pub(crate) fn count_skipped(&self, records: u64) {
        self.skipped_records.fetch_add(records, Ordering::Relaxed);
    }

    pub(crate) fn skipped_records(&self) -> u64 {
        self.skipped_records.load(Ordering::Relaxed)
    }

    /// Adds the throttle time of a node.
    pub(crate) fn add_throttle_time(&self, node: Node, time: Duration) {
        if !time.is_zero() {
            *self.throttle_times.lock().entry(node).or_default() += time;
        }
    }

    /// The throttle time of one node.
    pub(crate) fn throttle_time(&self, node: Node) -> Duration {
        self.throttle_times
            .lock()
            .get(&node)
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn snapshot(&self) -> RequestMetrics {
        RequestMetrics {
            requests: self.requests.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            throttle_time: self.throttle_times.lock().values().sum(),
        }
    }
}
