//! Counts requests, responses and bytes per broker.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use headwater_client::{BrokerMetrics, LatencyWindow};
use parking_lot::Mutex;

/// The counters of one address, which its connections on all lanes share. May be used concurrently.
#[derive(Debug)]
pub(crate) struct BrokerMeter {
    connections: AtomicU64,
    opened: AtomicU64,
    failed: AtomicU64,
    requests: AtomicU64,
    responses: AtomicU64,
    errors: AtomicU64,
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
    latency: Mutex<LatencyWindow>,
}

impl BrokerMeter {
    pub(crate) fn new() -> Self {
        Self {
            connections: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            responses: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            bytes_sent: AtomicU64::new(0),
            bytes_received: AtomicU64::new(0),
            latency: Mutex::new(LatencyWindow::new(Instant::now())),
        }
    }

    pub(crate) fn count_opened(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_closed(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts a failed attempt to open a connection.
    pub(crate) fn count_failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a written request that has no response.
    pub(crate) fn count_unanswered(&self) {
        self.responses.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a response of `bytes` that arrived `latency` after its request.
    pub(crate) fn count_response(&self, bytes: usize, latency: Duration) {
        self.responses.fetch_add(1, Ordering::Relaxed);
        self.bytes_received
            .fetch_add(bytes as u64, Ordering::Relaxed);
        self.latency.lock().record(latency, Instant::now());
    }

    /// Counts requests that ended with their connection.
    pub(crate) fn count_errors(&self, requests: usize) {
        self.errors.fetch_add(requests as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_sent(&self, bytes: usize) {
        self.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self, address: String, id: Option<i32>) -> BrokerMetrics {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // Read the ends before the starts, so that no request appears to end before it started.
        let (responses, errors) = (count(&self.responses), count(&self.errors));
        let requests = count(&self.requests);
        BrokerMetrics {
            id,
            address,
            connections: count(&self.connections),
            connections_opened: count(&self.opened),
            connections_failed: count(&self.failed),
            requests,
            errors,
            in_flight: requests.saturating_sub(responses + errors),
            bytes_sent: count(&self.bytes_sent),
            bytes_received: count(&self.bytes_received),
            latency: self.latency.lock().summary(Instant::now()),
            throttle_time: Duration::ZERO,
        }
    }
}
