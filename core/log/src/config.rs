//! The configuration of a log, from its topic.

use headwater_record::TimestampType;

/// Kafka's `cleanup.policy`: how old records are removed. Both may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CleanupPolicy {
    /// `delete`: removes whole segments by age and size.
    pub delete: bool,
    /// `compact`: keeps only the last record of each key.
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

/// The resolved configuration of one log: Kafka's topic keys and names. Any change is safe for existing records.
#[derive(Debug, Clone, PartialEq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment rolls before it exceeds this size.
    pub segment_bytes: u32,
    /// `segment.ms`: a segment rolls when the timestamps of its records span more than this.
    pub segment_ms: i64,
    /// `segment.jitter.ms`: the maximum random reduction of `segment_ms`, so that many logs do not roll at once.
    pub segment_jitter_ms: i64,
    /// `segment.index.bytes`: a segment rolls when one of its indexes reaches this size.
    pub segment_index_bytes: u32,
    /// `index.interval.bytes`: the bytes of log between two index entries, about.
    pub index_interval_bytes: u32,
    /// `retention.ms`; `None` keeps records for ever.
    pub retention_ms: Option<i64>,
    /// `retention.bytes`; `None` is unlimited.
    pub retention_bytes: Option<u64>,
    /// `flush.messages`: fsync after this many records; 1 means before each acknowledgement.
    pub flush_messages: u64,
    /// `flush.ms`: fsync when records have waited longer than this.
    pub flush_ms: u64,
    /// `file.delete.delay.ms`: how long the renamed files of deleted segments are kept.
    pub file_delete_delay_ms: u64,
    /// `max.message.bytes`: the largest batch accepted.
    pub max_message_bytes: u32,
    /// `message.timestamp.type`: whether the producer or the append sets the timestamp of a record.
    pub message_timestamp_type: TimestampType,
    /// `cleanup.policy`.
    pub cleanup_policy: CleanupPolicy,
    /// `delete.retention.ms`: how long a tombstone is kept after the first cleaning that read it.
    pub delete_retention_ms: i64,
    /// `min.cleanable.dirty.ratio`: a log is cleaned when its dirty share exceeds this.
    pub min_cleanable_dirty_ratio: f64,
    /// `min.compaction.lag.ms`: a segment with a more recent record is not cleaned.
    pub min_compaction_lag_ms: i64,
    /// `max.compaction.lag.ms`: the maximum age of a dirty record before the log is cleaned, and of the active segment
    /// of a compacted log before it rolls. `i64::MAX`: no maximum.
    pub max_compaction_lag_ms: i64,
    /// `producer.id.expiration.ms`: the sequence numbers of an inactive producer are dropped after this.
    pub producer_id_expiration_ms: i64,
}

impl LogConfig {
    /// The maximum span of timestamps in a segment: `segment.ms`. In a compacted log also at most
    /// `max.compaction.lag.ms`, because the active segment is never cleaned.
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
