//! Groups adjacent segments that a cleaning merges into one. A pure decision.

use std::ops::Range;

use headwater_record::Offset;

use crate::config::LogConfig;

/// The sizes and offsets of a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SegmentSizes {
    pub(crate) base_offset: Offset,
    /// The offset after the last record.
    pub(crate) end_offset: Offset,
    pub(crate) log_bytes: u64,
    pub(crate) offset_index_bytes: u64,
    pub(crate) time_index_bytes: u64,
}

/// Groups segments in order, each group as long as possible. A group is at most `segment.bytes` large, its indexes at
/// most `segment.index.bytes`, and its offsets fit into the relative offsets of an index. A segment that exceeds a
/// limit alone forms its own group.
pub(crate) fn groups(segments: &[SegmentSizes], config: &LogConfig) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut start = 0;
    while start < segments.len() {
        let mut end = start + 1;
        let mut sum = segments[start];
        while let Some(next) = segments.get(end) {
            let joined = SegmentSizes {
                base_offset: sum.base_offset,
                end_offset: next.end_offset,
                log_bytes: sum.log_bytes + next.log_bytes,
                offset_index_bytes: sum.offset_index_bytes + next.offset_index_bytes,
                time_index_bytes: sum.time_index_bytes + next.time_index_bytes,
            };
            if !fits(joined, config) {
                break;
            }
            sum = joined;
            end += 1;
        }
        groups.push(start..end);
        start = end;
    }
    groups
}

fn fits(joined: SegmentSizes, config: &LogConfig) -> bool {
    let index_bytes = u64::from(config.segment_index_bytes);
    joined.log_bytes <= u64::from(config.segment_bytes)
        && joined.offset_index_bytes <= index_bytes
        && joined.time_index_bytes <= index_bytes
        && joined.end_offset - 1 - joined.base_offset <= i64::from(i32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segment(base: i64, end: i64, log_bytes: u64, index_bytes: u64) -> SegmentSizes {
        SegmentSizes {
            base_offset: Offset::new(base),
            end_offset: Offset::new(end),
            log_bytes,
            offset_index_bytes: index_bytes,
            time_index_bytes: index_bytes,
        }
    }

    #[test]
    fn offsets_of_a_group_fit_into_its_index() {
        let config = LogConfig::default();
        let far = i64::from(i32::MAX);
        let near = [segment(0, 5, 1, 8), segment(5, far + 1, 1, 8)];
        assert_eq!(
            groups(&near, &config),
            std::iter::once(0..2).collect::<Vec<_>>()
        );
        let too_far = [segment(0, 5, 1, 8), segment(5, far + 2, 1, 8)];
        assert_eq!(groups(&too_far, &config), [0..1, 1..2]);
    }

    proptest! {
        #[test]
        fn groups_cover_all_in_order_and_fit(sizes in prop::collection::vec((0..150_u64, 0..60_u64), 0..30)) {
            let config = LogConfig { segment_bytes: 200, segment_index_bytes: 100, ..LogConfig::default() };
            let segments: Vec<_> = sizes.iter().enumerate()
                .map(|(index, (log, indexes))| segment(index as i64, index as i64 + 1, *log, *indexes)).collect();
            let groups = groups(&segments, &config);
            let covered: Vec<usize> = groups.iter().cloned().flatten().collect();
            prop_assert_eq!(covered, (0..segments.len()).collect::<Vec<_>>());
            for group in &groups {
                let of = |sizes: fn(&SegmentSizes) -> u64| segments[group.clone()].iter().map(sizes).sum::<u64>();
                prop_assert!(group.len() == 1 || (of(|segment| segment.log_bytes) <= 200 && of(|segment| segment.offset_index_bytes) <= 100));
            }
        }
    }
}
