//! The partitions of a consumer: where each stands, and what was fetched ahead. Pure.

use std::collections::{BTreeMap, VecDeque};

use headwater_columnar::FetchedBatches;
use headwater_record::Offset;

use super::options::Ends;
use crate::batch::TopicPartition;
use crate::error::{Error, ErrorKind, Result};

/// One assigned partition.
#[derive(Debug)]
pub(crate) struct Assigned {
    pub(crate) partition: TopicPartition,
    /// The next offset to be handed out; `None` while the start is unknown.
    pub(crate) position: Option<Offset>,
    pub(crate) paused: bool,
    /// What was fetched ahead, in order and without holes: the first starts at `position`.
    pub(crate) ahead: VecDeque<FetchedBatches>,
}

impl Assigned {
    /// The next offset to be fetched.
    pub(crate) fn fetch_offset(&self) -> Option<Offset> {
        match self.ahead.back() {
            Some(batches) => Some(batches.until),
            None => self.position,
        }
    }

    fn seek(&mut self, to: Option<Offset>) {
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

    pub(crate) fn of_topic(&self, topic: &str) -> Vec<TopicPartition> {
        self.sorted(|assigned| &*assigned.partition.topic == topic)
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

    pub(crate) fn len(&self) -> usize {
        self.turns.len()
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

    /// Keeps those of `partitions` that are there, drops the others, and adds what is new at its position, if it has one.
    pub(crate) fn replace(
        &mut self,
        partitions: &[TopicPartition],
        positions: &BTreeMap<TopicPartition, Offset>,
    ) {
        self.turns
            .retain(|assigned| partitions.contains(&assigned.partition));
        for partition in self.missing(partitions) {
            let assigned = Assigned {
                position: positions.get(&partition).copied(),
                partition,
                paused: false,
                ahead: VecDeque::new(),
            };
            self.turns.push_back(assigned);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.turns.clear();
    }

    /// The positions that are known.
    pub(crate) fn positions(&self) -> BTreeMap<TopicPartition, Offset> {
        self.turns
            .iter()
            .filter_map(|assigned| Some((assigned.partition.clone(), assigned.position?)))
            .collect()
    }

    /// The partitions whose start is unknown.
    pub(crate) fn without_position(&self) -> Vec<TopicPartition> {
        self.sorted(|assigned| assigned.position.is_none())
    }

    /// Whether there are partitions and all of them are paused.
    pub(crate) fn is_paused(&self) -> bool {
        !self.is_empty() && self.turns.iter().all(|assigned| assigned.paused)
    }

    pub(crate) fn seek(&mut self, partition: &TopicPartition, to: Offset) {
        if let Some(assigned) = self.get_mut(partition) {
            assigned.seek(Some(to));
        }
    }

    /// Forgets where to go on in a partition.
    pub(crate) fn lose_position(&mut self, partition: &TopicPartition) {
        if let Some(assigned) = self.get_mut(partition) {
            assigned.seek(None);
        }
    }

    fn get_mut(&mut self, partition: &TopicPartition) -> Option<&mut Assigned> {
        self.turns
            .iter_mut()
            .find(|assigned| assigned.partition == *partition)
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
            !assigned.paused
                && assigned
                    .fetch_offset()
                    .is_some_and(|offset| before_end(offset, &assigned.partition, ends))
        })
    }

    /// The next offset to be fetched from a partition, if it is assigned and has a position.
    pub(crate) fn fetch_offset(&self, partition: &TopicPartition) -> Option<Offset> {
        let mut turns = self.turns.iter();
        let assigned = turns.find(|assigned| assigned.partition == *partition)?;
        assigned.fetch_offset()
    }

    /// What may be handed out without a fetch.
    pub(crate) fn ahead(&self, ends: Option<&Ends>) -> Ahead {
        let mut sum = Ahead::default();
        for assigned in self.turns.iter().filter(|assigned| !assigned.paused) {
            for batches in assigned
                .ahead
                .iter()
                .filter(|batches| before_end(batches.from, &assigned.partition, ends))
            {
                sum.offsets += batches.offsets();
                sum.bytes += batches.bytes.len();
            }
        }
        sum
    }

    /// Adds what was fetched, unless the partition has moved since.
    pub(crate) fn add(&mut self, batches: FetchedBatches) {
        if let Some(assigned) = self.get_mut(&TopicPartition::from(&batches))
            && assigned.fetch_offset() == Some(batches.from)
        {
            assigned.ahead.push_back(batches);
        }
    }

    /// The batches to hand out next, in order of partition and offset: turn by turn, until there are records or bytes enough. At least
    /// one, if there is one. They stay where they are until [`Assignment::passed`].
    pub(crate) fn take(
        &self,
        max_records: usize,
        max_bytes: usize,
        ends: Option<&Ends>,
    ) -> Vec<FetchedBatches> {
        let mut taken = Vec::new();
        let mut sum = Ahead::default();
        'turns: for assigned in self.turns.iter().filter(|assigned| !assigned.paused) {
            let end = ends.and_then(|ends| ends.get(&assigned.partition)).copied();
            for batches in &assigned.ahead {
                if end.is_some_and(|end| batches.from >= end) {
                    break;
                }
                let enough = sum.offsets >= max_records as u64
                    || sum.bytes + batches.bytes.len() > max_bytes;
                if enough && !taken.is_empty() {
                    break 'turns;
                }
                let batches =
                    end.map_or_else(|| batches.clone(), |end| batches.clone().split_at(end).0);
                sum.offsets += batches.offsets();
                sum.bytes += batches.bytes.len();
                taken.push(batches);
            }
        }
        taken.sort_by(|a, b| (&a.topic, a.partition, a.from).cmp(&(&b.topic, b.partition, b.from)));
        taken
    }

    /// Records up to these offsets were handed out. A partition that has nothing ahead any more waits for its next turn.
    pub(crate) fn passed(&mut self, next_offsets: &BTreeMap<TopicPartition, Offset>) {
        for assigned in &mut self.turns {
            let Some(next) = next_offsets.get(&assigned.partition) else {
                continue;
            };
            assigned.position = Some(*next);
            while assigned
                .ahead
                .front()
                .is_some_and(|batches| batches.until <= *next)
            {
                assigned.ahead.pop_front();
            }
            if let Some(batches) = assigned.ahead.front_mut() {
                batches.from = *next;
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
