//! The records of one partition that have no outcome yet: an open batch that accepts records, and closed batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use headwater_record::{AppendError, BatchBuilder, PartitionId, ProducerState};
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::batch::{
    BatchOrder, OpenBatch, PartitionChoice, Payload, PendingOutcome, ProducerBatch, Ticket,
};
use super::completion::Completion;
use super::context::ProducerContext;
use super::handle::SendHandle;
use super::identity::Identity;
use super::pending_batches::PendingBatches;
use super::record::Record;
use crate::cluster::TopicMetadata;
use crate::error::{Error, ErrorKind};

/// The number of spare builders per partition: one is filled while the batch of another is in flight.
const SPARE_BUILDERS: usize = 2;

/// The records of one partition that have no outcome yet. May be used concurrently.
pub(crate) struct PartitionQueue {
    pub(crate) context: Arc<ProducerContext>,
    pub(crate) topic: Arc<str>,
    pub(crate) partition: PartitionId,
    pub(super) state: Mutex<QueueState>,
    /// Bytes of records without a key, in closed batches.
    keyless_bytes: AtomicU64,
}

pub(super) struct QueueState {
    pub(super) open: Option<OpenBatch>,
    pub(super) pending: PendingBatches,
    /// The number of the next batch to be closed.
    next_number: u64,
    /// The broker for the next batches.
    pub(super) leader: Option<PartitionLeader>,
    /// Whether the leader's sender has this queue in its list.
    pub(super) is_listed: bool,
    /// Whether a thread has taken a batch and not yet passed it to the transport. Until then no other thread takes the
    /// next one.
    pub(super) is_claimed: bool,
    /// Whether a task prepares the next request: it looks up the leader, requests a producer id, or waits before a
    /// retry.
    pub(super) is_paused: bool,
    spare: Vec<BatchBuilder>,
}

/// The leader of a partition, and the metadata with this leader.
#[derive(Debug, Clone)]
pub(super) struct PartitionLeader {
    pub(super) node: i32,
    pub(super) topic: Arc<TopicMetadata>,
}

/// The reason why a record was not appended.
#[derive(Debug)]
pub(crate) enum AppendFailure {
    /// This many bytes of `buffer.memory` must be free first.
    BufferFull(usize),
    /// The record cannot be sent.
    Refused(Error),
}

/// Whether a call has closed a batch, so that the caller must send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drain {
    Required,
    NotRequired,
}

impl PartitionQueue {
    pub(crate) fn new(
        context: Arc<ProducerContext>,
        topic: Arc<str>,
        partition: PartitionId,
    ) -> Self {
        let state = QueueState {
            open: None,
            pending: PendingBatches::new(context.config.idempotent),
            next_number: 0,
            leader: None,
            is_listed: false,
            is_claimed: false,
            is_paused: false,
            spare: Vec::new(),
        };
        Self {
            context,
            topic,
            partition,
            state: Mutex::new(state),
            keyless_bytes: AtomicU64::new(0),
        }
    }

    /// Bytes of records without a key, in closed batches.
    #[inline]
    pub(crate) fn keyless_bytes(&self) -> u64 {
        self.keyless_bytes.load(Ordering::Relaxed)
    }

    /// Adds bytes of records without a key.
    pub(crate) fn count_keyless(&self, bytes: u64) {
        self.keyless_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Appends a record of at most `size` encoded bytes. Returns whether the caller must drain the queue.
    #[inline]
    pub(crate) fn append(
        self: &Arc<Self>,
        record: &Record<'_>,
        choice: PartitionChoice,
        size: usize,
        timestamp_ms: i64,
    ) -> Result<(SendHandle, Drain), AppendFailure> {
        let mut state = self.state.lock();
        let mut closed = Drain::NotRequired;
        if let Some(open) = &mut state.open {
            match open
                .builder
                .try_append(timestamp_ms, record.key, record.value, record.headers)
            {
                Ok(()) => {
                    open.count(choice);
                    return Ok((open.handle(timestamp_ms), closed));
                }
                Err(AppendError::Full) => closed = self.close(&mut state),
                Err(error) => return Err(AppendFailure::Refused(too_large(&error))),
            }
        }
        let mut batch = self.open_batch(&mut state, size)?;
        match batch
            .builder
            .try_append(timestamp_ms, record.key, record.value, record.headers)
        {
            Ok(()) => {
                batch.count(choice);
                let handle = batch.handle(timestamp_ms);
                state.open = Some(batch);
                drop(state);
                self.context.linger.start();
                Ok((handle, closed))
            }
            Err(error) => {
                self.context.memory.release(batch.reserved);
                state.recycle(batch.builder);
                Err(AppendFailure::Refused(too_large(&error)))
            }
        }
    }

    fn open_batch(
        self: &Arc<Self>,
        state: &mut MutexGuard<'_, QueueState>,
        size: usize,
    ) -> Result<OpenBatch, AppendFailure> {
        // `batch.size` may exceed `buffer.memory`: never reserve more than the total.
        let whole = self.context.config.batch_bytes;
        let reserved = size.max(whole.min(self.context.memory.total()));
        if !self.context.memory.try_take(reserved) {
            return Err(AppendFailure::BufferFull(reserved));
        }
        let spare = state.spare.pop();
        let builder = spare.unwrap_or_else(|| BatchBuilder::new(self.context.batch_options()));
        Ok(OpenBatch::new(builder, self.ticket(), reserved))
    }

    fn ticket(self: &Arc<Self>) -> Arc<Ticket> {
        Arc::new(Ticket {
            queue: Arc::clone(self),
            completion: Completion::default(),
        })
    }

    /// Queues an encoded batch after all records appended so far. The caller must have reserved its memory.
    pub(crate) fn push_encoded(
        self: &Arc<Self>,
        bytes: Bytes,
        records: u32,
        reserved: usize,
    ) -> Arc<Ticket> {
        let ticket = self.ticket();
        let outcome = PendingOutcome::of_batch(Arc::clone(&ticket), reserved, records);
        let mut state = self.state.lock();
        self.close(&mut state);
        self.push(&mut state, outcome, Payload::Encoded(bytes), Instant::now());
        ticket
    }

    /// Closes the open batch, if there is one.
    pub(crate) fn close_open(&self) {
        self.close(&mut self.state.lock());
    }

    /// Closes the open batch if it has this ticket.
    pub(crate) fn close_if_open(&self, ticket: &Ticket) {
        let mut state = self.state.lock();
        if state
            .open
            .as_ref()
            .is_some_and(|open| std::ptr::eq(Arc::as_ptr(&open.ticket), ticket))
        {
            self.close(&mut state);
        }
    }

    /// Closes the open batch if it was opened at or before `due`. Otherwise returns its time of opening.
    pub(crate) fn close_if_due(&self, due: Instant) -> Option<Instant> {
        let mut state = self.state.lock();
        let opened = state.open.as_ref()?.opened;
        if opened > due {
            return Some(opened);
        }
        self.close(&mut state);
        None
    }

    /// Closes the open batch, if there is one.
    fn close(&self, state: &mut QueueState) -> Drain {
        let Some(open) = state.open.take() else {
            return Drain::NotRequired;
        };
        self.count_keyless(open.keyless_bytes());
        let records = open.builder.record_count() as u32;
        let outcome = PendingOutcome::of_batch(open.ticket, open.reserved, records);
        self.push(state, outcome, Payload::Building(open.builder), open.opened);
        Drain::Required
    }

    fn push(
        &self,
        state: &mut QueueState,
        outcome: PendingOutcome,
        payload: Payload,
        opened: Instant,
    ) {
        let order = BatchOrder {
            number: state.next_number,
            first_record: 0,
        };
        state.next_number += 1;
        let batch = ProducerBatch {
            order,
            records: outcome.records(),
            deadline: opened + self.context.config.delivery_timeout,
            stamp: None,
            attempts: 0,
            maybe_written: false,
            last_failure: None,
            outcome: Some(outcome),
        };
        state.pending.push(batch, payload);
    }

    /// Keeps a builder for a later batch.
    pub(crate) fn recycle(&self, builder: BatchBuilder) {
        self.state.lock().recycle(builder);
    }

    /// The expected stamp of the next batch to be queued, if all batches before it succeed.
    pub(crate) fn stamp_ahead(&self, identity: Identity) -> Option<ProducerState> {
        let state = self.state.lock();
        let open = state.open.as_ref();
        let open_records = open.map_or(0, |open| open.builder.record_count());
        state.pending.stamp_ahead(identity, open_records)
    }

    /// The tickets of all closed batches without an outcome, in order, with the number of their records.
    pub(crate) fn unanswered(&self) -> Vec<(Arc<Ticket>, u32)> {
        let state = self.state.lock();
        let outcomes = state.pending.outcomes();
        let mut tickets: Vec<_> = outcomes
            .map(|outcome| (Arc::clone(outcome.ticket()), outcome.batch_records()))
            .collect();
        // The parts of a split batch share a ticket.
        tickets.dedup_by(|(one, _), (other, _)| Arc::ptr_eq(one, other));
        tickets
    }

    /// The number of records without a result.
    pub(crate) fn unanswered_records(&self) -> u64 {
        let open = self
            .state
            .lock()
            .open
            .as_ref()
            .map(|open| open.builder.record_count());
        let closed = self.unanswered();
        let closed = closed.iter().map(|(_, records)| u64::from(*records));
        open.unwrap_or(0) as u64 + closed.sum::<u64>()
    }
}

impl QueueState {
    fn recycle(&mut self, mut builder: BatchBuilder) {
        if self.spare.len() < SPARE_BUILDERS {
            builder.reset();
            self.spare.push(builder);
        }
    }
}

fn too_large(error: &AppendError) -> Error {
    Error::new(
        ErrorKind::RecordTooLarge,
        format!("The record is not sent: {error}."),
    )
}

impl std::fmt::Debug for PartitionQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartitionQueue")
            .field("topic", &self.topic)
            .field("partition", &self.partition)
            .finish_non_exhaustive()
    }
}
