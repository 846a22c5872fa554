//! The finished and committed offset of each partition. No I/O.

use std::collections::BTreeMap;

use headwater_record::Offset;

use super::group::offsets::Offsets;
use crate::batch::TopicPartition;

/// The finished offset of each assigned partition. Auto-commit commits exactly these.
///
/// Invariant: an explicit commit sets the finished offset, and only another explicit commit or a seek can move it back.
#[derive(Debug, Default)]
pub(super) struct FinishedOffsets(BTreeMap<TopicPartition, Progress>);

/// The progress of one partition.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// The first offset that is not finished.
    finished: Offset,
    /// The last explicit commit since the last seek.
    explicit: Option<Offset>,
    /// The group's committed offset, if known.
    committed: Option<Offset>,
}

impl FinishedOffsets {
    /// Sets the assigned partitions. New ones are finished up to their position; `committed` has the known committed
    /// offsets.
    pub(super) fn set_positions(&mut self, positions: &Offsets, committed: &Offsets) {
        self.0
            .retain(|partition, _| positions.contains_key(partition));
        for (partition, position) in positions {
            self.0.entry(partition.clone()).or_insert_with(|| Progress {
                finished: *position,
                explicit: None,
                committed: committed.get(partition).copied(),
            });
        }
    }

    /// Finishes the records before these offsets. Never goes below an explicit commit.
    pub(super) fn finish(&mut self, next_offsets: &Offsets) {
        for (partition, next) in next_offsets {
            if let Some(progress) = self.0.get_mut(partition) {
                progress.finished = progress
                    .explicit
                    .map_or(*next, |explicit| explicit.max(*next));
            }
        }
    }

    /// Records an explicit commit.
    pub(super) fn commit_explicitly(&mut self, offsets: &Offsets) {
        for (partition, offset) in offsets {
            if let Some(progress) = self.0.get_mut(partition) {
                progress.finished = *offset;
                progress.explicit = Some(*offset);
            }
        }
    }

    /// Records a seek: the finished offset may go back.
    pub(super) fn seek(&mut self, partition: &TopicPartition) {
        if let Some(progress) = self.0.get_mut(partition) {
            progress.explicit = None;
        }
    }

    /// Restarts the partition of a recreated topic at `position`.
    pub(super) fn restart(&mut self, partition: &TopicPartition, position: Offset) {
        if let Some(progress) = self.0.get_mut(partition) {
            *progress = Progress {
                finished: position,
                explicit: None,
                committed: None,
            };
        }
    }

    /// Records a successful commit.
    pub(super) fn committed(&mut self, offsets: &Offsets) {
        for (partition, offset) in offsets {
            if let Some(progress) = self.0.get_mut(partition) {
                progress.committed = Some(*offset);
            }
        }
    }

    /// The finished offsets that are not known to be committed.
    pub(super) fn to_commit(&self) -> Offsets {
        self.0
            .iter()
            .filter(|(_, progress)| progress.committed != Some(progress.finished))
            .map(|(partition, progress)| (partition.clone(), progress.finished))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(offset: i64) -> Offsets {
        Offsets::from([(TopicPartition::new("t", 0), Offset::new(offset))])
    }

    fn reading_from(position: i64) -> FinishedOffsets {
        let mut finished = FinishedOffsets::default();
        finished.set_positions(&at(position), &Offsets::new());
        finished
    }

    #[test]
    fn committed_offsets_are_not_committed_again() {
        let mut finished = FinishedOffsets::default();
        finished.set_positions(&at(7), &at(7));
        assert_eq!(finished.to_commit(), Offsets::new());
        finished.finish(&at(9));
        assert_eq!(finished.to_commit(), at(9));
        finished.committed(&at(9));
        assert_eq!(finished.to_commit(), Offsets::new());
    }

    #[test]
    fn the_start_of_a_new_group_is_committed() {
        assert_eq!(reading_from(7).to_commit(), at(7));
    }

    #[test]
    fn a_seek_lets_the_finished_offset_go_back() {
        let mut finished = reading_from(0);
        finished.commit_explicitly(&at(40));
        finished.seek(&TopicPartition::new("t", 0));
        assert_eq!(finished.to_commit(), at(40));
        finished.finish(&at(3));
        assert_eq!(finished.to_commit(), at(3));
    }

    #[derive(Debug, Clone)]
    enum Step {
        /// Records were returned, and finish with the next poll.
        Finish(i64),
        Commit(i64),
        /// At the interval, before a revocation, or on close.
        AutoCommit,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..50_i64).prop_map(Step::Finish),
            (0..50_i64).prop_map(Step::Commit),
            Just(Step::AutoCommit),
        ];
        proptest::collection::vec(step, 0..40)
    }

    proptest! {
        /// Records are returned in order; the caller may commit any offset at any time.
        #[test]
        fn a_commit_by_itself_never_goes_back(steps in steps()) {
            let mut finished = reading_from(0);
            let (mut handed_out, mut group) = (0, None);
            for step in steps {
                match step {
                    Step::Finish(more) => {
                        handed_out += more;
                        finished.finish(&at(handed_out));
                    }
                    Step::Commit(offset) => {
                        finished.commit_explicitly(&at(offset));
                        finished.committed(&at(offset));
                        group = Some(offset);
                    }
                    Step::AutoCommit => {
                        let commit = finished.to_commit();
                        if let Some(offset) = commit.values().next() {
                            prop_assert!(group.is_none_or(|group| offset.get() > group));
                            group = Some(offset.get());
                        }
                        finished.committed(&commit);
                    }
                }
            }
        }
    }
}
