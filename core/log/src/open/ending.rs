//! Derives from checkpoints and segments how the last owner of a log ended, before any batch is checked.

use std::sync::Arc;

use headwater_env::Env;
use headwater_record::{BatchHeader, Offset};

use super::Opening;
use crate::continuity::{LastExit, LogKnowledge};
use crate::error::{OpenError, ReadError};
use crate::gaps::Gaps;
use crate::leader_epochs::LeaderEpochs;
use crate::segment::Segment;
use crate::stray::set_aside;
use crate::types::OpenState;

impl<E: Env> Opening<E> {
    /// The segment that holds the recovery point.
    pub(super) fn holds_recovery_point(&self, segments: &[Arc<Segment<E>>]) -> usize {
        segments
            .partition_point(|segment| segment.base_offset() <= self.start.recovery_point)
            .saturating_sub(1)
    }

    /// Whether a log that was closed in order may end at `end`. Without a checkpoint of the end, an empty last segment
    /// is ignored.
    pub(super) fn is_where_it_was_closed(&self, segments: &[Arc<Segment<E>>], end: Offset) -> bool {
        let is_stray = segments.len() > 1 && segments[segments.len() - 1].size() == 0;
        end == self.start.recovery_point || (self.start.recovery_point == Offset::ZERO && !is_stray)
    }

    pub(super) fn known(&self, epochs: &LeaderEpochs) -> LogKnowledge {
        let first_epoch = epochs.first_offset().unwrap_or(Offset::ZERO);
        LogKnowledge {
            ending: match self.start {
                OpenState {
                    clean_shutdown: true,
                    ..
                } => LastExit::Closed,
                OpenState {
                    same_boot: true, ..
                } => LastExit::Killed,
                _ => LastExit::Unknown,
            },
            gaps: self.gaps(),
            durable_end: self.start.recovery_point,
            gaps_end: self.gaps_end(),
            log_start_offset: self.start.log_start_offset.max(first_epoch),
        }
    }

    /// The offset before which compaction may have left gaps between segments: nothing after the recovery point was
    /// cleaned. A cleaned log has a recovery point; if that is lost, any gap may come from compaction.
    fn gaps_end(&self) -> Offset {
        let is_lost = self.start.recovery_point == Offset::ZERO;
        if is_lost && self.start.cleaner_checkpoint.is_some() {
            Offset::MAX
        } else {
            self.start.recovery_point
        }
    }

    pub(super) fn gaps(&self) -> Gaps {
        Gaps::of(&self.config, self.start.cleaner_checkpoint.is_some())
    }

    /// Sets aside the segments before a gap in the unchecked part of the log, and returns their number. The segments
    /// after the gap are newer and were on disk too, so they stay.
    pub(super) fn leave_out_before_gap(
        &mut self,
        segments: &mut Vec<Arc<Segment<E>>>,
        first_checked: usize,
    ) -> Result<usize, OpenError> {
        if self.gaps() == Gaps::Allowed {
            return Ok(0);
        }
        for index in (0..first_checked).rev() {
            let next = segments[index + 1].base_offset();
            let end = match end_of(&segments[index]) {
                Err(ReadError::File(error)) => return Err(error.into()),
                // A damaged segment stays: reading it returns an error.
                Err(_) => continue,
                Ok((end, _)) => end,
            };
            if end < next {
                self.report.missing = Some(end..next);
                for segment in segments.drain(..=index) {
                    set_aside(&segment, &mut self.report)?;
                }
                return Ok(index + 1);
            }
        }
        Ok(0)
    }
}

/// The end offset and the last batch of a segment, found from its last index entry on.
pub(super) fn end_of<E: Env>(
    segment: &Segment<E>,
) -> Result<(Offset, Option<BatchHeader>), ReadError> {
    // The target is past every batch, so the walk goes to the end of the file.
    let mut end = segment.base_offset();
    let mut last = None;
    let mut walk = segment.walk_to(Offset::MAX, segment.size())?;
    while let Some((_, header)) = segment.step(&mut walk)? {
        end = header.next_offset();
        last = Some(header);
    }
    Ok((end, last))
}
