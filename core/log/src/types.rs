//! The input and output types of a log.

use bytes::Bytes;
use headwater_record::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

/// The knowledge about a log before it is opened: the checkpoints of its data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenState {
    /// Whether the directory was closed in order. Then opening reads almost nothing.
    pub clean_shutdown: bool,
    /// Whether the machine has not restarted since the directory was last written. Then no write is lost, and a hole in
    /// the log is damage.
    pub same_boot: bool,
    /// The first offset that is not known to be fsynced; 0 if unknown.
    pub recovery_point: Offset,
    /// The first offset that may be read; 0 if unknown (the first segment decides).
    pub log_start_offset: Offset,
    /// The first offset that was not cleaned (`cleaner-offset-checkpoint`); `None` if the log was never compacted. Then
    /// a gap in its offsets is damage, unless `cleanup.policy` includes compaction.
    pub cleaner_checkpoint: Option<Offset>,
    /// The newest leader epoch of the partition; `None` if unknown. The log cannot have a newer one.
    pub leader_epoch: Option<LeaderEpoch>,
}

impl OpenState {
    /// The state of a partition without checkpoints: everything is checked.
    pub const UNKNOWN: Self = Self {
        clean_shutdown: false,
        same_boot: false,
        recovery_point: Offset::ZERO,
        log_start_offset: Offset::ZERO,
        cleaner_checkpoint: None,
        leader_epoch: None,
    };
}

/// The result of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Offset of the first record.
    pub base_offset: Offset,
    /// Offset of the last record.
    pub last_offset: Offset,
    /// The timestamp that the log assigned, if `message.timestamp.type` is `LogAppendTime`.
    pub log_append_time_ms: Option<i64>,
    /// First offset that may be read.
    pub log_start_offset: Offset,
    /// The batch is a repeat. Nothing was written, and the offsets are those of the first append.
    pub duplicate: bool,
    /// The records may be acknowledged only after [`wait_flushed`](crate::PartitionLog::wait_flushed) of
    /// [`next_offset`](Self::next_offset), because `flush.messages` is reached.
    pub flush_required: bool,
}

impl Appended {
    /// The offset after the last record.
    pub fn next_offset(&self) -> Offset {
        self.last_offset + 1
    }
}

/// The result of a read: bytes of one segment.
#[derive(Debug, Clone)]
pub struct Read {
    /// Consecutive batches; empty at the end of the log. The first may begin before the requested offset, the last may
    /// be cut.
    pub bytes: Bytes,
    /// The base offset of the first batch; the requested offset if there are no bytes.
    pub start: Offset,
    /// First offset that may be read.
    pub log_start_offset: Offset,
    /// Next offset to be written.
    pub log_end_offset: Offset,
}

/// A record found by its timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordPosition {
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp.
    pub timestamp_ms: i64,
    /// The leader epoch of its batch.
    pub leader_epoch: LeaderEpoch,
}

/// The end of a leader epoch (KIP-101, KIP-279).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochEnd {
    /// The largest epoch in the log that is not larger than the requested one.
    pub leader_epoch: LeaderEpoch,
    /// The first offset of the epoch after it, or the end of the log.
    pub end_offset: Offset,
}

/// A description of one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentInfo {
    /// The lowest offset that it may contain; its name.
    pub base_offset: Offset,
    /// The offset after its last record.
    pub end_offset: Offset,
    /// The size of its log file in bytes.
    pub size_bytes: u64,
    /// The greatest timestamp in it; `None` if no record has one.
    pub max_timestamp_ms: Option<i64>,
    /// The last change of its log file, wall clock.
    pub modified_ms: i64,
    /// Whether it takes the appends.
    pub is_active: bool,
}

/// A segment that was removed from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletedSegment {
    /// Its base offset.
    pub base_offset: Offset,
    /// The offset after its last record.
    pub end_offset: Offset,
    /// The size of its log file in bytes.
    pub size_bytes: u64,
    /// Why it was removed.
    pub reason: DeletionReason,
}

/// Why a segment was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeletionReason {
    /// `retention.ms`: its newest record is too old.
    RetentionTime,
    /// `retention.bytes`: the log exceeds the limit even without this segment.
    RetentionSize,
    /// `delete_records` moved the log start offset past it.
    BeforeLogStart,
    /// The caller requested space.
    Exhaustion,
}

/// A producer whose sequence numbers the log keeps.
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
