//! What the broker has done since it was opened.

use std::sync::atomic::{AtomicU64, Ordering};

use headwater_log::{DeletedSegment, DeletionReason};

/// Segments and bytes that left for one reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deletions {
    /// How many segments.
    pub segments: u64,
    /// The bytes of their records.
    pub bytes: u64,
}

/// What left the logs since the broker was opened, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeletionCounts {
    /// By `retention.ms`.
    pub retention_time: Deletions,
    /// By `retention.bytes`.
    pub retention_size: Deletions,
    /// By `delete_records`.
    pub delete_records: Deletions,
    /// Because storage was exhausted.
    pub exhaustion: Deletions,
}

#[derive(Debug, Default)]
struct Cell {
    segments: AtomicU64,
    bytes: AtomicU64,
}

/// The counters behind [`DeletionCounts`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    retention_time: Cell,
    retention_size: Cell,
    delete_records: Cell,
    exhaustion: Cell,
}

impl Counters {
    /// A segment has gone.
    pub(crate) fn count(&self, segment: &DeletedSegment) {
        let cell = match segment.reason {
            DeletionReason::RetentionTime => &self.retention_time,
            DeletionReason::RetentionSize => &self.retention_size,
            DeletionReason::BeforeLogStart => &self.delete_records,
            DeletionReason::Exhaustion => &self.exhaustion,
        };
        cell.segments.fetch_add(1, Ordering::Relaxed);
        cell.bytes.fetch_add(segment.size_bytes, Ordering::Relaxed);
    }

    /// The counts now.
    pub(crate) fn deletions(&self) -> DeletionCounts {
        let read = |cell: &Cell| Deletions {
            segments: cell.segments.load(Ordering::Relaxed),
            bytes: cell.bytes.load(Ordering::Relaxed),
        };
        DeletionCounts {
            retention_time: read(&self.retention_time),
            retention_size: read(&self.retention_size),
            delete_records: read(&self.delete_records),
            exhaustion: read(&self.exhaustion),
        }
    }
}
