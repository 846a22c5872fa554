//! The partition for records without a key.
//!
//! They stick to one partition until `batch.size` bytes of them have gone there, then go on with the partition that has had the fewest
//! bytes so far: full batches instead of many small ones, and the same number of bytes for each partition over time, whatever closes the
//! batches (KIP-480, KIP-794).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::queue::PartitionQueue;

/// The partition that records without a key stick to.
#[derive(Debug, Default)]
pub(super) struct Sticky {
    at: AtomicUsize,
    /// The turn ends when so many bytes without a key have gone to the partition.
    turn_end: AtomicU64,
    /// Held while the next partition is chosen.
    moving: Mutex<()>,
}

impl Sticky {
    /// Starts with any partition: producers that start together should not all start with the first one.
    pub(super) fn new(queues: &[Arc<PartitionQueue>], share: usize) -> Self {
        use std::hash::{BuildHasher, RandomState};
        let sticky = Self::default();
        if !queues.is_empty() {
            let first = RandomState::new().hash_one(0) as usize % queues.len();
            sticky.start_turn(queues, first, share);
        }
        sticky
    }

    /// Goes on where another one was, for a topic that may have other partitions now.
    pub(super) fn after(before: &Self, queues: &[Arc<PartitionQueue>]) -> Self {
        let at = before.at.load(Ordering::Relaxed);
        Self {
            at: AtomicUsize::new(if at < queues.len() { at } else { 0 }),
            turn_end: AtomicU64::new(before.turn_end.load(Ordering::Relaxed)),
            moving: Mutex::default(),
        }
    }

    /// The partition for the next record. A turn lasts for about `share` bytes.
    #[inline]
    pub(super) fn partition(&self, queues: &[Arc<PartitionQueue>], share: usize) -> usize {
        let at = self.at.load(Ordering::Relaxed);
        if queues[at].keyless_bytes() < self.turn_end.load(Ordering::Relaxed) {
            return at;
        }
        self.move_on(queues, share)
    }

    #[cold]
    fn move_on(&self, queues: &[Arc<PartitionQueue>], share: usize) -> usize {
        let _moving = self.moving.lock();
        let at = self.at.load(Ordering::Relaxed);
        if queues[at].keyless_bytes() < self.turn_end.load(Ordering::Relaxed) {
            // Another thread has moved on.
            return at;
        }
        // Of equals the next one behind the last.
        let candidates = (1..=queues.len()).map(|step| (at + step) % queues.len());
        let next = candidates
            .min_by_key(|index| queues[*index].keyless_bytes())
            .unwrap_or(at);
        self.start_turn(queues, next, share);
        next
    }

    fn start_turn(&self, queues: &[Arc<PartitionQueue>], partition: usize, share: usize) {
        // A batch is closed when the next record does not fit, so it counts as its whole share from nine tenths on.
        let share = (share - share / 10).max(1) as u64;
        let end = queues[partition].keyless_bytes().saturating_add(share);
        self.turn_end.store(end, Ordering::Relaxed);
        self.at.store(partition, Ordering::Relaxed);
    }
}
