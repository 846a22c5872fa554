//! The memory of all clients' requests and responses, limited by `queued.max.request.bytes`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_record::DecompressLimit;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

/// The memory of a connection that is not counted. It is enough for small requests and their responses, so these are
/// served even if the memory is exhausted.
pub const FREE_BYTES: usize = 64 * 1024;

/// Batches up to this decompressed size are decompressed concurrently and not counted.
pub(crate) const USUAL_DECOMPRESSION: DecompressLimit = DecompressLimit::new(4 << 20);

/// Accounts for the memory of requests and responses. It allocates nothing: connections and handlers report their use,
/// and check the limit before they use more.
#[derive(Debug)]
pub struct RequestMemory {
    limit: usize,
    used: AtomicUsize,
    /// The part of `used` that belongs to group members.
    of_members: AtomicUsize,
    freed: Arc<Notify>,
    /// Serialises the decompression of batches larger than usual.
    decompression_turn: Mutex<()>,
}

/// Group members may use one part in this many of the limit, which leaves the rest for requests.
const MEMBERS_PART: usize = 4;

impl RequestMemory {
    /// An account with a limit in bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            used: AtomicUsize::new(0),
            of_members: AtomicUsize::new(0),
            freed: Arc::default(),
            decompression_turn: Mutex::new(()),
        }
    }

    /// Whether more memory may be used. Concurrent callers may together exceed the limit by one request each.
    pub fn has_room(&self) -> bool {
        self.available() > 0
    }

    /// The unused bytes.
    pub fn available(&self) -> usize {
        self.limit.saturating_sub(self.used())
    }

    /// The used bytes.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    /// The limit in bytes.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Notified when memory is available again.
    pub fn freed(&self) -> &Arc<Notify> {
        &self.freed
    }

    /// Reserves memory for a handler until the reservation is dropped.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: usize) -> MemoryReservation {
        self.take(bytes);
        MemoryReservation {
            memory: Arc::clone(self),
            bytes,
            holder: Holder::Handler,
        }
    }

    /// Waits for other decompressions larger than usual, and reserves the memory for this one.
    pub(crate) fn turn_to_decompress(
        self: &Arc<Self>,
        limit: DecompressLimit,
    ) -> DecompressionTurn<'_> {
        let turn = self.decompression_turn.lock();
        DecompressionTurn {
            _reservation: self.reserve(limit.get()),
            _turn: turn,
        }
    }

    /// Reserves memory for group members; `None` if their share is exhausted. The caller drops `replaced` bytes of
    /// other reservations afterwards.
    pub(crate) fn reserve_for_members(
        self: &Arc<Self>,
        bytes: usize,
        replaced: usize,
    ) -> Option<MemoryReservation> {
        let held = self.reserve_for_loaded_members(bytes);
        let after = self.of_members.load(Ordering::Acquire);
        let has_room = after.saturating_sub(replaced) <= self.limit / MEMBERS_PART;
        (has_room || bytes <= replaced).then_some(held)
    }

    /// Reserves memory for group members that were loaded from the log, even beyond their share.
    pub(crate) fn reserve_for_loaded_members(self: &Arc<Self>, bytes: usize) -> MemoryReservation {
        self.of_members.fetch_add(bytes, Ordering::AcqRel);
        self.take(bytes);
        MemoryReservation {
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

/// Permission to decompress a batch larger than usual. Its memory is reserved until this is dropped.
#[derive(Debug)]
pub(crate) struct DecompressionTurn<'a> {
    _reservation: MemoryReservation,
    _turn: MutexGuard<'a, ()>,
}

/// Reserved memory, released when this is dropped.
#[derive(Debug)]
pub(crate) struct MemoryReservation {
    memory: Arc<RequestMemory>,
    bytes: usize,
    holder: Holder,
}

impl MemoryReservation {
    /// The size in bytes.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The kind of owner of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Handler,
    Member,
}

impl Drop for MemoryReservation {
    fn drop(&mut self) {
        if self.holder == Holder::Member {
            let of_members = &self.memory.of_members;
            of_members.fetch_sub(self.bytes, Ordering::AcqRel);
        }
        self.memory.give_back(self.bytes);
    }
}

/// The memory of one connection, released when this is dropped.
#[derive(Debug)]
pub struct ConnectionMemory {
    memory: Arc<RequestMemory>,
    counted: usize,
}

impl ConnectionMemory {
    /// A connection without memory.
    pub fn new(memory: Arc<RequestMemory>) -> Self {
        Self { memory, counted: 0 }
    }

    /// Sets the memory of the connection to `held` bytes.
    pub fn set(&mut self, held: usize) {
        let counted = held.saturating_sub(FREE_BYTES);
        if counted > self.counted {
            self.memory.take(counted - self.counted);
        } else if counted < self.counted {
            self.memory.give_back(self.counted - counted);
        }
        self.counted = counted;
    }

    /// Whether the connection may use more than its current `held` bytes.
    pub fn may_grow(&self, held: usize) -> bool {
        held <= FREE_BYTES || self.memory.has_room()
    }

    /// The account of all connections.
    pub fn account(&self) -> &Arc<RequestMemory> {
        &self.memory
    }
}

impl Drop for ConnectionMemory {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_connections_are_not_counted_and_large_ones_release_their_memory() {
        let memory = Arc::new(RequestMemory::new(FREE_BYTES));
        let mut small = ConnectionMemory::new(Arc::clone(&memory));
        small.set(FREE_BYTES);
        assert_eq!(memory.used(), 0);
        let mut large = ConnectionMemory::new(Arc::clone(&memory));
        large.set(2 * FREE_BYTES);
        assert!(!memory.has_room());
        assert!(
            small.may_grow(FREE_BYTES),
            "small connections can always grow"
        );
        assert!(!small.may_grow(FREE_BYTES + 1));
        drop(large);
        assert_eq!(memory.available(), FREE_BYTES);
    }

    #[test]
    fn group_members_reserve_at_most_a_quarter_and_release_it() {
        let memory = Arc::new(RequestMemory::new(400));
        let first = memory.reserve_for_members(60, 0).unwrap();
        assert!(memory.reserve_for_members(41, 0).is_none());
        let second = memory.reserve_for_members(40, 0).unwrap();
        assert_eq!(memory.used(), 100);
        drop(first);
        let third = memory.reserve_for_members(60, 0).unwrap();
        drop((second, third));
        assert_eq!(memory.used(), 0);
        let loaded = memory.reserve_for_loaded_members(150);
        assert!(memory.reserve_for_members(1, 0).is_none());
        assert!(memory.reserve_for_members(151, 150).is_none());
        let fewer = memory.reserve_for_members(149, 150).unwrap();
        drop(loaded);
        assert_eq!((memory.used(), fewer.bytes()), (149, 149));
    }

    #[tokio::test]
    async fn waiters_are_woken_when_memory_is_released() {
        let memory = Arc::new(RequestMemory::new(1));
        let mut large = ConnectionMemory::new(Arc::clone(&memory));
        large.set(FREE_BYTES + 1);
        let freed = Arc::clone(&memory.freed).notified_owned();
        large.set(FREE_BYTES);
        freed.await;
        assert!(memory.has_room());
    }
}
