//! Decides whether a segment continues the log before it, and what recovery does if it does not.

use headwater_record::Offset;

use crate::gaps::Gaps;

/// How the last owner of a log ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastExit {
    /// Closed in order: every append is on disk.
    Closed,
    /// The process died but the machine kept running: no write is lost.
    Killed,
    /// The power may have failed: unsynced writes may be lost in whole or in part.
    Unknown,
}

/// The knowledge about a log apart from its segments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogKnowledge {
    pub(crate) ending: LastExit,
    pub(crate) gaps: Gaps,
    /// Everything before it was on disk.
    pub(crate) durable_end: Offset,
    /// The end of a gap between segments that compaction may have left is at most this.
    pub(crate) gaps_end: Offset,
    /// Records before it were deleted, according to the checkpoints.
    pub(crate) log_start_offset: Offset,
}

/// A segment and the end of the log before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Boundary {
    /// The end of the log before the segment.
    pub(crate) log_end_offset: Offset,
    /// Whether the log has records before the segment.
    pub(crate) has_records_before: bool,
    /// The base offset of the segment.
    pub(crate) base_offset: Offset,
    /// Whether the segment begins with a whole batch.
    pub(crate) has_records: bool,
}

/// The relation of a segment to the log before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Continuity {
    /// The segment continues the log.
    Follows,
    /// Offsets are missing before the segment, and the log now starts with it.
    StartsLog,
    /// The segment does not belong to the log.
    Stray,
}

impl LogKnowledge {
    /// Whether everything before `offset` was in the files when the last owner ended.
    pub(crate) fn was_kept_until(&self, offset: Offset) -> bool {
        offset <= self.durable_end || self.ending == LastExit::Killed
    }

    /// Decides whether a segment belongs to the log. If offsets are missing before it, only one side of the gap can
    /// stay. The earlier side stays if a power cut may have left the later one, because the earlier one may be
    /// acknowledged as durable. Otherwise the later side stays.
    pub(crate) fn continuity(&self, at: Boundary) -> Continuity {
        if at.base_offset == at.log_end_offset {
            return Continuity::Follows;
        }
        let was_durable = at.base_offset <= self.durable_end;
        if at.base_offset < at.log_end_offset || (self.ending == LastExit::Closed && !was_durable) {
            return Continuity::Stray;
        }
        if !at.has_records {
            // An empty segment marks the end of the log, so that no offset is assigned twice.
            return if was_durable {
                Continuity::Follows
            } else {
                Continuity::Stray
            };
        }
        let is_compacted = self.was_kept_until(at.base_offset) || at.base_offset <= self.gaps_end;
        if self.gaps == Gaps::Allowed && is_compacted {
            return Continuity::Follows;
        }
        // The older record of a key in a compacted log may be the only one, so a compacted log never starts after a gap
        // that a power cut made.
        let nothing_is_given_up = !at.has_records_before && self.gaps == Gaps::Damage;
        if self.was_kept_until(at.base_offset)
            || at.base_offset <= self.log_start_offset
            || nothing_is_given_up
        {
            Continuity::StartsLog
        } else {
            Continuity::Stray
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn continuity(ending: LastExit, gaps: Gaps, base: i64, has_records: bool) -> Continuity {
        let known = LogKnowledge {
            ending,
            gaps,
            durable_end: Offset::new(50),
            gaps_end: Offset::new(50),
            log_start_offset: Offset::new(70),
        };
        known.continuity(Boundary {
            log_end_offset: Offset::new(10),
            has_records_before: true,
            base_offset: Offset::new(base),
            has_records,
        })
    }

    #[test]
    fn a_segment_that_begins_at_the_end_follows() {
        for ending in [LastExit::Closed, LastExit::Killed, LastExit::Unknown] {
            assert_eq!(
                continuity(ending, Gaps::Damage, 10, true),
                Continuity::Follows
            );
            assert_eq!(
                continuity(ending, Gaps::Damage, 10, false),
                Continuity::Follows
            );
            assert_eq!(
                continuity(ending, Gaps::Allowed, 9, true),
                Continuity::Stray
            );
        }
    }

    #[test]
    fn a_log_starts_after_a_gap_unless_the_power_may_have_failed() {
        use LastExit::{Closed, Killed, Unknown};
        for ending in [Closed, Killed, Unknown] {
            assert_eq!(
                continuity(ending, Gaps::Damage, 50, true),
                Continuity::StartsLog
            );
        }
        assert_eq!(
            continuity(Killed, Gaps::Damage, 90, true),
            Continuity::StartsLog
        );
        assert_eq!(
            continuity(Unknown, Gaps::Damage, 90, true),
            Continuity::Stray
        );
        assert_eq!(
            continuity(Unknown, Gaps::Damage, 70, true),
            Continuity::StartsLog,
            "earlier records were deleted"
        );
        assert_eq!(
            continuity(Closed, Gaps::Damage, 51, true),
            Continuity::Stray
        );
    }

    #[test]
    fn gaps_of_compaction_are_not_damage() {
        assert_eq!(
            continuity(LastExit::Unknown, Gaps::Allowed, 50, true),
            Continuity::Follows
        );
        assert_eq!(
            continuity(LastExit::Unknown, Gaps::Allowed, 90, true),
            Continuity::Stray
        );
        assert_eq!(
            continuity(LastExit::Killed, Gaps::Allowed, 90, true),
            Continuity::Follows
        );
    }

    #[test]
    fn an_empty_segment_counts_only_up_to_the_durable_end() {
        for gaps in [Gaps::Allowed, Gaps::Damage] {
            assert_eq!(
                continuity(LastExit::Unknown, gaps, 50, false),
                Continuity::Follows
            );
            assert_eq!(
                continuity(LastExit::Killed, gaps, 1 << 62, false),
                Continuity::Stray
            );
            assert_eq!(
                continuity(LastExit::Closed, gaps, 1 << 62, false),
                Continuity::Stray
            );
        }
    }
}
