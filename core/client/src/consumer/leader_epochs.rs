//! The leader epochs of the records that were read of one partition. No I/O.

use std::collections::VecDeque;

use headwater_record::Offset;

/// The maximum number of stored epochs. A consumer that lags behind by more leader changes commits without an epoch.
const EPOCHS_MAX: usize = 64;

/// The leader epoch of each record in a range of offsets, as runs of one epoch.
#[derive(Debug, Default)]
pub(crate) struct LeaderEpochs {
    /// The first offset and the epoch of each run, in the order of offsets.
    runs: VecDeque<(Offset, i32)>,
    /// The end of the last run (exclusive).
    end: Offset,
}

impl LeaderEpochs {
    /// The leader epoch of the record before `offset`, if known.
    pub(crate) fn before(&self, offset: Offset) -> Option<i32> {
        if offset > self.end {
            return None;
        }
        let mut runs = self.runs.iter().rev();
        let run = runs.find(|(start, _)| *start < offset);
        run.map(|(_, epoch)| *epoch)
    }

    /// Adds the next batch. If it begins before the end, it replaces the part from its start on. A batch without an
    /// epoch ends the known range.
    pub(crate) fn append(&mut self, start: Offset, end: Offset, epoch: Option<i32>) {
        self.truncate_to(start);
        let Some(epoch) = epoch else {
            self.runs.clear();
            return;
        };
        if self.runs.back().is_none_or(|(_, last)| *last != epoch) {
            self.runs.push_back((start, epoch));
        }
        if self.runs.len() > EPOCHS_MAX {
            self.runs.pop_front();
        }
        self.end = end;
    }

    /// Keeps the epochs before `offset`. Drops everything if the known range does not reach it.
    pub(crate) fn seek(&mut self, offset: Offset) {
        if self.before(offset).is_some() {
            self.truncate_to(offset);
        } else {
            self.runs.clear();
        }
    }

    /// Starts with the record before `offset`.
    pub(crate) fn start_at(&mut self, offset: Offset, epoch: i32) {
        self.runs.clear();
        if offset > Offset::ZERO {
            self.runs.push_back((Offset::new(offset.get() - 1), epoch));
        }
        self.end = offset;
    }

    fn truncate_to(&mut self, offset: Offset) {
        while self.runs.back().is_some_and(|(start, _)| *start >= offset) {
            self.runs.pop_back();
        }
        self.end = self.end.min(offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(batches: &[(i64, i64, i32)]) -> LeaderEpochs {
        let mut epochs = LeaderEpochs::default();
        for (start, end, epoch) in batches {
            let epoch = (*epoch >= 0).then_some(*epoch);
            epochs.append(Offset::new(*start), Offset::new(*end), epoch);
        }
        epochs
    }

    fn before(epochs: &LeaderEpochs, offsets: &[i64]) -> Vec<Option<i32>> {
        let offsets = offsets.iter();
        offsets
            .map(|offset| epochs.before(Offset::new(*offset)))
            .collect()
    }

    #[test]
    fn the_epoch_before_an_offset_is_that_of_the_record_before_it() {
        let epochs = epochs(&[(5, 10, 1), (10, 15, 1), (15, 20, 4)]);
        let found = before(&epochs, &[5, 6, 15, 16, 20, 21]);
        assert_eq!(found, [None, Some(1), Some(1), Some(4), Some(4), None]);
    }

    #[test]
    fn a_batch_of_unknown_epoch_ends_the_known_range() {
        let mut epochs = epochs(&[(0, 5, 1), (5, 10, -1)]);
        assert_eq!(before(&epochs, &[5, 10]), [None, None]);
        epochs.append(Offset::new(10), Offset::new(12), Some(2));
        assert_eq!(before(&epochs, &[10, 12]), [None, Some(2)]);
    }

    #[test]
    fn a_seek_back_keeps_earlier_epochs() {
        let mut epochs = epochs(&[(0, 5, 1), (5, 10, 3)]);
        epochs.seek(Offset::new(4));
        assert_eq!(before(&epochs, &[4, 5, 10]), [Some(1), None, None]);
        epochs.append(Offset::new(4), Offset::new(8), Some(5));
        assert_eq!(before(&epochs, &[4, 8]), [Some(1), Some(5)]);
    }

    #[test]
    fn a_seek_past_the_end_drops_everything() {
        let mut epochs = epochs(&[(0, 5, 1)]);
        epochs.seek(Offset::new(100));
        assert_eq!(before(&epochs, &[3, 100]), [None, None]);
    }

    #[test]
    fn a_committed_offset_has_the_epoch_of_the_record_before_it() {
        let mut epochs = LeaderEpochs::default();
        epochs.start_at(Offset::new(7), 2);
        assert_eq!(before(&epochs, &[6, 7, 8]), [None, Some(2), None]);
        epochs.start_at(Offset::ZERO, 2);
        assert_eq!(before(&epochs, &[0]), [None]);
    }
}
