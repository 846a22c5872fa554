//! What a topic's configuration says to its logs.

use headwater_record::TimestampType;

/// What may be removed from the start of a log: `cleanup.policy`, both may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CleanupPolicy {
    /// Whole segments go by time and size (`delete`).
    pub delete: bool,
    /// For each key only the last record stays (`compact`).
    pub compact: bool,
}

impl CleanupPolicy {
    /// `cleanup.policy=delete`, the default.
    pub const DELETE: Self = Self {
        delete: true,
        compact: false,
    };
    /// `cleanup.policy=compact`.
    pub const COMPACT: Self = Self {
        delete: false,
        compact: true,
    };
}

/// The configuration of one log, resolved: Kafka's topic keys, named after them. Changing it never harms what is written.
#[derive(Debug, Clone, PartialEq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment is closed before it grows past this.
    pub segment_bytes: u32,
    /// `segment.ms`: a segment is closed when its records span more than this.
    pub segment_ms: i64,
    /// `segment.jitter.ms`: at most so much is taken off `segment_ms`, by chance, so that many logs do not roll at once.
    pub segment_jitter_ms: i64,
    /// `segment.index.bytes`: a segment is closed when one of its indexes reaches this.
    pub segment_index_bytes: u32,
    /// `index.interval.bytes`: about one index entry for so many bytes of log.
    pub index_interval_bytes: u32,
    /// `retention.ms`; `None` keeps for ever.
    pub retention_ms: Option<i64>,
    /// `retention.bytes`; `None` knows no limit.
    pub retention_bytes: Option<u64>,
    /// `flush.messages`: fsync when so many records are not yet known to be on disk; 1 means before each acknowledgement.
    pub flush_messages: u64,
    /// `flush.ms`: fsync when records wait longer than this.
    pub flush_ms: u64,
    /// `file.delete.delay.ms`: files of deleted segments stay so long under another name.
    pub file_delete_delay_ms: u64,
    /// `max.message.bytes`: the largest batch accepted.
    pub max_message_bytes: u32,
    /// `message.timestamp.type`: who sets the time of a record.
    pub message_timestamp_type: TimestampType,
    /// `cleanup.policy`.
    pub cleanup_policy: CleanupPolicy,
    /// `delete.retention.ms`: a tombstone stays so long after the first cleaning that saw it.
    pub delete_retention_ms: i64,
    /// `min.cleanable.dirty.ratio`: a log is cleaned when a larger part of it is dirty.
    pub min_cleanable_dirty_ratio: f64,
    /// `min.compaction.lag.ms`: a segment with a younger record is not cleaned.
    pub min_compaction_lag_ms: i64,
    /// `max.compaction.lag.ms`: a log with an older dirty record is cleaned; a compacted one is rolled at least so often. `i64::MAX`: never.
    pub max_compaction_lag_ms: i64,
    /// `producer.id.expiration.ms`: the sequence numbers of a silent producer are forgotten after this.
    pub producer_id_expiration_ms: i64,
}

impl LogConfig {
    /// How long records may span a segment: `segment.ms`, and in a compacted log no longer than `max.compaction.lag.ms`, because the active
    /// segment is never cleaned.
    pub(crate) fn segment_ms_max(&self) -> i64 {
        if self.cleanup_policy.compact {
            self.segment_ms.min(self.max_compaction_lag_ms)
        } else {
            self.segment_ms
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        Self {
            segment_bytes: 1 << 30,
            segment_ms: 7 * DAY_MS,
            segment_jitter_ms: 0,
            segment_index_bytes: 10 << 20,
            index_interval_bytes: 4096,
            retention_ms: Some(7 * DAY_MS),
            retention_bytes: None,
            flush_messages: i64::MAX as u64,
            flush_ms: i64::MAX as u64,
            file_delete_delay_ms: 60_000,
            max_message_bytes: 1_048_588,
            message_timestamp_type: TimestampType::CreateTime,
            cleanup_policy: CleanupPolicy::DELETE,
            delete_retention_ms: DAY_MS,
            min_cleanable_dirty_ratio: 0.5,
            min_compaction_lag_ms: 0,
            max_compaction_lag_ms: i64::MAX,
            producer_id_expiration_ms: DAY_MS,
        }
    }
}
