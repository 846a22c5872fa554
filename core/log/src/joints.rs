//! Whether a segment follows the one before it, and what recovery does where it does not.

use headwater_record::Offset;

use crate::gaps::Gaps;

/// How the last owner of a log ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Closed in order: every append is on disk.
    Closed,
    /// The process died but the machine kept running: no write is lost.
    Killed,
    /// The power may have failed: unsynced writes may be lost, whole or in part.
    Unknown,
}

/// What is known about a log apart from its segments.
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

/// A segment and the end of the log before it.
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

/// How a segment relates to the log before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joint {
    /// The segment continues the log.
    Follows,
    /// Offsets are missing before the segment, and the log starts with it.
    BeginsAnew,
    /// The segment does not belong to the log.
    Stray,
}

impl Known {
    /// Whether everything before `offset` was in the files when the last owner ended.
    pub(crate) fn was_kept_until(&self, offset: Offset) -> bool {
        offset <= self.durable_end || self.ending == Ending::Killed
    }

    /// Decides whether a segment belongs to the log. Where offsets are missing before it, only one side of the gap can stay. The earlier side
    /// stays if a power cut may have left the later one, because the earlier one may be acknowledged as durable. Otherwise the later side stays.
    pub(crate) fn joint(&self, at: Boundary) -> Joint {
        if at.base_offset == at.log_end_offset {
            return Joint::Follows;
        }
        let was_durable = at.base_offset <= self.durable_end;
        if at.base_offset < at.log_end_offset || (self.ending == Ending::Closed && !was_durable) {
            return Joint::Stray;
        }
        if !at.has_records {
            // An empty segment marks how far the log went, so that no offset is assigned twice.
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
        // An older record of a compacted log may be the only one of its key, so such a log never starts behind a gap of a power cut.
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
