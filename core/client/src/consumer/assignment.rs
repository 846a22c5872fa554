//! The assigned partitions: positions, pauses, and batches fetched ahead. No I/O.

use std::collections::{BTreeMap, VecDeque};

use headwater_columnar::FetchedBatches;
use headwater_record::Offset;

use super::assigned_partition::AssignedPartition;
use super::options::{BatchOptions, Ends};
use super::stream::DecodedTable;
use crate::batch::TopicPartition;
use crate::error::{Error, ErrorKind, Result};
use crate::fetch::headers;

/// All assigned partitions, as a round-robin queue: the first one is decoded next.
///
/// Invariant: a position moves past a record only after the record was handed out. So if the decoded table is dropped,
/// the records that were not handed out are read again from the batches fetched ahead.
#[derive(Debug, Default)]
pub(crate) struct Assignment {
    queue: VecDeque<AssignedPartition>,
    /// The decoded records to hand out next. [`Assignment::settle`] moves the positions past those that were handed
    /// out.
    table: Option<DecodedTable>,
    /// The end of the batches without records since the positions were settled.
    passed: BTreeMap<TopicPartition, Offset>,
    /// The number of changes that made decoded records invalid.
    generation: u64,
}

/// An amount of fetched batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FetchedAhead {
    pub(crate) offsets: u64,
    pub(crate) bytes: usize,
}

impl FetchedAhead {
    /// Whether they fill a table.
    pub(crate) fn fills(&self, options: &BatchOptions) -> bool {
        self.offsets >= options.max_records as u64 || self.bytes >= options.max_bytes
    }
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

    /// The ones of `partitions` that are not assigned.
    pub(crate) fn not_assigned(&self, partitions: &[TopicPartition]) -> Vec<TopicPartition> {
        partitions
            .iter()
            .filter(|partition| !self.contains(partition))
            .cloned()
            .collect()
    }

    /// Drops these partitions.
    pub(crate) fn drop_all(&mut self, partitions: &[TopicPartition]) {
        self.forget_table();
        self.queue
            .retain(|assigned| !partitions.contains(&assigned.partition));
    }

    /// Sets the assignment. Partitions that stay keep their position; new ones start at theirs in `positions`, if any.
    pub(crate) fn replace(
        &mut self,
        partitions: &[TopicPartition],
        positions: &BTreeMap<TopicPartition, Offset>,
    ) {
        self.forget_table();
        self.queue
            .retain(|assigned| partitions.contains(&assigned.partition));
        for partition in self.not_assigned(partitions) {
            let position = positions.get(&partition).copied();
            self.queue
                .push_back(AssignedPartition::new(partition, position));
        }
    }

    pub(crate) fn clear(&mut self) {
        self.forget_table();
        self.queue.clear();
    }

    /// The known positions: the next offsets to hand out.
    pub(crate) fn positions(&self) -> BTreeMap<TopicPartition, Offset> {
        let queue = self.queue.iter();
        let mut positions: BTreeMap<_, _> = queue
            .filter_map(|assigned| Some((assigned.partition.clone(), assigned.position?)))
            .collect();
        if let Some(table) = &self.table {
            positions.extend(table.handed_out());
        }
        positions
    }

    /// The next offsets after the records that were handed out since the positions were settled.
    pub(crate) fn handed_out(&self) -> BTreeMap<TopicPartition, Offset> {
        let mut handed_out = self.passed.clone();
        if let Some(table) = &self.table {
            handed_out.extend(table.handed_out());
        }
        handed_out
    }

    /// [`Assignment::handed_out`] without the last hand-out.
    pub(crate) fn before_last_hand_out(&self) -> BTreeMap<TopicPartition, Offset> {
        let table = self.table.as_ref();
        table.map(DecodedTable::before_last).unwrap_or_default()
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
        self.forget_table();
        if let Some(assigned) = self.get_mut(partition) {
            assigned.seek(Some(to));
        }
    }

    /// Like [`Assignment::seek`], but in another log than the one that was read: the state of the old one is dropped.
    pub(crate) fn restart(&mut self, partition: &TopicPartition, at: Offset) {
        self.clear_position(partition);
        self.seek(partition, at);
    }

    /// Clears the position of a partition.
    pub(crate) fn clear_position(&mut self, partition: &TopicPartition) {
        self.forget_table();
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

    /// Pauses or resumes these partitions. Fetched batches are kept.
    pub(crate) fn set_paused(&mut self, partitions: &[TopicPartition], paused: bool) {
        if paused {
            self.forget_table();
        }
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
            assigned.may_be_fetched()
                && assigned
                    .fetch_offset()
                    .is_some_and(|offset| before_end(offset, &assigned.partition, ends))
        })
    }

    /// The next offset to fetch, if the partition is assigned and has a position.
    pub(crate) fn fetch_offset(&self, partition: &TopicPartition) -> Option<Offset> {
        self.get(partition)?.fetch_offset()
    }

    /// The amount fetched ahead and not decoded, before `ends` and not paused.
    pub(crate) fn undecoded(&self, ends: Option<&Ends>) -> FetchedAhead {
        let mut sum = FetchedAhead::default();
        for assigned in self.queue.iter().filter(|assigned| !assigned.paused) {
            let undecoded = assigned.undecoded();
            for (from, batches) in
                undecoded.filter(|(from, _)| before_end(*from, &assigned.partition, ends))
            {
                sum.offsets += u64::try_from(batches.until - from).unwrap_or(0);
                sum.bytes += batches.bytes.len();
            }
        }
        sum
    }

    /// The bytes fetched ahead, decoded or not, before `ends` and not paused.
    pub(crate) fn fetched_bytes(&self, ends: Option<&Ends>) -> usize {
        let read = self.queue.iter().filter(|assigned| !assigned.paused);
        let bytes = read.map(|assigned| {
            let batches = assigned.ahead.iter();
            batches
                .filter(|batches| before_end(batches.from, &assigned.partition, ends))
                .map(|batches| batches.bytes.len())
                .sum::<usize>()
        });
        bytes.sum()
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
            assigned.add(batches);
        }
    }

    /// Records a response without records for the fetch offset. Returns whether it is the second one in a row.
    pub(crate) fn found_empty(&mut self, partition: &TopicPartition, at: Offset) -> bool {
        let Some(assigned) = self.get_mut(partition) else {
            return false;
        };
        assigned.empty_at.replace(at) == Some(at)
    }

    /// The next batches to decode, sorted by partition and offset: partition by partition in queue order, up to the
    /// limits, but at least one if there is any. Then call [`Assignment::hold`] or [`Assignment::pass`].
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
            for (from, batches) in assigned.undecoded() {
                if end.is_some_and(|end| from >= end) {
                    break;
                }
                let enough = sum.offsets >= max_records as u64
                    || sum.bytes + batches.bytes.len() > max_bytes;
                if enough && !taken.is_empty() {
                    break 'queue;
                }
                let mut batches = batches.clone();
                batches.from = from;
                if let Some(end) = end {
                    batches = batches.split_at(end).0;
                }
                sum.offsets += batches.offsets();
                sum.bytes += batches.bytes.len();
                taken.push(batches);
            }
        }
        taken.sort_by(|a, b| (&a.topic, a.partition, a.from).cmp(&(&b.topic, b.partition, b.from)));
        taken
    }

    /// Stores the table decoded from the next batches, to be handed out.
    pub(crate) fn hold(&mut self, table: DecodedTable) {
        for assigned in &mut self.queue {
            if let Some(until) = table.next_offsets().get(&assigned.partition) {
                assigned.decoded_until = Some(*until);
            }
        }
        self.rotate(table.next_offsets());
        self.table = Some(table);
    }

    /// Moves positions past batches that have no records.
    pub(crate) fn pass(&mut self, next_offsets: &BTreeMap<TopicPartition, Offset>) {
        self.move_positions(next_offsets);
        self.rotate(next_offsets);
        self.passed.extend(next_offsets.clone());
    }

    /// The table that is handed out next.
    pub(crate) fn table(&mut self) -> Option<&mut DecodedTable> {
        self.table.as_mut()
    }

    /// Moves the positions past the records that were handed out. They can no longer be taken back.
    pub(crate) fn settle(&mut self) {
        self.passed.clear();
        let Some(mut table) = self.table.take() else {
            return;
        };
        let handed_out = table.settle();
        if table.left() > 0 {
            self.table = Some(table);
        }
        self.move_positions(&handed_out);
    }

    /// Settles the positions, and drops the decoded records that were not handed out: they are decoded again from the
    /// fetched batches.
    pub(crate) fn forget_table(&mut self) {
        self.settle();
        self.table = None;
        self.generation += 1;
        for assigned in &mut self.queue {
            assigned.decoded_until = None;
        }
    }

    /// Records that were decoded in an earlier generation are not handed out.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    fn move_positions(&mut self, next_offsets: &BTreeMap<TopicPartition, Offset>) {
        for assigned in &mut self.queue {
            if let Some(next) = next_offsets.get(&assigned.partition) {
                assigned.move_to(*next);
            }
        }
    }

    /// Moves the partitions of a decoded table that have nothing left to decode to the end of the queue.
    fn rotate(&mut self, decoded: &BTreeMap<TopicPartition, Offset>) {
        let (waiting, done): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.queue)
            .into_iter()
            .partition(|assigned| {
                assigned.undecoded().next().is_some() || !decoded.contains_key(&assigned.partition)
            });
        self.queue = waiting;
        self.queue.extend(done);
    }
}

fn before_end(offset: Offset, partition: &TopicPartition, ends: Option<&Ends>) -> bool {
    ends.is_none_or(|ends| ends.get(partition).is_some_and(|end| offset < *end))
}
