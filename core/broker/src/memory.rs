//! The bytes that the requests of all clients hold together: `queued.max.request.bytes`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_record::DecompressLimit;
use tokio::sync::Notify;

/// What a connection may hold without being counted: enough for small requests and their answers, so that these are served however
/// short memory is.
pub const FREE_BYTES: usize = 64 * 1024;

/// Batches that decompress to no more than this are decompressed by any number of threads at once, and not counted.
pub(crate) const USUAL_DECOMPRESSION: DecompressLimit = DecompressLimit::new(4 << 20);

/// The broker's memory for requests and answers. It is an account, not an allocator: connections and handlers say what they hold, and
/// ask before they hold more.
#[derive(Debug)]
pub struct Memory {
    limit: usize,
    used: AtomicUsize,
    /// Of `used`, what members of groups hold.
    of_members: AtomicUsize,
    freed: Arc<Notify>,
}

/// Members of groups may hold this part of the account, so that they leave room for requests.
const MEMBERS_PART: usize = 4;

impl Memory {
    /// An account of so many bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            used: AtomicUsize::new(0),
            of_members: AtomicUsize::new(0),
            freed: Arc::default(),
        }
    }

    /// Whether somebody may hold more. Who was told so at the same time as others may together exceed the limit by one request each.
    pub fn has_room(&self) -> bool {
        self.left() > 0
    }

    /// How much is left.
    pub fn left(&self) -> usize {
        self.limit.saturating_sub(self.used())
    }

    /// How much is used.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    /// How much there is in all.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Told when there is room again.
    pub fn freed(&self) -> &Arc<Notify> {
        &self.freed
    }

    /// Counts bytes that a handler holds until what it gets is dropped.
    pub(crate) fn hold(self: &Arc<Self>, bytes: usize) -> Held {
        self.take(bytes);
        Held {
            memory: Arc::clone(self),
            bytes,
            holder: Holder::Handler,
        }
    }

    /// Counts bytes that members of groups hold; `None` if they hold too much already. `replaced` of these bytes are counted by what the
    /// caller drops when it has the answer.
    pub(crate) fn hold_for_members(
        self: &Arc<Self>,
        bytes: usize,
        replaced: usize,
    ) -> Option<Held> {
        let held = self.hold_for_loaded_members(bytes);
        let after = self.of_members.load(Ordering::Acquire);
        let has_room = after.saturating_sub(replaced) <= self.limit / MEMBERS_PART;
        (has_room || bytes <= replaced).then_some(held)
    }

    /// Counts bytes that members hold who joined before a restart, however many these are.
    pub(crate) fn hold_for_loaded_members(self: &Arc<Self>, bytes: usize) -> Held {
        self.of_members.fetch_add(bytes, Ordering::AcqRel);
        self.take(bytes);
        Held {
            memory: Arc::clone(self),
            bytes,
            holder: Holder::Member,
        }
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

/// Bytes that are counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    memory: Arc<Memory>,
    bytes: usize,
    holder: Holder,
}

impl Held {
    /// How many bytes.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Who holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Handler,
    Member,
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.holder == Holder::Member {
            let of_members = &self.memory.of_members;
            of_members.fetch_sub(self.bytes, Ordering::AcqRel);
        }
        self.memory.give_back(self.bytes);
    }
}

/// One connection's part of the account; given back when it is dropped.
#[derive(Debug)]
pub struct Holding {
    memory: Arc<Memory>,
    counted: usize,
}

impl Holding {
    /// Nothing yet.
    pub fn new(memory: Arc<Memory>) -> Self {
        Self { memory, counted: 0 }
    }

    /// Says how many bytes are held now.
    pub fn set(&mut self, held: usize) {
        let counted = held.saturating_sub(FREE_BYTES);
        if counted > self.counted {
            self.memory.take(counted - self.counted);
        } else if counted < self.counted {
            self.memory.give_back(self.counted - counted);
        }
        self.counted = counted;
    }

    /// Whether more may be held than the `held` bytes now.
    pub fn may_grow(&self, held: usize) -> bool {
        held <= FREE_BYTES || self.memory.has_room()
    }

    /// The account.
    pub fn memory(&self) -> &Arc<Memory> {
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

    #[test]
    fn members_of_groups_hold_a_quarter_at_most_and_give_it_back() {
        let memory = Arc::new(Memory::new(400));
        let first = memory.hold_for_members(60, 0).unwrap();
        assert!(memory.hold_for_members(41, 0).is_none());
        let second = memory.hold_for_members(40, 0).unwrap();
        assert_eq!(memory.used(), 100);
        drop(first);
        let third = memory.hold_for_members(60, 0).unwrap();
        drop((second, third));
        assert_eq!(memory.used(), 0);
        let loaded = memory.hold_for_loaded_members(150);
        assert!(memory.hold_for_members(1, 0).is_none());
        assert!(memory.hold_for_members(151, 150).is_none());
        let fewer = memory.hold_for_members(149, 150).unwrap();
        drop(loaded);
        assert_eq!((memory.used(), fewer.bytes()), (149, 149));
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
