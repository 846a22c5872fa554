//! The sequences of one partition, by which the broker detects duplicates and gaps (KIP-98, KIP-360).
//!
//! A batch gets its sequences when it is first sent, and keeps them when it is sent again. A batch that fails leaves a
//! gap: the broker refuses every later batch. If none of the batches concerned can have been written, the sequences of
//! the gap are reused. Otherwise the producer needs a new epoch, because the broker might drop a new batch with old
//! sequences as a duplicate.

use headwater_record::ProducerState;

use super::identity::Identity;
use crate::mutants::{self, Mutant};

/// The sequences of one partition.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    /// The producer id and epoch of the sequences; all batches with a sequence have this one.
    identity: Option<Identity>,
    /// The sequence of the next batch that is sent for the first time.
    next: i32,
    /// The sequence after the last acknowledged batch: the broker expects it next, according to its responses.
    acknowledged: i32,
    has_acknowledged: bool,
    /// Sequences after `acknowledged` that belong to failed batches.
    gap: Option<Gap>,
}

/// Sequences of failed batches.
#[derive(Debug, Clone, Copy)]
struct Gap {
    /// The sequence after the last failed batch.
    end: i32,
    /// Whether one of the failed batches may have been written.
    maybe_written: bool,
    /// Whether the broker has refused the batch after the gap.
    is_confirmed: bool,
}

/// The decision about batches with unacknowledged sequences, once no request of the partition is in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolution {
    /// They keep their sequences.
    Keep,
    /// They get other sequences of the same epoch.
    SameEpoch,
    /// They get sequences of a later epoch than this one.
    NewEpoch(Identity),
}

impl Sequences {
    fn starting(identity: Identity) -> Self {
        Self {
            identity: Some(identity),
            ..Self::default()
        }
    }

    /// The stamp of a batch of `records` records that is sent for the first time. With another identity than before it
    /// is the first one of that epoch; then no other batch may have a sequence.
    pub(super) fn assign(&mut self, identity: Identity, records: u32) -> ProducerState {
        if self.identity != Some(identity) {
            *self = Self::starting(identity);
        }
        let stamp = stamp(identity, self.next);
        self.next = after(self.next, u64::from(records));
        stamp
    }

    /// Whether a batch may be sent for the first time while others are in flight. Not the second one of an epoch: a
    /// broker without state of the producer accepts any sequence, and would accept the second batch even if the first
    /// one was lost.
    pub(super) fn can_pipeline(&self, identity: Identity) -> bool {
        let has_acknowledged =
            self.has_acknowledged || mutants::is_active(Mutant::PipelineFirstBatch);
        self.identity == Some(identity) && has_acknowledged && self.gap.is_none()
    }

    /// Handles the recreation of the topic: the broker has no state of the producer, as at the start of an epoch.
    pub(super) fn topic_recreated(&mut self) {
        self.has_acknowledged = mutants::is_active(Mutant::PipelineFirstBatch);
    }

    /// Whether a batch may be sent again while later ones are in flight: the broker expects it next, or has written it.
    pub(super) fn is_expected(&self, stamp: ProducerState) -> bool {
        let is_confirmed = self.gap.is_some_and(|gap| gap.is_confirmed);
        !self.is_after_acknowledged(stamp.base_sequence) && !is_confirmed
    }

    /// Whether the broker has certainly written an unacknowledged batch, because a later one of the same epoch was
    /// acknowledged. A broker keeps few batches, so it may refuse this one as a gap when it is sent again.
    pub(super) fn is_written(&self, stamp: ProducerState) -> bool {
        let is_current = self
            .identity
            .is_some_and(|identity| (identity.id, identity.epoch) == (stamp.id, stamp.epoch));
        is_current && self.to_next(stamp.base_sequence) > self.to_next(self.acknowledged)
    }

    /// Whether there are sequences between the acknowledged ones and this one. The broker has written all batches
    /// before an acknowledged one.
    fn is_after_acknowledged(&self, sequence: i32) -> bool {
        self.to_next(sequence) < self.to_next(self.acknowledged)
    }

    /// The stamp of the next batch if `before` more records are sent before it, none fails, and the epoch stays.
    pub(super) fn stamp_after(&self, identity: Identity, before: u64) -> ProducerState {
        let next = if self.identity == Some(identity) {
            self.next
        } else {
            0
        };
        stamp(identity, after(next, before))
    }

    /// Handles the success of a batch.
    pub(super) fn acknowledge(&mut self, stamp: ProducerState, records: u32) {
        let end = after(stamp.base_sequence, u64::from(records));
        if self.to_next(end) < self.to_next(self.acknowledged) {
            self.acknowledged = end;
        }
        self.has_acknowledged = true;
        // The broker accepts a batch only after all batches before it.
        let acknowledged = self.to_next(self.acknowledged);
        self.gap = self.gap.filter(|gap| self.to_next(gap.end) < acknowledged);
    }

    /// Handles the final failure of a batch, or that it will be sent with other sequences.
    pub(super) fn fail(&mut self, stamp: ProducerState, records: u32, maybe_written: bool) {
        let end = after(stamp.base_sequence, u64::from(records));
        let gap = self.gap_mut(end);
        gap.maybe_written |= maybe_written;
    }

    /// Handles the refusal of the first unacknowledged batch, because the broker expects another sequence or another
    /// epoch.
    pub(super) fn confirm_gap(&mut self) {
        self.gap_mut(self.acknowledged).is_confirmed = true;
    }

    fn gap_mut(&mut self, end: i32) -> &mut Gap {
        let to_end = self.to_next(end);
        let next = self.next;
        let gap = self.gap.get_or_insert(Gap {
            end,
            maybe_written: false,
            is_confirmed: false,
        });
        if to_end < distance(gap.end, next) {
            gap.end = end;
        }
        gap
    }

    /// Decides about the unacknowledged batches. `first` is the sequence of the first one that will be sent again;
    /// `maybe_written` is whether one of them may have been written. No request of the partition may be in flight.
    pub(super) fn resolve(&mut self, first: Option<i32>, maybe_written: bool) -> Resolution {
        let Some(identity) = self.identity else {
            return Resolution::Keep;
        };
        let gap = self.gap;
        let is_confirmed = gap.is_some_and(|gap| gap.is_confirmed);
        let gap_maybe_written = gap.is_some_and(|gap| gap.maybe_written);
        let starts_with_gap = self.is_after_acknowledged(first.unwrap_or(self.next));
        if !is_confirmed {
            if !starts_with_gap {
                return Resolution::Keep;
            }
            // The broker's response to the first batch will show whether the one before it was written.
            if first.is_some() && gap_maybe_written {
                return Resolution::Keep;
            }
        }
        let needs_new_epoch = is_confirmed || gap_maybe_written || maybe_written;
        self.gap = None;
        if needs_new_epoch && !mutants::is_active(Mutant::SkipEpochBump) {
            *self = Self::default();
            return Resolution::NewEpoch(identity);
        }
        self.next = self.acknowledged;
        Resolution::SameEpoch
    }

    /// The number of sequences from this one up to the next one to assign.
    fn to_next(&self, sequence: i32) -> i32 {
        distance(sequence, self.next)
    }
}

fn stamp(identity: Identity, base_sequence: i32) -> ProducerState {
    ProducerState {
        id: identity.id,
        epoch: identity.epoch,
        base_sequence,
    }
}

/// The stamp of the batch after one of `records` records.
pub(super) fn stamp_behind(stamp: ProducerState, records: u32) -> ProducerState {
    ProducerState {
        base_sequence: after(stamp.base_sequence, u64::from(records)),
        ..stamp
    }
}

/// The sequence `records` later. Wraps from `i32::MAX` to 0.
pub(super) fn after(sequence: i32, records: u64) -> i32 {
    ((i64::from(sequence) + records as i64) & i64::from(i32::MAX)) as i32
}

/// The number of sequences from `start` (inclusive) to `end` (exclusive).
fn distance(start: i32, end: i32) -> i32 {
    end.wrapping_sub(start) & i32::MAX
}

#[cfg(test)]
mod tests {
    use headwater_record::{ProducerEpoch, ProducerId};

    use super::*;

    const FIRST: Identity = Identity {
        id: ProducerId::new(7),
        epoch: ProducerEpoch::new(0),
    };
    const SECOND: Identity = Identity {
        id: ProducerId::new(7),
        epoch: ProducerEpoch::new(1),
    };

    /// Sequences with one acknowledged batch of 10 records.
    fn started() -> Sequences {
        let mut sequences = Sequences::default();
        let stamp = sequences.assign(FIRST, 10);
        sequences.acknowledge(stamp, 10);
        sequences
    }

    #[test]
    fn sequences_wrap_to_zero() {
        let mut sequences = Sequences {
            next: i32::MAX - 1,
            acknowledged: i32::MAX - 1,
            ..Sequences::starting(FIRST)
        };
        let first = sequences.assign(FIRST, 3);
        assert_eq!(first.base_sequence, i32::MAX - 1);
        assert_eq!(sequences.assign(FIRST, 1).base_sequence, 1);
        sequences.acknowledge(first, 3);
        assert_eq!(sequences.acknowledged, 1);
    }

    #[test]
    fn a_new_epoch_restarts_the_sequence() {
        let mut sequences = started();
        assert_eq!(sequences.assign(FIRST, 1).base_sequence, 10);
        assert_eq!(sequences.assign(SECOND, 1).base_sequence, 0);
    }

    #[test]
    fn the_second_batch_of_an_epoch_waits_for_the_first() {
        let mut sequences = Sequences::default();
        let stamp = sequences.assign(FIRST, 1);
        assert!(!sequences.can_pipeline(FIRST));
        sequences.acknowledge(stamp, 1);
        assert!(sequences.can_pipeline(FIRST));
        assert!(!sequences.can_pipeline(SECOND));
    }

    #[test]
    fn the_sequences_of_an_unwritten_batch_are_reused() {
        let mut sequences = started();
        let failed = sequences.assign(FIRST, 5);
        sequences.fail(failed, 5, false);
        assert!(!sequences.can_pipeline(FIRST));
        assert_eq!(sequences.resolve(None, false), Resolution::SameEpoch);
        assert_eq!(sequences.assign(FIRST, 1), failed);
    }

    #[test]
    fn a_batch_that_may_be_written_costs_an_epoch() {
        let mut sequences = started();
        let failed = sequences.assign(FIRST, 5);
        sequences.fail(failed, 5, true);
        assert_eq!(sequences.resolve(None, false), Resolution::NewEpoch(FIRST));
        assert_eq!(sequences.assign(SECOND, 1).base_sequence, 0);
    }

    #[test]
    fn the_batch_after_one_that_may_be_written_is_sent_with_its_own_sequence_first() {
        let mut sequences = started();
        let failed = sequences.assign(FIRST, 5);
        let second = sequences.assign(FIRST, 5);
        sequences.fail(failed, 5, true);
        let first = Some(second.base_sequence);
        assert_eq!(sequences.resolve(first, false), Resolution::Keep);
        sequences.confirm_gap();
        assert_eq!(sequences.resolve(first, false), Resolution::NewEpoch(FIRST));
    }

    #[test]
    fn a_later_batch_that_was_written_closes_the_gap() {
        let mut sequences = started();
        let failed = sequences.assign(FIRST, 5);
        let second = sequences.assign(FIRST, 5);
        sequences.fail(failed, 5, true);
        sequences.acknowledge(second, 5);
        assert_eq!(sequences.resolve(None, false), Resolution::Keep);
        assert!(sequences.can_pipeline(FIRST));
        assert_eq!(sequences.assign(FIRST, 1).base_sequence, 20);
    }

    #[test]
    fn a_batch_before_an_acknowledged_one_keeps_its_sequence() {
        let mut sequences = started();
        let first = sequences.assign(FIRST, 5);
        let second = sequences.assign(FIRST, 5);
        sequences.acknowledge(second, 5);
        let base = Some(first.base_sequence);
        assert_eq!(sequences.resolve(base, true), Resolution::Keep);
        assert!(sequences.is_expected(first));
        sequences.acknowledge(first, 5);
        assert_eq!(sequences.assign(FIRST, 1).base_sequence, 20);
    }

    #[test]
    fn a_batch_before_an_acknowledged_one_is_written() {
        let mut sequences = started();
        let first = sequences.assign(FIRST, 5);
        let second = sequences.assign(FIRST, 5);
        let third = sequences.assign(FIRST, 5);
        assert!(!sequences.is_written(first));
        sequences.acknowledge(second, 5);
        assert!(sequences.is_written(first) && sequences.is_written(second));
        assert!(!sequences.is_written(third));
        sequences.assign(SECOND, 1);
        assert!(!sequences.is_written(first));
    }

    #[test]
    fn a_gap_before_a_batch_that_may_be_written_costs_an_epoch() {
        let mut sequences = started();
        let failed = sequences.assign(FIRST, 5);
        let second = sequences.assign(FIRST, 5);
        sequences.fail(failed, 5, false);
        let first = Some(second.base_sequence);
        assert_eq!(sequences.resolve(first, true), Resolution::NewEpoch(FIRST));
    }
}
