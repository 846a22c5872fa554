//! Whether a segment follows the one before it, and what recovery does where it does not.

use headwater_record::Offset;

use crate::gaps::Gaps;

/// How the last owner of a log ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// In order: all that was appended is on the disk.
    Closed,
    /// Its process died and the machine ran on: nothing that was written is lost.
    Killed,
    /// Perhaps the power went: what was not synced may be lost, whole or in part.
    Unknown,
}

/// What is known of a log besides its segments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) ending: Ending,
    pub(crate) gaps: Gaps,
    /// Everything before it was on the disk.
    pub(crate) durable_end: Offset,
    /// A gap that ends at or before it may be what compaction left between segments.
    pub(crate) gaps_end: Offset,
    /// Records before it were deleted, as far as checkpoints say so.
    pub(crate) log_start_offset: Offset,
}

/// A segment and what stands before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Boundary {
    /// Where the log ends before the segment.
    pub(crate) log_end_offset: Offset,
    /// Whether there is any record before the segment.
    pub(crate) has_records_before: bool,
    /// Where the segment begins.
    pub(crate) base_offset: Offset,
    /// Whether the segment begins with a whole batch.
    pub(crate) has_records: bool,
}

/// What a segment is to the log before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joint {
    /// It goes on with it.
    Follows,
    /// Offsets are missing before it, and the log begins with it.
    BeginsAnew,
    /// It is no part of it.
    Stray,
}

impl Known {
    /// Whether everything before `offset` was in the files when the last owner ended.
    pub(crate) fn was_kept_until(&self, offset: Offset) -> bool {
        offset <= self.durable_end || self.ending == Ending::Killed
    }

    /// What becomes of a segment. Where offsets are missing before it the log has two parts, and only one can stay: the earlier one if the
    /// later one may be what a power cut left of unsynced appends, because the earlier one may have been promised; else the later one.
    pub(crate) fn joint(&self, at: Boundary) -> Joint {
        if at.base_offset == at.log_end_offset {
            return Joint::Follows;
        }
        let was_durable = at.base_offset <= self.durable_end;
        if at.base_offset < at.log_end_offset || (self.ending == Ending::Closed && !was_durable) {
            return Joint::Stray;
        }
        if !at.has_records {
            // It tells how far the log went: offsets are not given twice.
            return if was_durable {
                Joint::Follows
            } else {
                Joint::Stray
            };
        }
        let is_compacted = self.was_kept_until(at.base_offset) || at.base_offset <= self.gaps_end;
        if self.gaps == Gaps::Allowed && is_compacted {
            return Joint::Follows;
        }
        // In a compacted log an older record may be the only one of its key: it has all that is before its end, or nothing.
        let nothing_is_given_up = !at.has_records_before && self.gaps == Gaps::Damage;
        if self.was_kept_until(at.base_offset)
            || at.base_offset <= self.log_start_offset
            || nothing_is_given_up
        {
            Joint::BeginsAnew
        } else {
            Joint::Stray
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joint(ending: Ending, gaps: Gaps, base: i64, has_records: bool) -> Joint {
        let known = Known {
            ending,
            gaps,
            durable_end: Offset::new(50),
            gaps_end: Offset::new(50),
            log_start_offset: Offset::new(70),
        };
        known.joint(Boundary {
            log_end_offset: Offset::new(10),
            has_records_before: true,
            base_offset: Offset::new(base),
            has_records,
        })
    }

    #[test]
    fn a_segment_that_begins_at_the_end_follows() {
        for ending in [Ending::Closed, Ending::Killed, Ending::Unknown] {
            assert_eq!(joint(ending, Gaps::Damage, 10, true), Joint::Follows);
            assert_eq!(joint(ending, Gaps::Damage, 10, false), Joint::Follows);
            assert_eq!(joint(ending, Gaps::Allowed, 9, true), Joint::Stray);
        }
    }

    #[test]
    fn behind_a_gap_the_log_begins_anew_unless_the_power_may_have_gone() {
        use Ending::{Closed, Killed, Unknown};
        for ending in [Closed, Killed, Unknown] {
            assert_eq!(joint(ending, Gaps::Damage, 50, true), Joint::BeginsAnew);
        }
        assert_eq!(joint(Killed, Gaps::Damage, 90, true), Joint::BeginsAnew);
        assert_eq!(joint(Unknown, Gaps::Damage, 90, true), Joint::Stray);
        assert_eq!(
            joint(Unknown, Gaps::Damage, 70, true),
            Joint::BeginsAnew,
            "what is before was deleted"
        );
        assert_eq!(joint(Closed, Gaps::Damage, 51, true), Joint::Stray);
    }

    #[test]
    fn compaction_leaves_gaps_that_are_none() {
        assert_eq!(
            joint(Ending::Unknown, Gaps::Allowed, 50, true),
            Joint::Follows
        );
        assert_eq!(
            joint(Ending::Unknown, Gaps::Allowed, 90, true),
            Joint::Stray
        );
        assert_eq!(
            joint(Ending::Killed, Gaps::Allowed, 90, true),
            Joint::Follows
        );
    }

    #[test]
    fn an_empty_segment_counts_only_where_the_log_had_come_to() {
        for gaps in [Gaps::Allowed, Gaps::Damage] {
            assert_eq!(joint(Ending::Unknown, gaps, 50, false), Joint::Follows);
            assert_eq!(joint(Ending::Killed, gaps, 1 << 62, false), Joint::Stray);
            assert_eq!(joint(Ending::Closed, gaps, 1 << 62, false), Joint::Stray);
        }
    }
}
