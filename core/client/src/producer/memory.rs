//! `buffer.memory`: how many bytes of unsent records there may be.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// A budget of bytes. Taking never waits; who gets nothing may wait until something was given back.
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

    /// All that there is, taken or not.
    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// Takes `bytes`, if so many are free.
    pub(crate) fn try_take(&self, bytes: usize) -> bool {
        let taken = self
            .free
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |free| {
                free.checked_sub(bytes)
            });
        taken.is_ok()
    }

    /// Gives `bytes` back that were taken.
    pub(crate) fn give_back(&self, bytes: usize) {
        let before = self.free.fetch_add(bytes, Ordering::Release);
        debug_assert!(
            before + bytes <= self.total,
            "more given back than was taken"
        );
        self.freed.notify_waiters();
    }

    /// Waits until `bytes` were free for a moment. Somebody else may take them first: try, and wait again.
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
