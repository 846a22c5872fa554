//! Adds appended batches to the indexes of their segment.

use headwater_env::Env;
use headwater_record::BatchHeader;

use crate::config::LogConfig;
use crate::offset_index::OffsetPosition;
use crate::partition_log::Writer;
use crate::segment::{Largest, Phase, Segment, newer_of};

/// Adds written batches to the indexes. Returns the new end position of the segment.
pub(super) fn index<E: Env>(
    segment: &Segment<E>,
    writer: &mut Writer,
    config: &LogConfig,
    headers: &[BatchHeader],
    mut position: u64,
) -> u64 {
    let head = &mut writer.head;
    // The active segment has its greatest timestamp in memory, so this reads nothing.
    let mut largest = segment.largest_timestamp(Phase::Active).unwrap_or_default();
    let before = largest;
    for header in headers {
        newer_of(&mut largest, header);
        if head.bytes_since_index > u64::from(config.index_interval_bytes) {
            let last_offset = header.last_offset();
            segment.offset_index.push(OffsetPosition {
                last_offset,
                position,
            });
            if let Some(largest) = largest
                && segment
                    .time_index
                    .push_if_newer(head.last_time_entry, largest)
            {
                head.last_time_entry = Some(largest);
            }
            head.bytes_since_index = 0;
        }
        let size = header.size_in_bytes() as u64;
        head.bytes_since_index += size;
        position += size;
        if head.first_timestamp_ms.is_none() && header.max_timestamp_ms >= 0 {
            head.first_timestamp_ms = Some(header.max_timestamp_ms);
        }
    }
    if largest != before {
        segment.set_largest_timestamp(Largest::Known(largest));
    }
    position
}
