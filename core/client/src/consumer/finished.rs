//! How far each partition is finished and committed. Pure.

use std::collections::BTreeMap;

use headwater_record::Offset;

use super::group::offsets::Offsets;
use crate::batch::TopicPartition;

/// How far each partition that is read is finished. Auto-commit commits finished records and nothing else.
///
/// Invariant: the records before an explicit commit are finished at once, and only the caller moves that back, with another commit or with
/// a seek.
#[derive(Debug, Default)]
pub(super) struct Finished(BTreeMap<TopicPartition, Progress>);

/// How far one partition is finished.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// The first offset that is not finished.
    finished: Offset,
    /// What the caller committed since the last seek.
    explicit: Option<Offset>,
    /// What the group is known to have committed.
    committed: Option<Offset>,
}

impl Finished {
    /// Sets the partitions that are read. New ones are finished up to their start; `committed` has those of these offsets that the group has
    /// committed.
    pub(super) fn follow(&mut self, positions: &Offsets, committed: &Offsets) {
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

    /// The records before these offsets are finished. What the caller committed beyond them stays finished.
    pub(super) fn finish(&mut self, next_offsets: &Offsets) {
        for (partition, next) in next_offsets {
            if let Some(progress) = self.0.get_mut(partition) {
                progress.finished = progress
                    .explicit
                    .map_or(*next, |explicit| explicit.max(*next));
            }
        }
    }

    /// The caller commits these offsets.
    pub(super) fn say(&mut self, offsets: &Offsets) {
        for (partition, offset) in offsets {
            if let Some(progress) = self.0.get_mut(partition) {
                progress.finished = *offset;
                progress.explicit = Some(*offset);
            }
        }
    }

    /// The caller seeks: records finished from now on may come before the committed offset.
    pub(super) fn seek(&mut self, partition: &TopicPartition) {
        if let Some(progress) = self.0.get_mut(partition) {
            progress.explicit = None;
        }
    }

    /// The partition starts again at `position`: its topic is another one of the same name.
    pub(super) fn start_over(&mut self, partition: &TopicPartition, position: Offset) {
        if let Some(progress) = self.0.get_mut(partition) {
            *progress = Progress {
                finished: position,
                explicit: None,
                committed: None,
            };
        }
    }

    /// The group has committed these offsets.
    pub(super) fn committed(&mut self, offsets: &Offsets) {
        for (partition, offset) in offsets {
            if let Some(progress) = self.0.get_mut(partition) {
                progress.committed = Some(*offset);
            }
        }
    }

    /// What is finished and not known to be committed.
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

    fn reading_from(position: i64) -> Finished {
        let mut finished = Finished::default();
        finished.follow(&at(position), &Offsets::new());
        finished
    }

    #[test]
    fn what_the_group_has_committed_already_is_not_committed_again() {
        let mut finished = Finished::default();
        finished.follow(&at(7), &at(7));
        assert_eq!(finished.to_commit(), Offsets::new());
        finished.finish(&at(9));
        assert_eq!(finished.to_commit(), at(9));
        finished.committed(&at(9));
        assert_eq!(finished.to_commit(), Offsets::new());
    }

    #[test]
    fn where_a_new_group_starts_is_committed() {
        assert_eq!(reading_from(7).to_commit(), at(7));
    }

    #[test]
    fn a_seek_lets_what_is_finished_go_back() {
        let mut finished = reading_from(0);
        finished.say(&at(40));
        finished.seek(&TopicPartition::new("t", 0));
        assert_eq!(finished.to_commit(), at(40));
        finished.finish(&at(3));
        assert_eq!(finished.to_commit(), at(3));
    }

    #[derive(Debug, Clone)]
    enum Step {
        /// Records were handed out and are finished when the next ones are asked for.
        Finish(i64),
        Commit(i64),
        /// Auto-commit: at the interval, before a revocation, at close.
        ByItself,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..50_i64).prop_map(Step::Finish),
            (0..50_i64).prop_map(Step::Commit),
            Just(Step::ByItself),
        ];
        proptest::collection::vec(step, 0..40)
    }

    proptest! {
        /// Records are handed out in order, and the caller may commit any offset at any time.
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
                        finished.say(&at(offset));
                        finished.committed(&at(offset));
                        group = Some(offset);
                    }
                    Step::ByItself => {
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
