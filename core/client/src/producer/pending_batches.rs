//! The closed batches of one partition: waiting batches, and batches in flight.
//!
//! Invariants:
//!
//! - Waiting batches are sorted by the order in which they were closed. Batches that will be sent again come first.
//! - All batches in flight are in flight to the same broker, so that a broker gets the batches of a partition in order.
//!
//! Kafka's `RecordAccumulator` and `TransactionManager` have the same rules.

use std::collections::VecDeque;

use bytes::Bytes;
use headwater_record::ProducerState;
use tokio::time::Instant;

use super::batch::{BatchFailure, BatchOrder, Payload, PendingOutcome, ProducerBatch};
use super::identity::Identity;
use super::produce_answer::{FailureKind, ProduceFailure};
use super::sequences::{Resolution, Sequences, stamp_behind};
use super::split::Part;
use super::verdict::{Failed, Verdict};
use crate::error::Error;
use crate::mutants::{self, Mutant};

/// The batches of one partition that have no outcome yet.
pub(super) struct PendingBatches {
    waiting: VecDeque<WaitingBatch>,
    in_flight: VecDeque<InFlightBatch>,
    /// `None` without idempotence.
    sequences: Option<Sequences>,
}

struct WaitingBatch {
    batch: ProducerBatch,
    payload: Payload,
}

struct InFlightBatch {
    batch: ProducerBatch,
    node: i32,
    /// Whether all batches before it had their responses when it was sent.
    was_first: bool,
}

/// A batch that was taken to be sent.
pub(super) struct TakenBatch {
    pub(super) order: BatchOrder,
    pub(super) payload: Payload,
    pub(super) stamp: Option<ProducerState>,
}

impl PendingBatches {
    pub(super) fn new(idempotent: bool) -> Self {
        Self {
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            sequences: idempotent.then(Sequences::default),
        }
    }

    /// Adds a closed batch.
    pub(super) fn push(&mut self, batch: ProducerBatch, payload: Payload) {
        self.waiting.push_back(WaitingBatch { batch, payload });
    }

    /// Whether a batch waits to be sent.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The maximum size of the next batch in a request.
    pub(super) fn next_size(&self) -> usize {
        let next = self.waiting.front();
        next.map_or(0, |next| next.payload.size_bound())
    }

    /// Whether the next batch may be sent to this broker now. With idempotence it needs an identity.
    pub(super) fn may_send(&self, node: i32, identity: Option<Identity>) -> bool {
        let Some(next) = self.waiting.front() else {
            return false;
        };
        let has_other_leader = self.in_flight.iter().any(|batch| batch.node != node);
        if has_other_leader && !mutants::is_active(Mutant::SendToTwoLeaders) {
            return false;
        }
        let Some(sequences) = &self.sequences else {
            return true;
        };
        match (next.batch.stamp, identity) {
            _ if self.in_flight.is_empty() => next.batch.stamp.is_some() || identity.is_some(),
            (Some(stamp), _) => sequences.is_expected(stamp) && self.is_first(next.batch.order),
            (None, Some(identity)) => sequences.can_pipeline(identity),
            (None, None) => false,
        }
    }

    /// Whether no batch before this one is in flight.
    fn is_first(&self, order: BatchOrder) -> bool {
        let first = self.in_flight.front();
        first.is_none_or(|first| first.batch.order > order)
    }

    /// Takes the next batch, if it may be sent. From then on it is in flight.
    pub(super) fn take(&mut self, node: i32, identity: Option<Identity>) -> Option<TakenBatch> {
        if !self.may_send(node, identity) {
            return None;
        }
        let WaitingBatch { mut batch, payload } = self.waiting.pop_front()?;
        if let (Some(sequences), Some(identity)) = (&mut self.sequences, identity)
            && (batch.stamp.is_none() || mutants::is_active(Mutant::RestartSequences))
        {
            batch.stamp = Some(sequences.assign(identity, batch.records));
        }
        let taken = TakenBatch {
            order: batch.order,
            payload,
            stamp: batch.stamp,
        };
        let was_first = self.is_first(batch.order);
        self.insert_in_flight(InFlightBatch {
            batch,
            node,
            was_first,
        });
        Some(taken)
    }

    /// Handles the recreation of the topic: its brokers have no state of the producer.
    pub(super) fn topic_recreated(&mut self) {
        if let Some(sequences) = &mut self.sequences {
            sequences.topic_recreated();
        }
    }

    /// Handles the success of a batch. Returns the outcome to complete.
    pub(super) fn written(&mut self, order: BatchOrder) -> Option<PendingOutcome> {
        let InFlightBatch { batch, .. } = self.remove_in_flight(order)?;
        if let (Some(sequences), Some(stamp)) = (&mut self.sequences, batch.stamp) {
            sequences.acknowledge(stamp, batch.records);
        }
        batch.outcome
    }

    /// Whether the broker has certainly written this batch in flight, because it has acknowledged a later one.
    pub(super) fn is_written(&self, order: BatchOrder) -> bool {
        let sent = self.in_flight.iter().find(|sent| sent.batch.order == order);
        let stamp = sent.and_then(|sent| sent.batch.stamp);
        let known = self.sequences.as_ref().zip(stamp);
        known.is_some_and(|(sequences, stamp)| sequences.is_written(stamp))
    }

    /// Handles a batch that was refused or got no response. `may_retry` is whether it may be sent again, given the
    /// number of retries and its deadline.
    pub(super) fn refused(
        &mut self,
        order: BatchOrder,
        bytes: Bytes,
        failure: ProduceFailure,
        may_retry: impl Fn(&ProducerBatch) -> bool,
    ) -> Option<Verdict> {
        let mut sent = self.remove_in_flight(order)?;
        sent.batch.maybe_written |= failure.maybe_written;
        let is_unfinished = sent.batch.outcome.is_some();
        if is_unfinished && failure.kind == FailureKind::TooLarge && sent.batch.records > 1 {
            self.insert_in_flight(sent);
            return Some(Verdict::Split);
        }
        let InFlightBatch {
            mut batch,
            was_first,
            ..
        } = sent;
        if !is_unfinished {
            return Some(self.fail(batch, failure.reason));
        }
        let kind = match (&mut self.sequences, failure.kind) {
            // A batch before it is missing, and will be sent again.
            (Some(_), FailureKind::OutOfOrder) if !was_first => {
                self.wait_again(batch, bytes);
                return Some(Verdict::WaitForEarlier);
            }
            (Some(sequences), FailureKind::OutOfOrder | FailureKind::StaleProducer) => {
                sequences.confirm_gap();
                FailureKind::Retriable
            }
            (_, kind) => kind,
        };
        if kind != FailureKind::Retriable || !may_retry(&batch) {
            return Some(self.fail(batch, failure.reason));
        }
        batch.attempts += 1;
        batch.last_failure = Some(failure.reason);
        let attempts = batch.attempts;
        self.wait_again(batch, bytes);
        Some(Verdict::Retry { attempts })
    }

    fn fail(&mut self, batch: ProducerBatch, failure: BatchFailure) -> Verdict {
        self.leave_gap(&batch);
        Verdict::Fail(Failed {
            outcome: batch.outcome,
            failure,
        })
    }

    fn leave_gap(&mut self, batch: &ProducerBatch) {
        if let (Some(sequences), Some(stamp)) = (&mut self.sequences, batch.stamp) {
            sequences.fail(stamp, batch.records, batch.maybe_written);
        }
    }

    /// Returns a batch that was in flight to its position among the waiting ones.
    fn wait_again(&mut self, batch: ProducerBatch, bytes: Bytes) {
        let waiting = WaitingBatch {
            payload: Payload::Encoded(bytes),
            batch,
        };
        if mutants::is_active(Mutant::ResendOutOfOrder) {
            self.waiting.push_back(waiting);
            return;
        }
        let order = waiting.batch.order;
        let at = self
            .waiting
            .partition_point(|other| other.batch.order < order);
        self.waiting.insert(at, waiting);
    }

    /// Replaces a batch in flight by its two halves, which wait at its position and share its sequences.
    pub(super) fn split(&mut self, order: BatchOrder, first: Part, second: Part) {
        let Some(InFlightBatch { mut batch, .. }) = self.remove_in_flight(order) else {
            return;
        };
        let Some(outcome) = batch.outcome.take() else {
            // The batch has expired meanwhile.
            self.leave_gap(&batch);
            return;
        };
        let (first_outcome, second_outcome) = outcome.split(first.1);
        let second_batch = ProducerBatch {
            order: BatchOrder {
                first_record: order.first_record + first.1,
                ..order
            },
            records: second.1,
            stamp: batch.stamp.map(|stamp| stamp_behind(stamp, first.1)),
            last_failure: batch.last_failure.clone(),
            outcome: Some(second_outcome),
            ..batch
        };
        let first_batch = ProducerBatch {
            records: first.1,
            outcome: Some(first_outcome),
            ..batch
        };
        self.wait_again(second_batch, second.0);
        self.wait_again(first_batch, first.0);
    }

    /// Handles the final failure of a batch in flight or waiting.
    pub(super) fn give_up(&mut self, order: BatchOrder, failure: BatchFailure) -> Option<Failed> {
        let sent = self.remove_in_flight(order).map(|sent| sent.batch);
        let batch = sent.or_else(|| {
            let at = self
                .waiting
                .iter()
                .position(|waiting| waiting.batch.order == order)?;
            self.waiting.remove(at).map(|waiting| waiting.batch)
        })?;
        self.leave_gap(&batch);
        Some(Failed {
            outcome: batch.outcome,
            failure,
        })
    }

    /// Fails all waiting batches.
    pub(super) fn give_up_waiting(&mut self, failure: &BatchFailure) -> Vec<Failed> {
        let waiting = std::mem::take(&mut self.waiting);
        let failed = waiting.into_iter().map(|WaitingBatch { batch, .. }| {
            self.leave_gap(&batch);
            Failed {
                outcome: batch.outcome,
                failure: failure.clone(),
            }
        });
        failed.collect()
    }

    /// Stores the reason why the waiting batches cannot be sent at present.
    pub(super) fn set_last_error(&mut self, error: &Error) {
        for waiting in &mut self.waiting {
            waiting.batch.last_failure = Some(error.clone().into());
        }
    }

    /// Removes the waiting batches whose deadline has passed, and the outcomes of those in flight. `timed_out` is the
    /// error of a batch that has not failed before.
    pub(super) fn expire(
        &mut self,
        now: Instant,
        timed_out: impl Fn() -> BatchFailure,
    ) -> Vec<Failed> {
        let mut expired = Vec::new();
        for sent in &mut self.in_flight {
            if sent.batch.deadline <= now
                && let Some(outcome) = sent.batch.outcome.take()
            {
                expired.push(Failed {
                    outcome: Some(outcome),
                    failure: timed_out(),
                });
            }
        }
        while let Some(WaitingBatch { batch, .. }) = self
            .waiting
            .pop_front_if(|waiting| waiting.batch.deadline <= now)
        {
            self.leave_gap(&batch);
            expired.push(Failed {
                outcome: batch.outcome,
                failure: batch.last_failure.unwrap_or_else(&timed_out),
            });
        }
        expired
    }

    /// The time when the next batch expires.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let sent = self.in_flight.iter().map(|sent| &sent.batch);
        let unfinished = sent.filter(|batch| batch.outcome.is_some());
        let waiting = self.waiting.front().map(|waiting| &waiting.batch);
        unfinished.chain(waiting).map(|batch| batch.deadline).min()
    }

    /// Decides which sequences the next batches get. Call it after each change. Returns the identity whose epoch must
    /// be bumped.
    pub(super) fn settle(&mut self) -> Option<Identity> {
        if !self.in_flight.is_empty() {
            return None;
        }
        let sequences = self.sequences.as_mut()?;
        let first = self.waiting.front();
        let first = first.and_then(|waiting| waiting.batch.base_sequence());
        let mut waiting = self.waiting.iter().map(|waiting| &waiting.batch);
        let maybe_written = waiting
            .by_ref()
            .take_while(|batch| batch.stamp.is_some())
            .any(|batch| batch.maybe_written);
        let resolution = sequences.resolve(first, maybe_written);
        if resolution != Resolution::Keep {
            for waiting in &mut self.waiting {
                waiting.batch.remove_stamp();
            }
        }
        match resolution {
            Resolution::NewEpoch(identity) => Some(identity),
            Resolution::Keep | Resolution::SameEpoch => None,
        }
    }

    /// The stamp of the next batch to be pushed, if all batches before it and `open_records` more records succeed.
    pub(super) fn stamp_ahead(
        &self,
        identity: Identity,
        open_records: usize,
    ) -> Option<ProducerState> {
        let waiting = self.waiting.iter().map(|waiting| &waiting.batch);
        let new = waiting.filter(|batch| batch.stamp.is_none());
        let records: u64 = new.map(|batch| u64::from(batch.records)).sum();
        let sequences = self.sequences.as_ref()?;
        Some(sequences.stamp_after(identity, records + open_records as u64))
    }

    /// The outcomes of all batches, in order.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = &PendingOutcome> {
        let in_flight = self.in_flight.iter().map(|sent| &sent.batch);
        let waiting = self.waiting.iter().map(|waiting| &waiting.batch);
        in_flight
            .chain(waiting)
            .filter_map(|batch| batch.outcome.as_ref())
    }

    fn insert_in_flight(&mut self, sent: InFlightBatch) {
        let order = sent.batch.order;
        let at = self
            .in_flight
            .partition_point(|other| other.batch.order < order);
        self.in_flight.insert(at, sent);
    }

    fn remove_in_flight(&mut self, order: BatchOrder) -> Option<InFlightBatch> {
        let found = self
            .in_flight
            .iter()
            .position(|sent| sent.batch.order == order);
        self.in_flight.remove(found?)
    }
}
