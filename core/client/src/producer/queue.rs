//! The records of one partition on their way: one open batch, closed ones behind it, one being sent.
//!
//! Invariant: batches leave in the order in which they were closed, one at a time, so sequences are given out when a batch leaves.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use headwater_record::{AppendError, BatchBuilder, PartitionId, ProducerState};
use parking_lot::{Mutex, MutexGuard};

use super::completion::{Completion, Outcome};
use super::context::ProducerContext;
use super::handle::SendHandle;
use super::identity::{Identity, Sequence};
use super::record::Record;
use crate::error::{Error, ErrorKind};

/// Spare builders kept for each partition: one is filled while another's batch is being sent.
const SPARE_BUILDERS: usize = 2;

/// A batch as its records' handles see it.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) queue: Arc<PartitionQueue>,
    pub(crate) completion: Completion,
}

/// The records of one partition on their way to the broker.
pub(crate) struct PartitionQueue {
    pub(crate) context: Arc<ProducerContext>,
    pub(crate) topic: Arc<str>,
    pub(crate) partition: PartitionId,
    /// Belongs to whoever is sending.
    pub(crate) sequence: Mutex<Sequence>,
    state: Mutex<State>,
    /// Bytes of records that came here because they have no key, in closed batches.
    keyless_bytes: AtomicU64,
}

/// Why a record goes to a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The caller or its key says so.
    Given,
    /// Any would do.
    Free,
}

#[derive(Default)]
struct State {
    open: Option<OpenBatch>,
    closed: VecDeque<ReadyBatch>,
    /// The batch that somebody is sending; only that somebody takes from `closed`.
    in_flight: Option<InFlight>,
    spare: Vec<BatchBuilder>,
}

struct InFlight {
    ticket: Arc<Ticket>,
    records: u32,
}

struct OpenBatch {
    builder: BatchBuilder,
    ticket: Arc<Ticket>,
    opened: Instant,
    reserved: usize,
    /// Records that came here because they have no key.
    keyless: usize,
}

/// The records of a closed batch.
pub(crate) enum Payload {
    /// Still to be finished, when its sequence is known.
    Building(BatchBuilder),
    /// Encoded by somebody else, to be stamped with its sequence.
    Encoded(Bytes),
}

/// A batch that is full, or was waited for, and not yet sent.
pub(crate) struct ReadyBatch {
    pub(crate) payload: Payload,
    pub(crate) records: u32,
    pub(crate) opened: Instant,
    ticket: Arc<Ticket>,
    reserved: usize,
}

impl ReadyBatch {
    /// Tells everybody who waits.
    pub(crate) fn complete(&self, outcome: Outcome) {
        self.ticket.completion.complete(outcome);
    }
}

impl Drop for ReadyBatch {
    /// Gives its memory back. A batch that is dropped before it was answered (the runtime ended) fails its records.
    fn drop(&mut self) {
        self.ticket.queue.context.memory.give_back(self.reserved);
        if self.ticket.completion.outcome().is_none() {
            let error = Error::new(
                ErrorKind::Closed,
                "The producer ended before the broker answered: the record may or may not be written.",
            );
            self.complete(Outcome::Failed(error));
        }
    }
}

/// Why a record was not taken.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// This many bytes of `buffer.memory` must be free first.
    NoMemory(usize),
    /// It never will be.
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

    /// Bytes of records that came here because they have no key, in closed batches.
    #[inline]
    pub(crate) fn keyless_bytes(&self) -> u64 {
        self.keyless_bytes.load(Ordering::Relaxed)
    }

    /// More bytes without a key came here.
    pub(crate) fn count_keyless(&self, bytes: u64) {
        self.keyless_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Appends a record of at most `size` encoded bytes. The flag says that a batch is ready to be sent: the caller drains.
    #[inline]
    pub(crate) fn append(
        self: &Arc<Self>,
        record: &Record<'_>,
        choice: Choice,
        size: usize,
        timestamp_ms: i64,
    ) -> Result<(SendHandle, Closed), NotTaken> {
        let mut state = self.state.lock();
        let mut closed = Closed::No;
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
                Err(error) => return Err(NotTaken::Refused(too_large(&error))),
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
                self.context.memory.give_back(batch.reserved);
                state.keep(batch.builder);
                Err(NotTaken::Refused(too_large(&error)))
            }
        }
    }

    fn open_batch(
        self: &Arc<Self>,
        state: &mut MutexGuard<'_, State>,
        size: usize,
    ) -> Result<OpenBatch, NotTaken> {
        // A batch may be larger than all there is: then what there is must do, or nobody would ever get any.
        let whole = self.context.config.batch_bytes;
        let reserved = size.max(whole.min(self.context.memory.total()));
        if !self.context.memory.try_take(reserved) {
            return Err(NotTaken::NoMemory(reserved));
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

    /// Puts an encoded batch behind everything that was appended so far. Its memory must have been taken.
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

    /// Closes the open batch, whoever's it is.
    pub(crate) fn close_open(&self) {
        self.close(&mut self.state.lock());
    }

    /// Closes the open batch if it is this one.
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

    /// Closes the open batch if it was opened at or before `due`; otherwise returns when it was.
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
    fn close(&self, state: &mut State) -> Closed {
        let Some(open) = state.open.take() else {
            return Closed::No;
        };
        self.count_keyless(open.keyless_bytes());
        state.closed.push_back(ReadyBatch {
            records: open.builder.record_count() as u32,
            payload: Payload::Building(open.builder),
            opened: open.opened,
            ticket: open.ticket,
            reserved: open.reserved,
        });
        Closed::Yes
    }

    /// The next batch to be sent, unless there is none or somebody is sending. Who gets one must call [`PartitionQueue::sent`].
    pub(crate) fn claim(&self) -> Option<ReadyBatch> {
        let mut state = self.state.lock();
        if state.in_flight.is_some() {
            return None;
        }
        let batch = state.closed.pop_front()?;
        state.in_flight = Some(InFlight {
            ticket: Arc::clone(&batch.ticket),
            records: batch.records,
        });
        Some(batch)
    }

    /// The claimed batch is done with.
    pub(crate) fn sent(&self) {
        self.state.lock().in_flight = None;
    }

    /// Keeps a builder for the next batch.
    pub(crate) fn keep(&self, builder: BatchBuilder) {
        self.state.lock().keep(builder);
    }

    /// What a batch will be stamped with that is closed now, if all goes well with those before it.
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
            .ahead(identity, in_flight + closed + open)
    }

    /// The tickets of everything that is closed or being sent, in order.
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

/// Whether a call closed a batch: the sign to drain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    Yes,
    No,
}

impl State {
    fn keep(&mut self, mut builder: BatchBuilder) {
        if self.spare.len() < SPARE_BUILDERS {
            builder.reset();
            self.spare.push(builder);
        }
    }
}

impl OpenBatch {
    fn count(&mut self, choice: Choice) {
        self.keyless += usize::from(choice == Choice::Free);
    }

    /// The bytes of its records without a key; those with a key count as large as these.
    fn keyless_bytes(&self) -> u64 {
        let (bytes, records) = (self.builder.plain_size(), self.builder.record_count());
        (bytes * self.keyless / records.max(1)) as u64
    }

    /// A handle on the record appended last.
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
