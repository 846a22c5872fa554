//! `buffer.memory`: a budget for the bytes of unsent records.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// A budget of bytes. Acquiring never waits; on failure, the caller may wait for a release. May be used concurrently.
#[derive(Debug)]
pub(crate) struct Memory {
    total: usize,
    free: AtomicUsize,
    freed: Notify,
}

impl Memory {
    pub(crate) fn new(total: usize) -> Self {
        Self {
            total,
            free: AtomicUsize::new(total),
            freed: Notify::new(),
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
    pub(crate) async fn wait_for(&self, bytes: usize) {
        loop {
            let freed = self.freed.notified();
            if self.free.load(Ordering::Acquire) >= bytes.min(self.total) {
                return;
            }
            freed.await;
        }
    }
}
