//! Decides which part of a log may be cleaned, and measures how dirty it is. A pure decision.

use headwater_record::Offset;

use crate::config::LogConfig;
use crate::types::SegmentInfo;

/// The input of the decision besides the segments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RangeInput<'a> {
    pub(crate) config: &'a LogConfig,
    pub(crate) now_wall_ms: i64,
    /// The end of the last cleaning, if there was one.
    pub(crate) cleaner_checkpoint: Option<Offset>,
    pub(crate) log_start_offset: Offset,
    pub(crate) log_end_offset: Offset,
    /// Records at or above this offset may not be cleaned: they may still change, or may not be on disk.
    pub(crate) upper: Offset,
}

/// The part of a log that may be cleaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cleanable {
    /// The start of the dirty part (inclusive). Before it each key has one record.
    pub first_dirty_offset: Offset,
    /// The end of the cleanable part (exclusive): the base offset of a segment.
    pub first_uncleanable_offset: Offset,
    /// Bytes of the segments before the dirty part.
    pub clean_bytes: u64,
    /// Bytes of the dirty segments that may be cleaned; never 0.
    pub dirty_bytes: u64,
    /// Whether `max.compaction.lag.ms` requires a cleaning now, whatever the dirty ratio.
    pub is_overdue: bool,
}

impl Cleanable {
    /// The dirty share of the bytes, 0.0 to 1.0: Kafka's cleanable ratio.
    pub fn dirty_ratio(&self) -> f64 {
        self.dirty_bytes as f64 / (self.clean_bytes + self.dirty_bytes) as f64
    }

    /// Whether the log is dirty enough to be cleaned.
    pub fn is_due(&self, config: &LogConfig) -> bool {
        self.is_overdue || self.dirty_ratio() > config.min_cleanable_dirty_ratio
    }
}

/// The start of the dirty part. A checkpoint outside the log is ignored: the log start moved past it, or the end of the
/// log was lost.
pub(crate) fn first_dirty_offset(input: RangeInput<'_>) -> Offset {
    input
        .cleaner_checkpoint
        .filter(|checkpoint| (input.log_start_offset..=input.log_end_offset).contains(checkpoint))
        .unwrap_or(input.log_start_offset)
}

/// The part that may be cleaned; `None` if there is none. `first_batch_ms` returns the timestamp of a segment's first
/// batch, if it has one.
pub(crate) fn cleanable(
    segments: &[SegmentInfo],
    input: RangeInput<'_>,
    first_batch_ms: impl Fn(usize) -> Option<i64>,
) -> Option<Cleanable> {
    let config = input.config;
    let first_dirty_offset = first_dirty_offset(input);
    let first_dirty = segments.partition_point(|segment| segment.end_offset <= first_dirty_offset);
    let lag_ms = config.min_compaction_lag_ms;
    let is_cleanable = |segment: &&SegmentInfo| {
        let newest_ms = segment.max_timestamp_ms.unwrap_or(segment.modified_ms);
        !segment.is_active
            && segment.end_offset <= input.upper
            && (lag_ms <= 0 || newest_ms <= input.now_wall_ms.saturating_sub(lag_ms))
    };
    let dirty: Vec<_> = segments[first_dirty..]
        .iter()
        .take_while(is_cleanable)
        .collect();
    let last = dirty.last()?;
    let dirty_bytes = dirty.iter().map(|segment| segment.size_bytes).sum();
    let cleanable = Cleanable {
        first_dirty_offset,
        first_uncleanable_offset: last.end_offset,
        clean_bytes: bytes_of(&segments[..first_dirty]),
        dirty_bytes,
        is_overdue: is_overdue(segments, first_dirty, input, first_batch_ms),
    };
    (dirty_bytes > 0).then_some(cleanable)
}

/// Whether a dirty record has waited longer than `max.compaction.lag.ms`.
fn is_overdue(
    segments: &[SegmentInfo],
    first_dirty: usize,
    input: RangeInput<'_>,
    first_batch_ms: impl Fn(usize) -> Option<i64>,
) -> bool {
    let lag_ms = input.config.max_compaction_lag_ms;
    // By default no record is ever overdue, and no batch needs to be read.
    lag_ms != i64::MAX
        && (first_dirty..segments.len())
            .filter(|index| !segments[*index].is_active)
            .filter_map(first_batch_ms)
            .any(|first_ms| first_ms > 0 && first_ms < input.now_wall_ms.saturating_sub(lag_ms))
}

fn bytes_of(segments: &[SegmentInfo]) -> u64 {
    segments.iter().map(|segment| segment.size_bytes).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Segments of ten offsets and 100 bytes with these timestamps, followed by the active segment.
    fn segments(times: &[i64]) -> Vec<SegmentInfo> {
        let of = |(index, time): (usize, &i64)| SegmentInfo {
            base_offset: Offset::new(index as i64 * 10),
            end_offset: Offset::new(index as i64 * 10 + 10),
            size_bytes: 100,
            max_timestamp_ms: Some(*time),
            modified_ms: 0,
            is_active: index == times.len(),
        };
        times.iter().chain(&[0]).enumerate().map(of).collect()
    }

    fn input(config: &LogConfig, checkpoint: Option<i64>, upper: i64) -> RangeInput<'_> {
        RangeInput {
            config,
            now_wall_ms: 1000,
            cleaner_checkpoint: checkpoint.map(Offset::new),
            log_start_offset: Offset::ZERO,
            log_end_offset: Offset::new(1000),
            upper: Offset::new(upper),
        }
    }

    fn range(segments: &[SegmentInfo], input: RangeInput<'_>) -> Option<(i64, i64, u64, u64)> {
        cleanable(segments, input, |_| None).map(|found| {
            (
                found.first_dirty_offset.get(),
                found.first_uncleanable_offset.get(),
                found.clean_bytes,
                found.dirty_bytes,
            )
        })
    }

    #[test]
    fn from_the_checkpoint_to_the_active_segment_and_never_past_the_upper_end() {
        let config = LogConfig::default();
        let segments = segments(&[1, 2, 3, 4]);
        let found = |checkpoint, upper| range(&segments, input(&config, checkpoint, upper));
        assert_eq!(found(None, 1000), Some((0, 40, 0, 400)));
        assert_eq!(found(Some(20), 1000), Some((20, 40, 200, 200)));
        assert_eq!(found(Some(25), 1000), Some((25, 40, 200, 200)));
        assert_eq!(found(Some(20), 39), Some((20, 30, 200, 100)));
        assert_eq!(found(Some(40), 1000), None);
        assert_eq!(found(None, 9), None);
    }

    #[test]
    fn a_checkpoint_outside_the_log_is_ignored() {
        let config = LogConfig::default();
        let mut input = input(&config, Some(2000), 1000);
        assert_eq!(range(&segments(&[1, 1]), input), Some((0, 20, 0, 200)));
        input.cleaner_checkpoint = Some(Offset::new(3));
        input.log_start_offset = Offset::new(10);
        assert_eq!(range(&segments(&[1, 1]), input), Some((10, 20, 100, 100)));
    }

    #[test]
    fn recent_segments_and_later_ones_wait() {
        let config = LogConfig {
            min_compaction_lag_ms: 100,
            ..LogConfig::default()
        };
        let segments = segments(&[900, 901, 5]);
        assert_eq!(
            range(&segments, input(&config, None, 1000)),
            Some((0, 10, 0, 100))
        );
    }

    #[test]
    fn a_record_that_waited_too_long_makes_the_log_due() {
        let config = LogConfig {
            max_compaction_lag_ms: 100,
            min_cleanable_dirty_ratio: 0.5,
            ..LogConfig::default()
        };
        let segments = segments(&[1, 1, 1, 1]);
        let due = |first_ms| {
            cleanable(&segments, input(&config, Some(30), 1000), |_| {
                Some(first_ms)
            })
            .unwrap()
            .is_due(&config)
        };
        assert!(due(899));
        assert!(!due(900));
    }

    #[test]
    fn half_of_it_dirty_is_not_more_than_half() {
        let config = LogConfig::default();
        let segments = segments(&[1, 1, 1, 1]);
        let due = |checkpoint| {
            cleanable(&segments, input(&config, Some(checkpoint), 1000), |_| None)
                .unwrap()
                .is_due(&config)
        };
        assert!(!due(20));
        assert!(due(10));
    }

    proptest! {
        #[test]
        fn cleanable_segments_are_sealed_old_and_below_the_upper_end(
            times in prop::collection::vec(0..1000_i64, 0..8), checkpoint in prop::option::of(0..100_i64),
            upper in 0..100_i64, lag in 0..500_i64,
        ) {
            let config = LogConfig { min_compaction_lag_ms: lag, ..LogConfig::default() };
            let segments = segments(&times);
            if let Some(found) = cleanable(&segments, input(&config, checkpoint, upper), |_| None) {
                prop_assert!(found.first_uncleanable_offset <= Offset::new(upper));
                prop_assert!(found.first_dirty_offset < found.first_uncleanable_offset);
                for segment in segments.iter().filter(|segment| {
                    segment.end_offset > found.first_dirty_offset && segment.base_offset < found.first_uncleanable_offset
                }) {
                    prop_assert!(!segment.is_active);
                    prop_assert!(lag == 0 || segment.max_timestamp_ms.unwrap() <= 1000 - lag);
                }
            }
        }
    }
}
