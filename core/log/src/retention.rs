//! Retention: selects the segments that may be deleted, and removes them from the log.

use headwater_env::Env;
use headwater_record::Offset;

use crate::append_lock::AppendLock;
use crate::config::LogConfig;
use crate::error::ChangeError;
use crate::partition_log::PartitionLog;
use crate::types::{DeletedSegment, DeletionReason, SegmentInfo};

/// The input of the selection besides the segments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetentionInput<'a> {
    pub(crate) config: &'a LogConfig,
    pub(crate) now_wall_ms: i64,
    pub(crate) log_start_offset: Offset,
    /// Segments with records at or above it may not be deleted.
    pub(crate) high_watermark: Offset,
}

/// Selects the segments that may be deleted, oldest first: a prefix of `segments`, each with the reason. An empty
/// active segment is never selected. One with records may be, and then the caller must roll first.
pub(crate) fn deletable(
    segments: &[SegmentInfo],
    input: RetentionInput<'_>,
) -> Vec<(SegmentInfo, DeletionReason)> {
    let mut left_bytes: u64 = segments.iter().map(|segment| segment.size_bytes).sum();
    let mut deletable = Vec::new();
    for segment in segments {
        let is_empty_head = segment.is_active && segment.size_bytes == 0;
        if is_empty_head || segment.end_offset > input.high_watermark {
            break;
        }
        left_bytes -= segment.size_bytes;
        let Some(reason) = reason(segment, left_bytes, input) else {
            break;
        };
        deletable.push((*segment, reason));
    }
    deletable
}

fn reason(
    segment: &SegmentInfo,
    bytes_without_it: u64,
    input: RetentionInput<'_>,
) -> Option<DeletionReason> {
    let config = input.config;
    // The log start is never after the start of the active segment, so the active segment is selected only if all its
    // records were deleted.
    if segment.end_offset <= input.log_start_offset {
        return Some(DeletionReason::BeforeLogStart);
    }
    if !config.cleanup_policy.delete {
        return None;
    }
    if config
        .retention_bytes
        .is_some_and(|retention_bytes| bytes_without_it >= retention_bytes)
    {
        return Some(DeletionReason::RetentionSize);
    }
    let newest_ms = segment.max_timestamp_ms.unwrap_or(segment.modified_ms);
    config
        .retention_ms
        .filter(|retention_ms| input.now_wall_ms.saturating_sub(newest_ms) > *retention_ms)
        .map(|_| DeletionReason::RetentionTime)
}

impl<E: Env> PartitionLog<E> {
    /// Raises the log start offset to `before`, unless it is higher already, and returns it. The next
    /// [`apply_retention`](Self::apply_retention) removes segments before it. Readers see the new start at once, so the
    /// caller must write the log start checkpoint before.
    pub fn delete_records(&self, before: Offset) -> Result<Offset, ChangeError> {
        let mut lock = self.begin_change()?;
        let log = lock.log();
        let log_end_offset = log.log_end_offset();
        if before > log_end_offset {
            return Err(ChangeError::PastEnd {
                offset: before,
                log_end_offset,
            });
        }
        lock.publish(|view| view.raise_log_start(before));
        let start = log.view().log_start_offset();
        log.epochs().forget_before(log.directory(), start);
        Ok(start)
    }

    /// Removes the segments that retention selects, as if all records were replicated.
    pub fn apply_retention(&self, now_wall_ms: i64) -> Result<Vec<DeletedSegment>, ChangeError> {
        self.apply_retention_below(now_wall_ms, Offset::MAX)
    }

    /// Removes the segments that retention selects below the high watermark. If the active segment is selected, the log
    /// rolls first. Readers inside a removed segment can finish; its renamed files stay for `file.delete.delay.ms`.
    /// Files that cannot be renamed now are renamed by the next call of this or of
    /// [`delete_due_files`](Self::delete_due_files).
    pub fn apply_retention_below(
        &self,
        now_wall_ms: i64,
        high_watermark: Offset,
    ) -> Result<Vec<DeletedSegment>, ChangeError> {
        let config = self.state().config();
        // Read timestamps from disk before taking the append lock.
        drop(self.segments());
        let mut lock = self.begin_change()?;
        let view = lock.log().view().now();
        let input = RetentionInput {
            config: &config,
            now_wall_ms,
            log_start_offset: view.log_start_offset(),
            high_watermark,
        };
        let deletable = deletable(&view.segment_infos(), input);
        lock.delete_first(&deletable)
    }

    /// Removes the oldest segment to free space, if it is sealed and all its records are before `before`.
    pub fn delete_oldest_segment(
        &self,
        before: Offset,
    ) -> Result<Option<DeletedSegment>, ChangeError> {
        let mut lock = self.begin_change()?;
        let view = lock.log().view().now();
        let oldest = view.segment_infos()[0];
        if oldest.is_active || oldest.end_offset > before {
            return Ok(None);
        }
        let reason = if oldest.end_offset <= view.log_start_offset() {
            DeletionReason::BeforeLogStart
        } else {
            DeletionReason::Exhaustion
        };
        let deleted = lock.delete_first(&[(oldest, reason)])?;
        Ok(deleted.into_iter().next())
    }
}

impl<E: Env> AppendLock<'_, E> {
    fn delete_first(
        &mut self,
        deletable: &[(SegmentInfo, DeletionReason)],
    ) -> Result<Vec<DeletedSegment>, ChangeError> {
        let Some((last, _)) = deletable.last() else {
            return Ok(Vec::new());
        };
        let log = self.log();
        log.finish_removals()?;
        if last.is_active {
            self.roll()?;
        }
        let view = log.view().now();
        self.publish(|view| view.remove_first(deletable.len(), last.end_offset));
        // Oldest first: a crash in between leaves no hole.
        let removed = &view.segments().list()[..deletable.len()];
        log.removals().add(removed.iter());
        log.flusher().keep_sealed(last.end_offset, Offset::MAX);
        if let Err(error) = log.finish_removals() {
            tracing::warn!(%error, "files of deleted segments could not be removed; housekeeping tries again");
        }
        let start = log.view().log_start_offset();
        log.epochs().forget_before(log.directory(), start);
        let deleted = |(segment, reason): &(SegmentInfo, DeletionReason)| DeletedSegment {
            base_offset: segment.base_offset,
            end_offset: segment.end_offset,
            size_bytes: segment.size_bytes,
            reason: *reason,
        };
        Ok(deletable.iter().map(deleted).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::CleanupPolicy;

    fn segment(base: i64, end: i64, size: u64, newest: i64) -> SegmentInfo {
        SegmentInfo {
            base_offset: Offset::new(base),
            end_offset: Offset::new(end),
            size_bytes: size,
            max_timestamp_ms: Some(newest),
            modified_ms: 0,
            is_active: false,
        }
    }

    fn three() -> Vec<SegmentInfo> {
        let mut segments = vec![
            segment(0, 10, 100, 50),
            segment(10, 20, 100, 40),
            segment(20, 30, 100, 60),
        ];
        segments[2].is_active = true;
        segments
    }

    fn reasons(
        segments: &[SegmentInfo],
        config: &LogConfig,
        now: i64,
        start: i64,
        high: i64,
    ) -> Vec<DeletionReason> {
        let input = RetentionInput {
            config,
            now_wall_ms: now,
            log_start_offset: Offset::new(start),
            high_watermark: Offset::new(high),
        };
        let deletable = deletable(segments, input);
        deletable.into_iter().map(|(_, reason)| reason).collect()
    }

    fn config(retention_ms: Option<i64>, retention_bytes: Option<u64>) -> LogConfig {
        LogConfig {
            retention_ms,
            retention_bytes,
            ..LogConfig::default()
        }
    }

    #[test]
    fn only_expired_segments_are_deleted_and_none_after_one_that_stays() {
        use DeletionReason::RetentionTime;
        let config = config(Some(10), None);
        assert!(
            reasons(&three(), &config, 60, 0, 30).is_empty(),
            "the first is kept, so the second is too"
        );
        assert_eq!(reasons(&three(), &config, 61, 0, 30), [RetentionTime; 2]);
        assert_eq!(reasons(&three(), &config, 71, 0, 30), [RetentionTime; 3]);
        assert_eq!(
            reasons(&three(), &config, 71, 0, 15),
            [RetentionTime; 1],
            "the high watermark holds the rest"
        );
    }

    #[test]
    fn the_log_keeps_at_least_retention_bytes() {
        use DeletionReason::RetentionSize;
        assert!(reasons(&three(), &config(None, Some(201)), 0, 0, 30).is_empty());
        assert_eq!(
            reasons(&three(), &config(None, Some(200)), 0, 0, 30),
            [RetentionSize]
        );
    }

    #[test]
    fn deleted_records_go_even_from_a_compacted_log() {
        let mut config = config(Some(0), Some(0));
        config.cleanup_policy = CleanupPolicy::COMPACT;
        assert_eq!(
            reasons(&three(), &config, 1000, 20, 30),
            [DeletionReason::BeforeLogStart; 2]
        );
        assert!(reasons(&three(), &config, 1000, 19, 30).len() == 1);
    }

    #[test]
    fn an_empty_active_segment_stays() {
        let mut segments = three();
        segments[2].size_bytes = 0;
        assert_eq!(
            reasons(&segments, &config(Some(0), None), 1000, 0, 30).len(),
            2
        );
    }

    proptest! {
        #[test]
        fn deleted_segments_are_expired_below_the_watermark_and_leave_enough(
            sizes in prop::collection::vec((0..100_u64, 0..1000_i64), 1..10),
            retention_ms in prop::option::of(0..1000_i64), retention_bytes in prop::option::of(0..500_u64),
            now in 0..2000_i64, start in 0..100_i64, high in 0..100_i64,
        ) {
            let mut segments: Vec<_> = sizes.iter().enumerate().map(|(number, (size, newest))| {
                let base = number as i64 * 10;
                segment(base, base + 10, *size, *newest)
            }).collect();
            segments.last_mut().unwrap().is_active = true;
            let config = config(retention_ms, retention_bytes);
            let gone = reasons(&segments, &config, now, start, high);
            for (number, reason) in gone.iter().enumerate() {
                let segment = segments[number];
                prop_assert!(segment.end_offset.get() <= high);
                prop_assert!(!(segment.is_active && segment.size_bytes == 0));
                let left: u64 = segments[number + 1..].iter().map(|segment| segment.size_bytes).sum();
                match reason {
                    DeletionReason::BeforeLogStart => prop_assert!(segment.end_offset.get() <= start),
                    DeletionReason::RetentionSize => prop_assert!(left >= retention_bytes.unwrap()),
                    DeletionReason::RetentionTime => {
                        prop_assert!(now - segment.max_timestamp_ms.unwrap() > retention_ms.unwrap());
                    }
                    DeletionReason::Exhaustion => prop_assert!(false),
                }
            }
        }
    }
}
