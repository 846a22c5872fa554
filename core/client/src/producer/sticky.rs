//! The partition for records without a key.
//!
//! They stay on one partition for `batch.size` bytes, and then switch to the partition with the fewest bytes so far.
//! This fills batches, and gives every partition the same number of bytes over time (KIP-480, KIP-794).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::partition_queue::PartitionQueue;

/// The current partition for records without a key. May be used concurrently.
#[derive(Debug, Default)]
pub(super) struct Sticky {
    current: AtomicUsize,
    /// The partition changes when its bytes without a key reach this.
    turn_end: AtomicU64,
    /// Held while the next partition is chosen.
    change_lock: Mutex<()>,
}

impl Sticky {
    /// Starts with a random partition, so that producers that start together do not all use the first one.
    pub(super) fn new(queues: &[Arc<PartitionQueue>], turn_bytes: usize) -> Self {
        use std::hash::{BuildHasher, RandomState};
        let sticky = Self::default();
        if !queues.is_empty() {
            let first = RandomState::new().hash_one(0) as usize % queues.len();
            sticky.start_turn(queues, first, turn_bytes);
        }
        sticky
    }

    /// Continues from `previous` after the partitions of the topic have changed.
    pub(super) fn after(previous: &Self, queues: &[Arc<PartitionQueue>]) -> Self {
        let current = previous.current.load(Ordering::Relaxed);
        Self {
            current: AtomicUsize::new(if current < queues.len() { current } else { 0 }),
            turn_end: AtomicU64::new(previous.turn_end.load(Ordering::Relaxed)),
            change_lock: Mutex::default(),
        }
    }

    /// The partition for the next record. It changes about every `turn_bytes` bytes.
    #[inline]
    pub(super) fn partition(&self, queues: &[Arc<PartitionQueue>], turn_bytes: usize) -> usize {
        let current = self.current.load(Ordering::Relaxed);
        if queues[current].keyless_bytes() < self.turn_end.load(Ordering::Relaxed) {
            return current;
        }
        self.next_partition(queues, turn_bytes)
    }

    #[cold]
    fn next_partition(&self, queues: &[Arc<PartitionQueue>], turn_bytes: usize) -> usize {
        let _guard = self.change_lock.lock();
        let current = self.current.load(Ordering::Relaxed);
        if queues[current].keyless_bytes() < self.turn_end.load(Ordering::Relaxed) {
            // Another thread has changed the partition.
            return current;
        }
        // Among partitions with equal bytes, prefer the next one after the current.
        let candidates = (1..=queues.len()).map(|step| (current + step) % queues.len());
        let next = candidates
            .min_by_key(|index| queues[*index].keyless_bytes())
            .unwrap_or(current);
        self.start_turn(queues, next, turn_bytes);
        next
    }

    fn start_turn(&self, queues: &[Arc<PartitionQueue>], partition: usize, turn_bytes: usize) {
        // A batch is closed when the next record does not fit, so nine tenths count as a full batch.
        let turn_bytes = (turn_bytes - turn_bytes / 10).max(1) as u64;
        let end = queues[partition].keyless_bytes().saturating_add(turn_bytes);
        self.turn_end.store(end, Ordering::Relaxed);
        self.current.store(partition, Ordering::Relaxed);
    }
}
