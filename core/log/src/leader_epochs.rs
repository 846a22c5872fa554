//! The start offset of each leader epoch: `leader-epoch-checkpoint` (KIP-101, KIP-279).

use headwater_record::{LeaderEpoch, Offset};

use crate::checkpoint;
use crate::types::EpochEnd;

/// One line of the checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EpochStart {
    pub(crate) leader_epoch: LeaderEpoch,
    pub(crate) start_offset: Offset,
}

/// The epochs of a log. Both epochs and start offsets ascend strictly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LeaderEpochs {
    entries: Vec<EpochStart>,
}

impl LeaderEpochs {
    /// Parses the checkpoint.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut epochs = Self::default();
        for line in checkpoint::parse(text)? {
            let mut words = line.split(' ');
            let entry = (|| {
                let leader_epoch = words.next()?.parse().ok().filter(|epoch| *epoch >= 0)?;
                let start_offset = words.next()?.parse().ok().filter(|offset| *offset >= 0)?;
                words.next().is_none().then_some(EpochStart {
                    leader_epoch: LeaderEpoch::new(leader_epoch),
                    start_offset: Offset::new(start_offset),
                })
            })()
            .ok_or_else(|| format!("the line {line:?} is not an epoch and an offset"))?;
            if epochs.entries.last().is_some_and(|last| {
                last.leader_epoch >= entry.leader_epoch || last.start_offset >= entry.start_offset
            }) {
                return Err(format!("the line {line:?} is out of order"));
            }
            epochs.entries.push(entry);
        }
        Ok(epochs)
    }

    /// Formats the checkpoint.
    pub(crate) fn format(&self) -> String {
        checkpoint::format(
            self.entries
                .iter()
                .map(|entry| format!("{} {}", entry.leader_epoch, entry.start_offset)),
        )
    }

    /// The newest epoch.
    pub(crate) fn latest(&self) -> Option<LeaderEpoch> {
        self.entries.last().map(|entry| entry.leader_epoch)
    }

    /// The epoch of the record at an offset, if the known epochs go back that far.
    pub(crate) fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        let after = self
            .entries
            .partition_point(|entry| entry.start_offset <= offset);
        Some(self.entries[after.checked_sub(1)?].leader_epoch)
    }

    /// The start offsets of the epochs, ascending.
    pub(crate) fn start_offsets(&self) -> impl Iterator<Item = Offset> {
        self.entries.iter().map(|entry| entry.start_offset)
    }

    /// Whether there is more than one.
    pub(crate) fn has_several(&self) -> bool {
        self.entries.len() > 1
    }

    /// The start offset of the oldest epoch. There are no records before it.
    pub(crate) fn first_offset(&self) -> Option<Offset> {
        self.entries.first().map(|entry| entry.start_offset)
    }

    /// Adds an epoch that starts at the offset, unless it has started already. Removes entries that contradict it (same
    /// or newer epoch, same or later start). Returns whether anything changed.
    pub(crate) fn assign(&mut self, leader_epoch: LeaderEpoch, start_offset: Offset) -> bool {
        if self.entries.last().is_some_and(|last| {
            last.leader_epoch == leader_epoch && start_offset >= last.start_offset
        }) {
            return false;
        }
        self.entries
            .retain(|entry| entry.leader_epoch < leader_epoch && entry.start_offset < start_offset);
        self.entries.push(EpochStart {
            leader_epoch,
            start_offset,
        });
        true
    }

    /// The end offset of the largest epoch that is not larger than `wanted`.
    pub(crate) fn end_offset_for(
        &self,
        wanted: LeaderEpoch,
        log_end_offset: Offset,
    ) -> Option<EpochEnd> {
        let after = self
            .entries
            .partition_point(|entry| entry.leader_epoch <= wanted);
        let found = self.entries.get(after.checked_sub(1)?)?;
        let end_offset = self
            .entries
            .get(after)
            .map_or(log_end_offset, |next| next.start_offset);
        Some(EpochEnd {
            leader_epoch: found.leader_epoch,
            end_offset,
        })
    }

    /// Chooses between the epochs of the batches and the epochs that were known before. Compaction may have removed the
    /// first batches of an epoch, or all of them; so the known epochs are right if they include every epoch of the
    /// batches and no newer one.
    pub(crate) fn or_known(self, mut known: Self, log_end_offset: Offset) -> Self {
        known.truncate_from_end(log_end_offset);
        let has = |found: &EpochStart| {
            known.entries.iter().any(|entry| {
                entry.leader_epoch == found.leader_epoch && entry.start_offset <= found.start_offset
            })
        };
        let is_newer = !self.entries.is_empty() && known.latest() > self.latest();
        if self.entries.iter().all(has) && !is_newer {
            known
        } else {
            self
        }
    }

    /// Removes the epochs that begin at or after the end of the log. Returns whether anything changed.
    pub(crate) fn truncate_from_end(&mut self, log_end_offset: Offset) -> bool {
        let before = self.entries.len();
        self.entries
            .retain(|entry| entry.start_offset < log_end_offset);
        self.entries.len() != before
    }

    /// Removes the epochs that end at or before the start of the log. The epoch that contains the start begins there
    /// from now on. Returns whether anything changed.
    pub(crate) fn truncate_from_start(&mut self, log_start_offset: Offset) -> bool {
        let ended = self
            .entries
            .partition_point(|entry| entry.start_offset <= log_start_offset);
        let Some(holder) = ended.checked_sub(1) else {
            return false;
        };
        if holder == 0 && self.entries[0].start_offset == log_start_offset {
            return false;
        }
        self.entries.drain(..holder);
        self.entries[0].start_offset = log_start_offset;
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn epochs(pairs: &[(i32, i64)]) -> LeaderEpochs {
        let mut epochs = LeaderEpochs::default();
        for (epoch, start) in pairs {
            epochs.assign(LeaderEpoch::new(*epoch), Offset::new(*start));
        }
        epochs
    }

    fn end(epochs: &LeaderEpochs, wanted: i32) -> Option<(i32, i64)> {
        epochs
            .end_offset_for(LeaderEpoch::new(wanted), Offset::new(100))
            .map(|end| (end.leader_epoch.get(), end.end_offset.get()))
    }

    #[test]
    fn an_epoch_ends_where_the_next_begins() {
        let epochs = epochs(&[(2, 0), (4, 10), (5, 60)]);
        assert_eq!(end(&epochs, 1), None);
        assert_eq!(end(&epochs, 2), Some((2, 10)));
        assert_eq!(end(&epochs, 3), Some((2, 10)));
        assert_eq!(end(&epochs, 4), Some((4, 60)));
        assert_eq!(end(&epochs, 9), Some((5, 100)));
    }

    #[test]
    fn the_epoch_that_contains_the_start_begins_there() {
        let mut epochs = epochs(&[(2, 0), (4, 10), (5, 60)]);
        assert!(epochs.truncate_from_start(Offset::new(30)));
        assert_eq!(epochs.format(), "0\n2\n4 30\n5 60\n");
        assert!(!epochs.truncate_from_start(Offset::new(30)));
        assert!(epochs.truncate_from_end(Offset::new(60)));
        assert_eq!(epochs.format(), "0\n1\n4 30\n");
    }

    #[test]
    fn known_epochs_win_unless_the_batches_have_more() {
        let known = epochs(&[(2, 0), (4, 10), (5, 60), (7, 200)]);
        let end = Offset::new(100);
        let found = epochs(&[(2, 3), (5, 70)]);
        assert_eq!(
            found.or_known(known.clone(), end).format(),
            "0\n3\n2 0\n4 10\n5 60\n"
        );
        let newer = epochs(&[(2, 3), (6, 70)]);
        assert_eq!(newer.clone().or_known(known.clone(), end), newer);
        let older = epochs(&[(2, 3), (4, 70)]);
        assert_eq!(older.clone().or_known(known.clone(), end), older);
        let earlier = epochs(&[(4, 9)]);
        assert_eq!(earlier.clone().or_known(known, end), earlier);
    }

    #[test]
    fn a_checkpoint_that_goes_back_is_refused() {
        assert!(LeaderEpochs::parse("0\n2\n2 5\n1 9\n").is_err());
        assert!(LeaderEpochs::parse("0\n2\n1 5\n2 5\n").is_err());
        assert!(LeaderEpochs::parse("0\n1\n1 5 7\n").is_err());
    }

    proptest! {
        #[test]
        fn any_order_of_changes_keeps_epochs_and_offsets_ascending(
            changes in prop::collection::vec((0..3_u8, 0..20_i32, 0..200_i64), 0..40)
        ) {
            let mut epochs = LeaderEpochs::default();
            for (kind, epoch, offset) in changes {
                match kind {
                    0 => { epochs.assign(LeaderEpoch::new(epoch), Offset::new(offset)); }
                    1 => { epochs.truncate_from_end(Offset::new(offset)); }
                    _ => { epochs.truncate_from_start(Offset::new(offset)); }
                }
                let ascends = epochs.entries.is_sorted_by(|a, b| {
                    a.leader_epoch < b.leader_epoch && a.start_offset < b.start_offset
                });
                prop_assert!(ascends);
                prop_assert_eq!(&LeaderEpochs::parse(&epochs.format()).unwrap(), &epochs);
            }
        }

        #[test]
        fn the_end_of_an_epoch_agrees_with_the_epoch_of_each_record(
            lengths in prop::collection::vec((1..4_i32, 1..10_i64), 1..12), wanted in 0..50_i32
        ) {
            let (mut epoch, mut offset) = (0, 0);
            let mut epochs = LeaderEpochs::default();
            let mut of_record = Vec::new();
            for (step, records) in lengths {
                epoch += step;
                epochs.assign(LeaderEpoch::new(epoch), Offset::new(offset));
                offset += records;
                of_record.extend(std::iter::repeat_n(epoch, records as usize));
            }
            let end = epochs.end_offset_for(LeaderEpoch::new(wanted), Offset::new(offset));
            let expected = of_record.iter().rposition(|epoch| *epoch <= wanted);
            prop_assert_eq!(end.map(|end| end.end_offset.get()), expected.map(|last| last as i64 + 1));
            prop_assert_eq!(end.map(|end| end.leader_epoch.get()), expected.map(|last| of_record[last]));
        }
    }
}
