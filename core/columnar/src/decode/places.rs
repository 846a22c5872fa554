//! Converts deltas to offsets and timestamps.

use headwater_record::{BatchHeader, Offset, TimestampType};

/// Converts the deltas of a batch's records to offsets and timestamps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    base_offset: Offset,
    timestamp_ms: i64,
    /// All bits set if records have their own timestamps; 0 if all have the batch's.
    delta_mask: i64,
}

impl Places {
    pub(crate) fn of(header: &BatchHeader) -> Self {
        let (timestamp_ms, delta_mask) = match header.attributes.timestamp_type() {
            TimestampType::CreateTime => (header.base_timestamp_ms, -1),
            TimestampType::LogAppendTime => (header.max_timestamp_ms, 0),
        };
        Self {
            base_offset: header.base_offset,
            timestamp_ms,
            delta_mask,
        }
    }

    #[inline(always)]
    pub(crate) fn offset(self, delta: i32) -> Option<Offset> {
        self.base_offset.checked_add(i64::from(delta))
    }

    /// Wraps around, as in Kafka.
    #[inline(always)]
    pub(crate) fn timestamp_ms(self, delta: i64) -> i64 {
        self.timestamp_ms.wrapping_add(delta & self.delta_mask)
    }
}
