//! The partitions of a consumer: where each stands, and what was fetched ahead. Pure.

use std::collections::{BTreeMap, VecDeque};

use headwater_record::Offset;

use crate::batch::TopicPartition;
use crate::chunk::Chunk;
use crate::error::{Error, ErrorKind, Result};

/// Offsets at which reading stops, exclusive.
pub(crate) type Ends = BTreeMap<TopicPartition, Offset>;

/// One assigned partition.
#[derive(Debug)]
pub(crate) struct Assigned {
    pub(crate) partition: TopicPartition,
    /// The next offset to be handed out.
    pub(crate) position: Offset,
    pub(crate) paused: bool,
    /// What was fetched ahead, in order and without holes: the first chunk starts at `position`.
    pub(crate) ahead: VecDeque<Chunk>,
}

impl Assigned {
    /// The next offset to be fetched.
    pub(crate) fn fetch_offset(&self) -> Offset {
        self.ahead.back().map_or(self.position, |chunk| chunk.next)
    }

    fn seek(&mut self, to: Offset) {
        self.position = to;
        self.ahead.clear();
    }
}

/// All assigned partitions, the one whose turn it is first.
#[derive(Debug, Default)]
pub(crate) struct Assignment {
    turns: VecDeque<Assigned>,
}

/// What was fetched ahead and may be handed out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ahead {
    pub(crate) offsets: u64,
    pub(crate) bytes: usize,
}

impl Assignment {
    pub(crate) fn partitions(&self) -> Vec<TopicPartition> {
        self.sorted(|_| true)
    }

    pub(crate) fn paused(&self) -> Vec<TopicPartition> {
        self.sorted(|assigned| assigned.paused)
    }

    fn sorted(&self, keep: impl Fn(&Assigned) -> bool) -> Vec<TopicPartition> {
        let mut partitions: Vec<_> = self
            .turns
            .iter()
            .filter(|assigned| keep(assigned))
            .map(|assigned| assigned.partition.clone())
            .collect();
        partitions.sort_unstable();
        partitions
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    pub(crate) fn contains(&self, partition: &TopicPartition) -> bool {
        self.turns
            .iter()
            .any(|assigned| assigned.partition == *partition)
    }

    /// Those of `partitions` that are not assigned.
    pub(crate) fn missing(&self, partitions: &[TopicPartition]) -> Vec<TopicPartition> {
        partitions
            .iter()
            .filter(|partition| !self.contains(partition))
            .cloned()
            .collect()
    }

    /// Drops these partitions.
    pub(crate) fn drop_all(&mut self, partitions: &[TopicPartition]) {
        self.turns
            .retain(|assigned| !partitions.contains(&assigned.partition));
    }

    /// Keeps the partitions of `positions` that are there, drops the others, and adds what is new at its position.
    pub(crate) fn replace(
        &mut self,
        partitions: &[TopicPartition],
        positions: &BTreeMap<TopicPartition, Offset>,
    ) {
        self.turns
            .retain(|assigned| partitions.contains(&assigned.partition));
        for partition in partitions {
            if let Some(position) = positions.get(partition)
                && !self.contains(partition)
            {
                let assigned = Assigned {
                    partition: partition.clone(),
                    position: *position,
                    paused: false,
                    ahead: VecDeque::new(),
                };
                self.turns.push_back(assigned);
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.turns.clear();
    }

    pub(crate) fn positions(&self) -> BTreeMap<TopicPartition, Offset> {
        self.turns
            .iter()
            .map(|assigned| (assigned.partition.clone(), assigned.position))
            .collect()
    }

    pub(crate) fn seek(&mut self, partition: &TopicPartition, to: Offset) {
        if let Some(assigned) = self
            .turns
            .iter_mut()
            .find(|assigned| assigned.partition == *partition)
        {
            assigned.seek(to);
        }
    }

    /// The named partitions if all are assigned; all assigned ones if none is named.
    pub(crate) fn named(&self, partitions: &[TopicPartition]) -> Result<Vec<TopicPartition>> {
        if partitions.is_empty() {
            return Ok(self.partitions());
        }
        match partitions.iter().find(|partition| !self.contains(partition)) {
            None => Ok(partitions.to_vec()),
            Some(partition) => Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("{partition} is not assigned to this consumer: assign it first, or leave it out."),
            )
            .in_topic(partition.topic.clone())
            .in_partition(partition.partition)),
        }
    }

    pub(crate) fn set_paused(&mut self, partitions: &[TopicPartition], paused: bool) {
        for assigned in &mut self.turns {
            if partitions.contains(&assigned.partition) {
                assigned.paused = paused;
            }
        }
    }

    /// The partitions that may be fetched from, those whose turn it is first.
    pub(crate) fn fetchable<'a>(
        &'a self,
        ends: Option<&'a Ends>,
    ) -> impl Iterator<Item = &'a Assigned> {
        self.turns.iter().filter(move |assigned| {
            !assigned.paused && before_end(assigned.fetch_offset(), &assigned.partition, ends)
        })
    }

    /// What may be handed out without a fetch.
    pub(crate) fn ahead(&self, ends: Option<&Ends>) -> Ahead {
        let mut sum = Ahead::default();
        for assigned in self.turns.iter().filter(|assigned| !assigned.paused) {
            for chunk in assigned
                .ahead
                .iter()
                .filter(|chunk| before_end(chunk.from, &assigned.partition, ends))
            {
                sum.offsets += chunk.offsets();
                sum.bytes += chunk.bytes.len();
            }
        }
        sum
    }

    /// Adds what was fetched, unless the partition has moved since.
    pub(crate) fn add(&mut self, partition: &TopicPartition, chunk: Chunk) {
        if let Some(assigned) = self
            .turns
            .iter_mut()
            .find(|assigned| assigned.partition == *partition)
            && assigned.fetch_offset() == chunk.from
        {
            assigned.ahead.push_back(chunk);
        }
    }

    /// The chunks to be handed out next, in order of partition and offset: turn by turn, until there are records or bytes enough. At least
    /// one, if there is one. They stay where they are until [`Assignment::passed`].
    pub(crate) fn take(
        &self,
        max_records: usize,
        max_bytes: usize,
        ends: Option<&Ends>,
    ) -> Vec<(TopicPartition, Chunk)> {
        let mut taken = Vec::new();
        let mut sum = Ahead::default();
        'turns: for assigned in self.turns.iter().filter(|assigned| !assigned.paused) {
            let end = ends.and_then(|ends| ends.get(&assigned.partition)).copied();
            for chunk in &assigned.ahead {
                if end.is_some_and(|end| chunk.from >= end) {
                    break;
                }
                let enough =
                    sum.offsets >= max_records as u64 || sum.bytes + chunk.bytes.len() > max_bytes;
                if enough && !taken.is_empty() {
                    break 'turns;
                }
                let chunk = end.map_or_else(|| chunk.clone(), |end| chunk.clone().split_at(end).0);
                sum.offsets += chunk.offsets();
                sum.bytes += chunk.bytes.len();
                taken.push((assigned.partition.clone(), chunk));
            }
        }
        taken.sort_by(|(a, x), (b, y)| a.cmp(b).then(x.from.cmp(&y.from)));
        taken
    }

    /// Records up to these offsets were handed out. A partition that has nothing ahead any more waits for its next turn.
    pub(crate) fn passed(&mut self, next_offsets: &BTreeMap<TopicPartition, Offset>) {
        for assigned in &mut self.turns {
            let Some(next) = next_offsets.get(&assigned.partition) else {
                continue;
            };
            assigned.position = *next;
            while assigned
                .ahead
                .front()
                .is_some_and(|chunk| chunk.next <= *next)
            {
                assigned.ahead.pop_front();
            }
            if let Some(chunk) = assigned.ahead.front_mut() {
                chunk.from = *next;
            }
        }
        let (waiting, done): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.turns)
            .into_iter()
            .partition(|assigned| {
                !assigned.ahead.is_empty() || !next_offsets.contains_key(&assigned.partition)
            });
        self.turns = waiting;
        self.turns.extend(done);
    }
}

fn before_end(offset: Offset, partition: &TopicPartition, ends: Option<&Ends>) -> bool {
    ends.is_none_or(|ends| ends.get(partition).is_some_and(|end| offset < *end))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use headwater_record::PartitionId;

    use super::*;

    fn partition(number: i32) -> TopicPartition {
        TopicPartition::new("t", PartitionId::new(number))
    }

    fn chunk(from: i64, next: i64) -> Chunk {
        Chunk {
            bytes: Bytes::from(vec![0; 100]),
            from: Offset::new(from),
            next: Offset::new(next),
        }
    }

    fn assigned(numbers: &[i32]) -> Assignment {
        let partitions: Vec<_> = numbers.iter().copied().map(partition).collect();
        let positions = partitions
            .iter()
            .map(|partition| (partition.clone(), Offset::ZERO))
            .collect();
        let mut assignment = Assignment::default();
        assignment.replace(&partitions, &positions);
        assignment
    }

    fn numbers(taken: &[(TopicPartition, Chunk)]) -> Vec<i32> {
        taken
            .iter()
            .map(|(partition, _)| partition.partition.get())
            .collect()
    }

    #[test]
    fn each_partition_has_its_turn() {
        let mut assignment = assigned(&[0, 1, 2]);
        let mut order = Vec::new();
        for round in 0..2_i64 {
            for number in 0..3 {
                assignment.add(&partition(number), chunk(round * 10, round * 10 + 10));
            }
        }
        for _ in 0..6 {
            let taken = assignment.take(10, 1 << 20, None);
            order.extend(numbers(&taken));
            let passed = taken
                .iter()
                .map(|(partition, chunk)| (partition.clone(), chunk.next))
                .collect();
            assignment.passed(&passed);
        }
        // What lies ahead of a partition goes together; then it is the next one's turn.
        assert_eq!(order, [0, 0, 1, 1, 2, 2]);
        assert!(
            assignment
                .positions()
                .values()
                .all(|position| *position == Offset::new(20))
        );
    }

    #[test]
    fn a_partition_that_always_has_more_does_not_starve_the_others() {
        let mut assignment = assigned(&[0, 1]);
        assignment.add(&partition(0), chunk(0, 10));
        assignment.add(&partition(1), chunk(0, 10));
        let taken = assignment.take(10, 1 << 20, None);
        assert_eq!(numbers(&taken), [0]);
        assignment.passed(&BTreeMap::from([(partition(0), Offset::new(10))]));
        assignment.add(&partition(0), chunk(10, 20));
        assert_eq!(numbers(&assignment.take(10, 1 << 20, None)), [1]);
    }

    #[test]
    fn what_was_fetched_for_another_position_is_dropped() {
        let mut assignment = assigned(&[0]);
        assignment.seek(&partition(0), Offset::new(5));
        assignment.add(&partition(0), chunk(0, 10));
        assert_eq!(assignment.ahead(None), Ahead::default());
    }

    #[test]
    fn nothing_is_handed_out_beyond_the_end_and_nothing_is_lost_there() {
        let mut assignment = assigned(&[0]);
        assignment.add(&partition(0), chunk(0, 10));
        let ends = Ends::from([(partition(0), Offset::new(4))]);
        let taken = assignment.take(100, 1 << 20, Some(&ends));
        assert_eq!(taken[0].1.next, Offset::new(4));
        assignment.passed(&BTreeMap::from([(partition(0), Offset::new(4))]));
        assert!(assignment.take(100, 1 << 20, Some(&ends)).is_empty());
        assert_eq!(
            assignment.take(100, 1 << 20, None)[0].1.from,
            Offset::new(4)
        );
    }

    #[test]
    fn paused_partitions_keep_what_is_ahead_of_them() {
        let mut assignment = assigned(&[0, 1]);
        assignment.add(&partition(0), chunk(0, 10));
        assignment.set_paused(&[partition(0)], true);
        assert!(assignment.take(10, 1 << 20, None).is_empty());
        assert_eq!(assignment.fetchable(None).count(), 1);
        assignment.set_paused(&[partition(0)], false);
        assert_eq!(numbers(&assignment.take(10, 1 << 20, None)), [0]);
    }
}
