//! What goes in and out of a log.

use bytes::Bytes;
use headwater_record::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

/// What is known of a log before it is opened: the checkpoints of its data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenState {
    /// Was the directory closed in order? Then nothing is read that need not be.
    pub clean_shutdown: bool,
    /// Has the machine run on since the directory was last written? Then nothing that was written is lost, and a hole in the log is damage.
    pub same_boot: bool,
    /// First offset not known to be fsynced; 0 when unknown.
    pub recovery_point: Offset,
    /// First offset that may be read; 0 when unknown (the first segment decides).
    pub log_start_offset: Offset,
    /// First offset that was not cleaned (`cleaner-offset-checkpoint`); `None` when the log was never compacted, and then a gap in its
    /// offsets is damage unless `cleanup.policy` says otherwise.
    pub cleaner_checkpoint: Option<Offset>,
    /// The newest leader epoch of the partition; `None` when unknown. The log cannot have a newer one.
    pub leader_epoch: Option<LeaderEpoch>,
}

impl OpenState {
    /// A partition of which no checkpoint is known: everything is checked.
    pub const UNKNOWN: Self = Self {
        clean_shutdown: false,
        same_boot: false,
        recovery_point: Offset::ZERO,
        log_start_offset: Offset::ZERO,
        cleaner_checkpoint: None,
        leader_epoch: None,
    };
}

/// Where batches went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Offset of the first record.
    pub base_offset: Offset,
    /// Offset of the last record.
    pub last_offset: Offset,
    /// The time the log gave them, when `message.timestamp.type` says so.
    pub log_append_time_ms: Option<i64>,
    /// First offset that may be read.
    pub log_start_offset: Offset,
    /// The producer had sent this batch before: these are the offsets of then, nothing was written.
    pub duplicate: bool,
    /// The records may be acknowledged only after [`wait_flushed`](crate::PartitionLog::wait_flushed) of
    /// [`next_offset`](Self::next_offset): `flush.messages` is reached.
    pub flush_required: bool,
}

impl Appended {
    /// The offset after the last record.
    pub fn next_offset(&self) -> Offset {
        self.last_offset + 1
    }
}

/// What a read gives: bytes of one segment.
#[derive(Debug, Clone)]
pub struct Read {
    /// Batches, one after the other; empty at the end of the log. The first may begin before the offset asked for, the last may be cut.
    pub bytes: Bytes,
    /// Base offset of the first batch; the offset asked for when there are no bytes.
    pub start: Offset,
    /// First offset that may be read.
    pub log_start_offset: Offset,
    /// Next offset to be written.
    pub log_end_offset: Offset,
}

/// A record found by its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordPosition {
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp.
    pub timestamp_ms: i64,
    /// The leader epoch of its batch.
    pub leader_epoch: LeaderEpoch,
}

/// Where a leader epoch ends (KIP-101, KIP-279).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochEnd {
    /// The largest epoch in the log that is not larger than the one asked for.
    pub leader_epoch: LeaderEpoch,
    /// The first offset of the epoch after it, or the end of the log.
    pub end_offset: Offset,
}

/// Facts about one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its first possible offset; its name.
    pub base_offset: Offset,
    /// The offset after its last.
    pub end_offset: Offset,
    /// Bytes of its log file.
    pub size_bytes: u64,
    /// The greatest timestamp in it, `None` when it has no record with one.
    pub max_timestamp_ms: Option<i64>,
    /// Last change of its log file, wall clock.
    pub modified_ms: i64,
    /// Is it the one that is written?
    pub is_active: bool,
}

/// A segment that retention took out of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletedSegment {
    /// Its first offset.
    pub base_offset: Offset,
    /// The offset after its last.
    pub end_offset: Offset,
    /// Bytes of its log file.
    pub size_bytes: u64,
    /// Why it went.
    pub reason: DeletionReason,
}

/// Why a segment may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeletionReason {
    /// `retention.ms`: its newest record is too old.
    RetentionTime,
    /// `retention.bytes`: the log is larger than it may be, even without this segment.
    RetentionSize,
    /// `delete_records` moved the start of the log past it.
    BeforeLogStart,
    /// The caller asked for space.
    Exhaustion,
}

/// A producer whose sequence numbers the log remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerSummary {
    /// The producer.
    pub producer_id: ProducerId,
    /// Its newest epoch.
    pub producer_epoch: ProducerEpoch,
    /// Sequence number of its last record, `None` before the first of this epoch.
    pub last_sequence: Option<i32>,
    /// Offset of its last record.
    pub last_offset: Option<Offset>,
    /// Timestamp of its last batch.
    pub last_timestamp_ms: i64,
    /// Epoch of the coordinator that ended its last transaction.
    pub coordinator_epoch: Option<i32>,
    /// First offset of its open transaction.
    pub current_transaction_first_offset: Option<Offset>,
}
