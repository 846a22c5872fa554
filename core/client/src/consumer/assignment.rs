//! The assigned partitions: positions, pauses and batches fetched ahead. No I/O.

use std::collections::{BTreeMap, VecDeque};

use headwater_columnar::FetchedBatches;
use headwater_record::Offset;

use super::leader_epochs::LeaderEpochs;
use super::options::Ends;
use super::preferred_replica::PreferredReplica;
use crate::batch::TopicPartition;
use crate::error::{Error, ErrorKind, Result};
use crate::fetch::headers;

/// One assigned partition.
#[derive(Debug)]
pub(crate) struct AssignedPartition {
    pub(crate) partition: TopicPartition,
    /// The next offset to return; `None` until the start is known.
    pub(crate) position: Option<Offset>,
    pub(crate) paused: bool,
    /// Batches fetched ahead, contiguous from `position`.
    pub(crate) ahead: VecDeque<FetchedBatches>,
    /// The leader epochs of the records that were fetched.
    pub(crate) leader_epochs: LeaderEpochs,
    /// The leader epoch in which the fetch offset was valid; `None` if it was never validated.
    pub(crate) validated_epoch: Option<i32>,
    pub(crate) preferred_replica: Option<PreferredReplica>,
    /// The fetch offset at which the last response had no records.
    empty_at: Option<Offset>,
}

impl AssignedPartition {
    /// The next offset to fetch.
    pub(crate) fn fetch_offset(&self) -> Option<Offset> {
        match self.ahead.back() {
            Some(batches) => Some(batches.until),
            None => self.position,
        }
    }

    fn new(partition: TopicPartition, position: Option<Offset>) -> Self {
        Self {
            partition,
            position,
            paused: false,
            ahead: VecDeque::new(),
            leader_epochs: LeaderEpochs::default(),
            validated_epoch: None,
            preferred_replica: None,
            empty_at: None,
        }
    }

    pub(super) fn seek(&mut self, to: Option<Offset>) {
        self.position = to;
        self.ahead.clear();
        self.empty_at = None;
        if let Some(to) = to {
            self.leader_epochs.seek(to);
        } else {
            self.leader_epochs = LeaderEpochs::default();
            self.validated_epoch = None;
        }
    }
}

/// All assigned partitions, as a round-robin queue: the first one is read next.
#[derive(Debug, Default)]
pub(crate) struct Assignment {
    queue: VecDeque<AssignedPartition>,
}

/// The amount that can be returned without a fetch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FetchedAhead {
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

    fn sorted(&self, keep: impl Fn(&AssignedPartition) -> bool) -> Vec<TopicPartition> {
        let mut partitions: Vec<_> = self
            .queue
            .iter()
            .filter(|assigned| keep(assigned))
            .map(|assigned| assigned.partition.clone())
            .collect();
        partitions.sort_unstable();
        partitions
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn contains(&self, partition: &TopicPartition) -> bool {
        self.queue
            .iter()
            .any(|assigned| assigned.partition == *partition)
    }

    /// Those of `partitions` that are not assigned.
    pub(crate) fn not_assigned(&self, partitions: &[TopicPartition]) -> Vec<TopicPartition> {
        partitions
            .iter()
            .filter(|partition| !self.contains(partition))
            .cloned()
            .collect()
    }

    /// Drops these partitions.
    pub(crate) fn drop_all(&mut self, partitions: &[TopicPartition]) {
        self.queue
            .retain(|assigned| !partitions.contains(&assigned.partition));
    }

    /// Sets the assignment. Partitions that stay keep their position; new ones start at theirs in `positions`, if any.
    pub(crate) fn replace(
        &mut self,
        partitions: &[TopicPartition],
        positions: &BTreeMap<TopicPartition, Offset>,
    ) {
        self.queue
            .retain(|assigned| partitions.contains(&assigned.partition));
        for partition in self.not_assigned(partitions) {
            let position = positions.get(&partition).copied();
            self.queue
                .push_back(AssignedPartition::new(partition, position));
        }
    }

    pub(crate) fn clear(&mut self) {
        self.queue.clear();
    }

    /// The known positions.
    pub(crate) fn positions(&self) -> BTreeMap<TopicPartition, Offset> {
        self.queue
            .iter()
            .filter_map(|assigned| Some((assigned.partition.clone(), assigned.position?)))
            .collect()
    }

    /// The partitions without a position.
    pub(crate) fn without_position(&self) -> Vec<TopicPartition> {
        self.sorted(|assigned| assigned.position.is_none())
    }

    /// Whether there are partitions and all of them are paused.
    pub(crate) fn is_paused(&self) -> bool {
        !self.is_empty() && self.queue.iter().all(|assigned| assigned.paused)
    }

    pub(crate) fn seek(&mut self, partition: &TopicPartition, to: Offset) {
        if let Some(assigned) = self.get_mut(partition) {
            assigned.seek(Some(to));
        }
    }

    /// [`Assignment::seek`] in a log that is not the one that was read: what is known of the old one is dropped.
    pub(crate) fn restart(&mut self, partition: &TopicPartition, at: Offset) {
        self.clear_position(partition);
        self.seek(partition, at);
    }

    /// Clears the position of a partition.
    pub(crate) fn clear_position(&mut self, partition: &TopicPartition) {
        if let Some(assigned) = self.get_mut(partition) {
            assigned.seek(None);
        }
    }

    pub(super) fn get(&self, partition: &TopicPartition) -> Option<&AssignedPartition> {
        self.queue
            .iter()
            .find(|assigned| assigned.partition == *partition)
    }

    pub(super) fn get_mut(&mut self, partition: &TopicPartition) -> Option<&mut AssignedPartition> {
        self.queue
            .iter_mut()
            .find(|assigned| assigned.partition == *partition)
    }

    /// The given partitions, which must be assigned; all assigned ones if empty.
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
        for assigned in &mut self.queue {
            if partitions.contains(&assigned.partition) {
                assigned.paused = paused;
            }
        }
    }

    /// The partitions that can be fetched, in queue order.
    pub(crate) fn fetchable<'a>(
        &'a self,
        ends: Option<&'a Ends>,
    ) -> impl Iterator<Item = &'a AssignedPartition> {
        self.queue.iter().filter(move |assigned| {
            !assigned.paused
                && assigned
                    .fetch_offset()
                    .is_some_and(|offset| before_end(offset, &assigned.partition, ends))
        })
    }

    /// The next offset to fetch, if the partition is assigned and has a position.
    pub(crate) fn fetch_offset(&self, partition: &TopicPartition) -> Option<Offset> {
        self.get(partition)?.fetch_offset()
    }

    /// The amount fetched ahead, before `ends` and not paused.
    pub(crate) fn ahead(&self, ends: Option<&Ends>) -> FetchedAhead {
        let mut sum = FetchedAhead::default();
        for assigned in self.queue.iter().filter(|assigned| !assigned.paused) {
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

    /// Adds fetched batches, unless the fetch offset has changed since.
    pub(crate) fn add(&mut self, batches: FetchedBatches) {
        if let Some(assigned) = self.get_mut(&TopicPartition::from(&batches))
            && assigned.fetch_offset() == Some(batches.from)
        {
            for header in headers(&batches.bytes).map_while(Result::ok) {
                let epoch = header.leader_epoch.get();
                let epoch = (epoch >= 0).then_some(epoch);
                let epochs = &mut assigned.leader_epochs;
                epochs.append(header.base_offset, header.next_offset(), epoch);
            }
            assigned.ahead.push_back(batches);
        }
    }

    /// Notes a response without records for the fetch offset. Returns whether it is the second one in a row.
    pub(crate) fn found_empty(&mut self, partition: &TopicPartition, at: Offset) -> bool {
        let Some(assigned) = self.get_mut(partition) else {
            return false;
        };
        assigned.empty_at.replace(at) == Some(at)
    }

    /// The next batches to return, sorted by partition and offset: partition by partition in queue order, up to the limits, but at least one
    /// if there is any. They are removed by [`Assignment::advance`].
    pub(crate) fn next_batches(
        &self,
        max_records: usize,
        max_bytes: usize,
        ends: Option<&Ends>,
    ) -> Vec<FetchedBatches> {
        let mut taken = Vec::new();
        let mut sum = FetchedAhead::default();
        'queue: for assigned in self.queue.iter().filter(|assigned| !assigned.paused) {
            let end = ends.and_then(|ends| ends.get(&assigned.partition)).copied();
            for batches in &assigned.ahead {
                if end.is_some_and(|end| batches.from >= end) {
                    break;
                }
                let enough = sum.offsets >= max_records as u64
                    || sum.bytes + batches.bytes.len() > max_bytes;
                if enough && !taken.is_empty() {
                    break 'queue;
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

    /// Moves positions after records were returned. Partitions with nothing left ahead go to the end of the queue.
    pub(crate) fn advance(&mut self, next_offsets: &BTreeMap<TopicPartition, Offset>) {
        for assigned in &mut self.queue {
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
        let (waiting, done): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.queue)
            .into_iter()
            .partition(|assigned| {
                !assigned.ahead.is_empty() || !next_offsets.contains_key(&assigned.partition)
            });
        self.queue = waiting;
        self.queue.extend(done);
    }
}

fn before_end(offset: Offset, partition: &TopicPartition, ends: Option<&Ends>) -> bool {
    ends.is_none_or(|ends| ends.get(partition).is_some_and(|end| offset < *end))
}
