//! Decides when the active segment is sealed.

use headwater_env::Env;
use headwater_record::Offset;

use super::ActiveSegment;
use crate::config::LogConfig;

/// The batches to be appended, as far as rolling depends on them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IncomingBatches {
    pub(crate) size: u64,
    /// The maximum number of entries that they add to each index.
    pub(crate) index_entries: usize,
    pub(crate) last_offset: Offset,
    pub(crate) max_timestamp_ms: i64,
}

impl<E: Env> ActiveSegment<E> {
    /// Whether the segment must be sealed before the batches are appended.
    pub(crate) fn must_roll_before(&self, incoming: IncomingBatches, config: &LogConfig) -> bool {
        let (segment, size) = (&self.segment, self.size());
        let too_far = incoming.last_offset - segment.base_offset() > i64::from(i32::MAX);
        if size == 0 {
            return too_far;
        }
        let too_large = size + incoming.size > u64::from(config.segment_bytes);
        let (entries, index_bytes) = (incoming.index_entries, config.segment_index_bytes);
        too_large || too_far || !segment.has_index_space(entries, index_bytes) || {
            // Measured by record timestamps if there are any, so that replayed history rolls at the same points.
            let waited_ms = match self.first_timestamp_ms {
                Some(first) if incoming.max_timestamp_ms >= 0 => {
                    incoming.max_timestamp_ms.saturating_sub(first)
                }
                _ => self.age_ms(segment.env().wall_clock_ms()),
            };
            waited_ms > self.segment_ms(config)
        }
    }

    /// Whether it has batches and is older than `segment.ms`.
    pub(crate) fn is_expired(&self, now_wall_ms: i64, config: &LogConfig) -> bool {
        self.size() > 0 && self.age_ms(now_wall_ms) > self.segment_ms(config)
    }

    fn age_ms(&self, now_wall_ms: i64) -> i64 {
        now_wall_ms.saturating_sub(self.created_ms)
    }

    /// The maximum span of timestamps in the segment, reduced by the jitter.
    fn segment_ms(&self, config: &LogConfig) -> i64 {
        let segment_ms = config.segment_ms_max();
        let most = config.segment_jitter_ms.clamp(0, segment_ms.max(0));
        let off = (i128::from(most) * i128::from(self.jitter)) >> 16;
        segment_ms - off as i64
    }
}
