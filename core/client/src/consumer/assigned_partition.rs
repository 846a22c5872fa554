//! One assigned partition: its position, and the batches fetched ahead of it. No I/O.

use std::collections::VecDeque;

use headwater_columnar::FetchedBatches;
use headwater_record::Offset;

use super::leader_epochs::LeaderEpochs;
use super::preferred_replica::PreferredReplica;
use crate::batch::TopicPartition;

/// One assigned partition.
#[derive(Debug)]
pub(crate) struct AssignedPartition {
    pub(crate) partition: TopicPartition,
    /// The next offset to return; `None` until the start is known.
    pub(crate) position: Option<Offset>,
    pub(crate) paused: bool,
    /// Batches fetched ahead, contiguous from `position`.
    pub(super) ahead: VecDeque<FetchedBatches>,
    /// The records before this offset are in the decoded table.
    pub(super) decoded_until: Option<Offset>,
    /// The leader epochs of the records that were fetched.
    pub(crate) leader_epochs: LeaderEpochs,
    /// The leader epoch in which the fetch offset was valid; `None` if it was never validated.
    pub(crate) validated_epoch: Option<i32>,
    pub(crate) preferred_replica: Option<PreferredReplica>,
    /// The fetch offset at which the last response had no records.
    pub(super) empty_at: Option<Offset>,
    /// The fetch offset is out of range. The position is not: the batches fetched ahead are handed out first.
    fetch_out_of_range: bool,
}

impl AssignedPartition {
    pub(super) fn new(partition: TopicPartition, position: Option<Offset>) -> Self {
        Self {
            partition,
            position,
            paused: false,
            ahead: VecDeque::new(),
            decoded_until: None,
            leader_epochs: LeaderEpochs::default(),
            validated_epoch: None,
            preferred_replica: None,
            empty_at: None,
            fetch_out_of_range: false,
        }
    }

    /// Whether a fetch may return records: not while batches are ahead of an offset that is out of range.
    pub(super) fn may_be_fetched(&self) -> bool {
        !self.paused && (!self.fetch_out_of_range || self.ahead.is_empty())
    }

    /// Records that the fetch offset is out of range. Returns whether it is the position. If not, the batches before it
    /// are handed out, and then it is fetched again.
    pub(super) fn found_out_of_range(&mut self) -> bool {
        self.fetch_out_of_range = !self.ahead.is_empty();
        !self.fetch_out_of_range
    }

    /// Adds batches that start at the fetch offset.
    pub(super) fn add(&mut self, batches: FetchedBatches) {
        self.ahead.push_back(batches);
        self.fetch_out_of_range = false;
    }

    /// The next offset to fetch.
    pub(crate) fn fetch_offset(&self) -> Option<Offset> {
        match self.ahead.back() {
            Some(batches) => Some(batches.until),
            None => self.position,
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

    /// The batches fetched ahead that are not decoded, with the offset from which to decode each of them.
    pub(super) fn undecoded(&self) -> impl Iterator<Item = (Offset, &FetchedBatches)> {
        let decoded_until = self.decoded_until;
        let batches = self.ahead.iter();
        let from = move |batches: &FetchedBatches| {
            decoded_until.map_or(batches.from, |until| until.max(batches.from))
        };
        batches
            .map(move |batches| (from(batches), batches))
            .filter(|(from, batches)| *from < batches.until)
    }

    /// Moves the position forward, and drops the batches before it.
    pub(super) fn move_to(&mut self, position: Offset) {
        self.position = Some(position);
        while self
            .ahead
            .front()
            .is_some_and(|batches| batches.until <= position)
        {
            self.ahead.pop_front();
        }
        if let Some(batches) = self.ahead.front_mut() {
            batches.from = position;
        }
    }
}
