//! `buffer.memory`: a budget for the bytes of unsent records.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// A budget of bytes. Acquiring never waits; on failure, the caller may wait for a release. May be used concurrently.
#[derive(Debug)]
pub(crate) struct Memory {
    total: usize,
    free: AtomicUsize,
    freed: Notify,
    /// The number of acquisitions.
    taken: AtomicU64,
    /// `taken` when open batches were last sent to make room.
    sent_at: AtomicU64,
}

impl Memory {
    pub(crate) fn new(total: usize) -> Self {
        Self {
            total,
            free: AtomicUsize::new(total),
            freed: Notify::new(),
            taken: AtomicU64::new(0),
            sent_at: AtomicU64::new(0),
        }
    }

    /// The size of the budget.
    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// The bytes that are acquired.
    pub(crate) fn used(&self) -> usize {
        self.total.saturating_sub(self.free.load(Ordering::Relaxed))
    }

    /// Acquires `bytes` if that many are free.
    pub(crate) fn try_take(&self, bytes: usize) -> bool {
        let taken = self
            .free
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |free| {
                free.checked_sub(bytes)
            });
        if taken.is_ok() {
            self.taken.fetch_add(1, Ordering::Release);
        }
        taken.is_ok()
    }

    /// Releases acquired bytes.
    pub(crate) fn release(&self, bytes: usize) {
        let before = self.free.fetch_add(bytes, Ordering::Release);
        debug_assert!(
            before + bytes <= self.total,
            "more bytes released than acquired"
        );
        self.freed.notify_waiters();
    }

    /// Waits until `bytes` are free. Another caller may acquire them first, so try again in a loop.
    ///
    /// Calls `send_all` if memory was acquired since its last call: open batches would keep it until `linger.ms` has
    /// passed.
    pub(crate) async fn wait_for(&self, bytes: usize, send_all: impl Fn()) {
        loop {
            let freed = self.freed.notified();
            if self.free.load(Ordering::Acquire) >= bytes.min(self.total) {
                return;
            }
            let taken = self.taken.load(Ordering::Acquire);
            if self.sent_at.swap(taken, Ordering::AcqRel) != taken {
                send_all();
            }
            freed.await;
        }
    }
}
