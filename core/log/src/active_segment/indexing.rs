//! Adds written batches to the active segment and its indexes.

use headwater_env::Env;
use headwater_record::BatchHeader;

use super::ActiveSegment;
use crate::config::LogConfig;
use crate::offset_index::OffsetPosition;
use crate::segment::{Largest, Phase, newer_of};
use crate::time_index::TimestampOffset;
use crate::transaction_index::AbortedTransaction;

impl<E: Env> ActiveSegment<E> {
    /// Adds written batches, and the transactions that they abort. Returns the new size of the segment.
    pub(crate) fn add(
        &mut self,
        headers: &[BatchHeader],
        aborted: Vec<AbortedTransaction>,
        config: &LogConfig,
    ) -> u64 {
        let size = self.index(headers, config);
        for aborted in aborted {
            self.segment.index_aborted(aborted);
        }
        self.segment.file().set_size(size);
        size
    }

    /// Adds batches to the offset and time index. Returns their end position.
    fn index(&mut self, headers: &[BatchHeader], config: &LogConfig) -> u64 {
        let mut position = self.size();
        // The active segment has its greatest timestamp in memory, so this reads nothing.
        let mut largest = self
            .segment
            .largest_timestamp(Phase::Active)
            .unwrap_or_default();
        let before = largest;
        for header in headers {
            newer_of(&mut largest, header);
            if self.bytes_since_index > u64::from(config.index_interval_bytes) {
                let last_offset = header.last_offset();
                self.segment.index_batch(OffsetPosition {
                    last_offset,
                    position,
                });
                if let Some(largest) = largest {
                    self.push_time(largest);
                }
                self.bytes_since_index = 0;
            }
            let size = header.size_in_bytes() as u64;
            self.bytes_since_index += size;
            position += size;
            if self.first_timestamp_ms.is_none() && header.max_timestamp_ms >= 0 {
                self.first_timestamp_ms = Some(header.max_timestamp_ms);
            }
        }
        if largest != before {
            self.segment.set_largest_timestamp(Largest::Known(largest));
        }
        position
    }

    /// Adds the greatest timestamp of the segment as the last entry of the time index.
    pub(crate) fn finish_time_index(&mut self) {
        // The active segment has its greatest timestamp in memory, so this reads nothing.
        if let Ok(Some(largest)) = self.segment.largest_timestamp(Phase::Active) {
            self.push_time(largest);
        }
    }

    fn push_time(&mut self, largest: TimestampOffset) {
        if self.segment.index_time(self.last_time_entry, largest) {
            self.last_time_entry = Some(largest);
        }
    }
}
