//! The bytes that all connections hold together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// What a connection may hold without being counted: enough for small requests and their answers, so that these are served however
/// short memory is.
pub(crate) const FREE_BYTES: usize = 64 * 1024;

/// One server's memory for requests and answers. It is an account, not an allocator: connections say what they hold, and ask before they
/// hold more.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: usize,
    used: AtomicUsize,
    pub(crate) freed: Arc<Notify>,
}

impl Memory {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            used: AtomicUsize::new(0),
            freed: Arc::default(),
        }
    }

    /// Whether somebody may hold more. Who was told so at the same time as others may together exceed the limit by one request each.
    pub(crate) fn has_room(&self) -> bool {
        self.left() > 0
    }

    /// How much is left.
    pub(crate) fn left(&self) -> usize {
        self.limit.saturating_sub(self.used())
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    fn take(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::AcqRel);
    }

    fn give_back(&self, bytes: usize) {
        let before = self.used.fetch_sub(bytes, Ordering::AcqRel);
        if before >= self.limit && before - bytes < self.limit {
            self.freed.notify_waiters();
        }
    }
}

/// One connection's part of the account; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Holding {
    memory: Arc<Memory>,
    counted: usize,
}

impl Holding {
    pub(crate) fn new(memory: Arc<Memory>) -> Self {
        Self { memory, counted: 0 }
    }

    /// Says how many bytes are held now.
    pub(crate) fn set(&mut self, held: usize) {
        let counted = held.saturating_sub(FREE_BYTES);
        if counted > self.counted {
            self.memory.take(counted - self.counted);
        } else if counted < self.counted {
            self.memory.give_back(self.counted - counted);
        }
        self.counted = counted;
    }

    /// Whether more may be held than the `held` bytes now.
    pub(crate) fn may_grow(&self, held: usize) -> bool {
        held <= FREE_BYTES || self.memory.has_room()
    }

    pub(crate) fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_holdings_are_free_and_large_ones_are_given_back() {
        let memory = Arc::new(Memory::new(FREE_BYTES));
        let mut small = Holding::new(Arc::clone(&memory));
        small.set(FREE_BYTES);
        assert_eq!(memory.used(), 0);
        let mut large = Holding::new(Arc::clone(&memory));
        large.set(2 * FREE_BYTES);
        assert!(!memory.has_room());
        assert!(small.may_grow(FREE_BYTES), "small ones are never starved");
        assert!(!small.may_grow(FREE_BYTES + 1));
        drop(large);
        assert_eq!(memory.left(), FREE_BYTES);
    }

    #[tokio::test]
    async fn whoever_waits_for_room_is_woken_when_there_is_some() {
        let memory = Arc::new(Memory::new(1));
        let mut large = Holding::new(Arc::clone(&memory));
        large.set(FREE_BYTES + 1);
        let freed = Arc::clone(&memory.freed).notified_owned();
        large.set(FREE_BYTES);
        freed.await;
        assert!(memory.has_room());
    }
}
