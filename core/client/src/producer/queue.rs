//! The queue of one partition: an open batch, closed batches, and one batch in flight.
//!
//! Invariant: batches are sent one at a time, in the order in which they were closed. A batch gets its sequence when it is sent.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use headwater_record::{AppendError, BatchBuilder, PartitionId, ProducerState};
use parking_lot::{Mutex, MutexGuard};

use super::completion::{BatchOutcome, Completion};
use super::context::ProducerContext;
use super::handle::SendHandle;
use super::identity::{Identity, Sequence};
use super::record::Record;
use crate::error::{Error, ErrorKind};

/// Spare builders per partition: one is filled while the batch of another is in flight.
const SPARE_BUILDERS: usize = 2;

/// The part of a batch that its records' handles share.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) queue: Arc<PartitionQueue>,
    pub(crate) completion: Completion,
}

/// The unsent records of one partition. May be used concurrently.
pub(crate) struct PartitionQueue {
    pub(crate) context: Arc<ProducerContext>,
    pub(crate) topic: Arc<str>,
    pub(crate) partition: PartitionId,
    /// Used by the thread or task with the claim.
    pub(crate) sequence: Mutex<Sequence>,
    state: Mutex<State>,
    /// Bytes of records without a key, in closed batches.
    keyless_bytes: AtomicU64,
}

/// How a record's partition was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartitionChoice {
    /// By the caller or the key.
    Fixed,
    /// By the sticky partitioner.
    Sticky,
}

#[derive(Default)]
struct State {
    open: Option<OpenBatch>,
    closed: VecDeque<ReadyBatch>,
    /// The claimed batch. Nothing else is taken from `closed` while it is set.
    in_flight: Option<InFlightBatch>,
    spare: Vec<BatchBuilder>,
}

struct InFlightBatch {
    ticket: Arc<Ticket>,
    records: u32,
}

struct OpenBatch {
    builder: BatchBuilder,
    ticket: Arc<Ticket>,
    opened: Instant,
    reserved: usize,
    /// The number of records without a key.
    keyless: usize,
}

/// The records of a closed batch.
pub(crate) enum Payload {
    /// To be encoded once the sequence is known.
    Building(BatchBuilder),
    /// Already encoded; stamped with the sequence when sent.
    Encoded(Bytes),
}

/// A closed batch.
pub(crate) struct ReadyBatch {
    pub(crate) payload: Payload,
    pub(crate) records: u32,
    pub(crate) opened: Instant,
    ticket: Arc<Ticket>,
    reserved: usize,
}

impl ReadyBatch {
    /// Completes the handles of the batch.
    pub(crate) fn complete(&self, outcome: BatchOutcome) {
        self.ticket.completion.complete(outcome);
    }
}

impl Drop for ReadyBatch {
    /// Releases its memory. A batch dropped before it completes (the runtime shut down) fails its records.
    fn drop(&mut self) {
        self.ticket.queue.context.memory.release(self.reserved);
        if self.ticket.completion.outcome().is_none() {
            let error = Error::new(
                ErrorKind::Closed,
                "The producer was shut down before the broker responded: the record may or may not be written.",
            );
            self.complete(BatchOutcome::Failed(error));
        }
    }
}

/// Why a record was not appended.
#[derive(Debug)]
pub(crate) enum AppendFailure {
    /// This many bytes of `buffer.memory` must be free first.
    BufferFull(usize),
    /// The record cannot be sent.
    Refused(Error),
}

impl PartitionQueue {
    pub(crate) fn new(
        context: Arc<ProducerContext>,
        topic: Arc<str>,
        partition: PartitionId,
    ) -> Self {
        Self {
            context,
            topic,
            partition,
            sequence: Mutex::default(),
            state: Mutex::default(),
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
        state: &mut MutexGuard<'_, State>,
        size: usize,
    ) -> Result<OpenBatch, AppendFailure> {
        // `batch.size` may exceed `buffer.memory`: never reserve more than the total.
        let whole = self.context.config.batch_bytes;
        let reserved = size.max(whole.min(self.context.memory.total()));
        if !self.context.memory.try_take(reserved) {
            return Err(AppendFailure::BufferFull(reserved));
        }
        Ok(OpenBatch {
            builder: state
                .spare
                .pop()
                .unwrap_or_else(|| BatchBuilder::new(self.context.batch_options())),
            ticket: self.ticket(),
            opened: Instant::now(),
            reserved,
            keyless: 0,
        })
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
        let mut state = self.state.lock();
        self.close(&mut state);
        state.closed.push_back(ReadyBatch {
            payload: Payload::Encoded(bytes),
            records,
            opened: Instant::now(),
            ticket: Arc::clone(&ticket),
            reserved,
        });
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

    /// Closes the open batch if it was opened at or before `due`. Otherwise returns when it was opened.
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
    fn close(&self, state: &mut State) -> Drain {
        let Some(open) = state.open.take() else {
            return Drain::NotRequired;
        };
        self.count_keyless(open.keyless_bytes());
        state.closed.push_back(ReadyBatch {
            records: open.builder.record_count() as u32,
            payload: Payload::Building(open.builder),
            opened: open.opened,
            ticket: open.ticket,
            reserved: open.reserved,
        });
        Drain::Required
    }

    /// Claims the next closed batch, unless another one is claimed. The caller must call [`PartitionQueue::sent`] afterwards.
    pub(crate) fn claim(&self) -> Option<ReadyBatch> {
        let mut state = self.state.lock();
        if state.in_flight.is_some() {
            return None;
        }
        let batch = state.closed.pop_front()?;
        state.in_flight = Some(InFlightBatch {
            ticket: Arc::clone(&batch.ticket),
            records: batch.records,
        });
        Some(batch)
    }

    /// Releases the claim.
    pub(crate) fn sent(&self) {
        self.state.lock().in_flight = None;
    }

    /// Keeps a builder for a later batch.
    pub(crate) fn recycle(&self, builder: BatchBuilder) {
        self.state.lock().recycle(builder);
    }

    /// The expected stamp of the next batch to be queued, if all batches before it succeed.
    pub(crate) fn stamp_ahead(&self, identity: Identity) -> ProducerState {
        let state = self.state.lock();
        let in_flight = state
            .in_flight
            .as_ref()
            .map_or(0, |batch| u64::from(batch.records));
        let closed: u64 = state
            .closed
            .iter()
            .map(|batch| u64::from(batch.records))
            .sum();
        let open = state
            .open
            .as_ref()
            .map_or(0, |open| open.builder.record_count() as u64);
        self.sequence
            .lock()
            .stamp_after(identity, in_flight + closed + open)
    }

    /// The tickets of all closed and in-flight batches, in order.
    pub(crate) fn unanswered(&self) -> Vec<Arc<Ticket>> {
        let state = self.state.lock();
        state
            .in_flight
            .iter()
            .map(|batch| Arc::clone(&batch.ticket))
            .chain(state.closed.iter().map(|batch| Arc::clone(&batch.ticket)))
            .collect()
    }
}

/// Whether a call has closed a batch, so that the queue must be drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drain {
    Required,
    NotRequired,
}

impl State {
    fn recycle(&mut self, mut builder: BatchBuilder) {
        if self.spare.len() < SPARE_BUILDERS {
            builder.reset();
            self.spare.push(builder);
        }
    }
}

impl OpenBatch {
    fn count(&mut self, choice: PartitionChoice) {
        self.keyless += usize::from(choice == PartitionChoice::Sticky);
    }

    /// The approximate bytes of its records without a key: their share of all records.
    fn keyless_bytes(&self) -> u64 {
        let (bytes, records) = (self.builder.plain_size(), self.builder.record_count());
        (bytes * self.keyless / records.max(1)) as u64
    }

    /// A handle of the last record.
    fn handle(&self, timestamp_ms: i64) -> SendHandle {
        SendHandle::new(
            Arc::clone(&self.ticket),
            self.builder.record_count() as u32 - 1,
            timestamp_ms,
        )
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
