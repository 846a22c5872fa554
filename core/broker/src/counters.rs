//! Counters since the broker was opened.

use std::sync::atomic::{AtomicU64, Ordering};

use headwater_log::{DeletedSegment, DeletionReason};

/// Segments deleted for one reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deletions {
    /// Number of segments.
    pub segments: u64,
    /// Size of their records in bytes.
    pub bytes: u64,
}

/// Deleted segments since the broker was opened, by reason.
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
    /// Counts a deleted segment.
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

    /// A snapshot of the counters.
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
