//! A batch of one partition, from the record that opens it to its outcome.

use std::sync::Arc;

use bytes::Bytes;
use headwater_record::{BatchBuilder, ProducerState};
use tokio::time::Instant;

use super::completion::{BatchOutcome, Completion};
use super::handle::SendHandle;
use super::partition_queue::PartitionQueue;
use super::split_outcome::SplitOutcome;
use crate::error::{Error, ErrorKind};

/// The part of a batch that its records' handles share.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) queue: Arc<PartitionQueue>,
    pub(crate) completion: Completion,
}

/// How the partition of a record was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartitionChoice {
    /// By the caller or the key.
    Fixed,
    /// By the sticky partitioner.
    Sticky,
}

/// A batch that takes records.
pub(super) struct OpenBatch {
    pub(super) builder: BatchBuilder,
    pub(super) ticket: Arc<Ticket>,
    pub(super) opened: Instant,
    /// Bytes of `buffer.memory`.
    pub(super) reserved: usize,
    /// The number of records without a key.
    keyless: usize,
}

impl OpenBatch {
    pub(super) fn new(builder: BatchBuilder, ticket: Arc<Ticket>, reserved: usize) -> Self {
        Self {
            builder,
            ticket,
            opened: Instant::now(),
            reserved,
            keyless: 0,
        }
    }

    /// Counts a record that was appended.
    #[inline]
    pub(super) fn count(&mut self, choice: PartitionChoice) {
        self.keyless += usize::from(choice == PartitionChoice::Sticky);
    }

    /// The approximate size of its records without a key: their share of all records.
    pub(super) fn keyless_bytes(&self) -> u64 {
        let (bytes, records) = (self.builder.plain_size(), self.builder.record_count());
        (bytes * self.keyless / records.max(1)) as u64
    }

    /// A handle of the last record.
    #[inline]
    pub(super) fn handle(&self, timestamp_ms: i64) -> SendHandle {
        SendHandle::new(
            Arc::clone(&self.ticket),
            self.builder.record_count() as u32 - 1,
            timestamp_ms,
        )
    }
}

/// The records of a closed batch.
pub(super) enum Payload {
    /// Encoded when it is sent, because the producer id and the sequence are known only then.
    Building(BatchBuilder),
    /// Already encoded; the producer id and the sequence are written into it when it is sent.
    Encoded(Bytes),
}

impl Payload {
    /// The maximum size in a request.
    pub(super) fn size_bound(&self) -> usize {
        match self {
            Self::Building(builder) => builder.plain_size(),
            Self::Encoded(bytes) => bytes.len(),
        }
    }
}

/// The position of a batch in its partition: the order in which batches were closed; the parts of a split batch are
/// ordered by their first record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BatchOrder {
    pub(super) number: u64,
    pub(super) first_record: u32,
}

/// The reason why a batch was not written, or not yet.
#[derive(Debug, Clone)]
pub(super) struct BatchFailure {
    pub(super) error: Error,
    /// Errors of records, if the broker reports any. Each applies from the record at its index to the next entry.
    pub(super) records: Vec<(u32, Error)>,
}

impl From<Error> for BatchFailure {
    fn from(error: Error) -> Self {
        Self {
            error,
            records: Vec::new(),
        }
    }
}

/// A closed batch. Its bytes are stored separately: in the queue, or with the request that contains them.
#[derive(Debug)]
pub(super) struct ProducerBatch {
    pub(super) order: BatchOrder,
    pub(super) records: u32,
    /// The end of `delivery.timeout.ms`.
    pub(super) deadline: Instant,
    /// The producer id, epoch and sequence with which it was sent. `None` before it is sent, and without idempotence.
    pub(super) stamp: Option<ProducerState>,
    /// The number of repeated attempts.
    pub(super) attempts: u32,
    /// Whether a request with this stamp may have been executed, although no response confirmed it.
    pub(super) maybe_written: bool,
    pub(super) last_failure: Option<BatchFailure>,
    /// `None` after its records got their results, which may be before its request is answered.
    pub(super) outcome: Option<PendingOutcome>,
}

impl ProducerBatch {
    /// The sequence of its first record.
    pub(super) fn base_sequence(&self) -> Option<i32> {
        self.stamp.map(|stamp| stamp.base_sequence)
    }

    /// Removes the stamp: the batch will be sent with another one.
    pub(super) fn remove_stamp(&mut self) {
        self.stamp = None;
        self.maybe_written = false;
    }
}

/// The pending outcome of a batch, for its handles, and its reserved memory. Dropping it fails the records.
#[derive(Debug)]
pub(super) struct PendingOutcome {
    receiver: Receiver,
    reserved: usize,
    records: u32,
}

#[derive(Debug)]
enum Receiver {
    Batch(Arc<Ticket>),
    /// A part of a split batch.
    Part(Arc<SplitOutcome>, u32),
}

impl PendingOutcome {
    pub(super) fn of_batch(ticket: Arc<Ticket>, reserved: usize, records: u32) -> Self {
        Self {
            receiver: Receiver::Batch(ticket),
            reserved,
            records,
        }
    }

    /// The outcomes of the two parts that replace this one. The first part has `first_records` records.
    pub(super) fn split(mut self, first_records: u32) -> (Self, Self) {
        let (parts, first) = match &self.receiver {
            Receiver::Batch(ticket) => {
                let parts = SplitOutcome::new(Arc::clone(ticket), self.records);
                (Arc::new(parts), 0)
            }
            Receiver::Part(parts, first) => (Arc::clone(parts), *first),
        };
        let second = Self {
            receiver: Receiver::Part(Arc::clone(&parts), first + first_records),
            reserved: 0,
            records: self.records - first_records,
        };
        self.receiver = Receiver::Part(parts, first);
        self.records = first_records;
        (self, second)
    }

    /// The ticket of the batch, or of the batch that this is a part of.
    pub(super) fn ticket(&self) -> &Arc<Ticket> {
        match &self.receiver {
            Receiver::Batch(ticket) => ticket,
            Receiver::Part(parts, _) => parts.ticket(),
        }
    }

    /// The number of records.
    pub(super) fn records(&self) -> u32 {
        self.records
    }

    /// The number of records of the batch, before it was split.
    pub(super) fn batch_records(&self) -> u32 {
        match &self.receiver {
            Receiver::Batch(_) => self.records,
            Receiver::Part(parts, _) => parts.records(),
        }
    }

    /// Completes the handles and releases the memory. Must not be called while a lock is held, because it wakes waiting
    /// callers.
    pub(super) fn complete(mut self, outcome: BatchOutcome) {
        self.set(outcome);
    }

    /// Completes the handles with an error of this partition.
    pub(super) fn fail(self, failure: BatchFailure) {
        let queue = Arc::clone(&self.ticket().queue);
        let locate = |error: Error| {
            error
                .in_topic(Arc::clone(&queue.topic))
                .in_partition(queue.partition)
        };
        self.complete(if failure.records.is_empty() {
            BatchOutcome::Failed(locate(failure.error))
        } else {
            let records = failure.records.into_iter();
            BatchOutcome::Parts(
                records
                    .map(|(first, error)| (first, Err(locate(error))))
                    .collect(),
            )
        });
    }

    fn set(&mut self, outcome: BatchOutcome) {
        let memory = &self.ticket().queue.context.memory;
        memory.release(self.reserved);
        self.reserved = 0;
        match &self.receiver {
            Receiver::Batch(ticket) => ticket.completion.complete(outcome),
            Receiver::Part(parts, first) => parts.add(*first, self.records, outcome),
        }
        self.records = 0;
    }
}

/// The error of records that are left when the runtime shuts down.
pub(super) fn shut_down() -> Error {
    Error::new(
        ErrorKind::Closed,
        "The producer was shut down before the broker responded: the record may or may not be written.",
    )
}

impl Drop for PendingOutcome {
    fn drop(&mut self) {
        if self.records > 0 {
            self.set(BatchOutcome::Failed(shut_down()));
        }
    }
}
