//! The senders' view of a partition's queue: takes batches, and processes their responses.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::batch::{BatchFailure, BatchOrder, ProducerBatch};
use super::completion::{BatchOutcome, ProduceResult};
use super::partition_queue::{PartitionLeader, PartitionQueue, QueueState};
use super::pending_batches::TakenBatch;
use super::produce_answer::{FailureKind, ProduceFailure};
use super::recovery::{self, Retry};
use super::split::split;
use super::verdict::{Failed, Verdict};
use crate::cluster::TopicMetadata;
use crate::error::{Error, ErrorKind};

/// The reason why a sender does not get a batch.
pub(super) enum NotTaken {
    /// The next batch is larger than the remaining space in the request.
    NoRoom,
    /// The producer currently has no id.
    NoProducerId,
    /// No batch may be sent now. The code that changes this also sends the batches of the queue.
    Nothing,
}

/// A batch that a broker refused, or that got no response.
#[derive(Debug)]
pub(super) struct RefusedBatch {
    pub(super) order: BatchOrder,
    /// The encoded batch.
    pub(super) bytes: Bytes,
    /// The metadata from which the broker was taken.
    pub(super) topic: Arc<TopicMetadata>,
    /// The time when the request failed.
    pub(super) failed_at: std::time::Instant,
}

/// Whether a sender must add a queue to its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listing {
    /// Yes. From now on the queue counts as listed.
    Add,
    /// No: the sender of another broker lists the queue.
    OtherLeader,
    /// No: the queue is listed already, or has nothing to send.
    NotNeeded,
}

impl PartitionQueue {
    /// Whether a batch is waiting and no thread or task is about to send it.
    pub(super) fn needs_sending(&self) -> bool {
        let state = self.state.lock();
        state.pending.has_waiting() && !state.is_paused && !state.is_claimed
    }

    /// Sets the broker for the next batches.
    pub(super) fn set_leader(&self, leader: PartitionLeader) {
        let mut state = self.state.lock();
        let state = &mut *state;
        let known = state.leader.as_ref();
        if known.is_none_or(|known| known.node != leader.node) {
            state.is_listed = false;
        }
        if known.is_some_and(|known| known.topic.topic_id != leader.topic.topic_id) {
            state.pending.topic_recreated();
        }
        state.leader = Some(leader);
    }

    /// Whether the sender of `node` must add this queue to its list, because batches may be left to send.
    pub(super) fn list_at(&self, node: i32) -> Listing {
        self.state.lock().list_at(node)
    }

    /// Takes the next batch for `node`, if it may be sent there now and fits into `room` bytes (`None`: any size). The
    /// caller then has the claim of the queue until [`PartitionQueue::release_claim`].
    pub(super) fn take(
        &self,
        node: i32,
        room: Option<usize>,
    ) -> Result<(TakenBatch, PartitionLeader), NotTaken> {
        let identity = self.context.identity.current();
        let mut state = self.state.lock();
        let state = &mut *state;
        let Some(leader) = state.leader.as_ref().filter(|leader| leader.node == node) else {
            return Err(NotTaken::Nothing);
        };
        state.is_listed = false;
        if state.is_paused || state.is_claimed || !state.pending.has_waiting() {
            return Err(NotTaken::Nothing);
        }
        if identity.is_none() && self.context.config.idempotent {
            return Err(NotTaken::NoProducerId);
        }
        if room.is_some_and(|room| state.pending.next_size() > room) {
            state.is_listed = true;
            return Err(NotTaken::NoRoom);
        }
        let batch = state.pending.take(node, identity);
        let batch = batch.ok_or(NotTaken::Nothing)?;
        state.is_claimed = true;
        Ok((batch, leader.clone()))
    }

    /// Releases the claim, after the transport has got the batch: others may take the next one. Returns
    /// [`PartitionQueue::list_at`].
    pub(super) fn release_claim(&self, node: i32) -> Listing {
        let mut state = self.state.lock();
        state.is_claimed = false;
        state.list_at(node)
    }

    /// Stops sending. Returns false if it is already stopped. Otherwise the caller must call
    /// [`PartitionQueue::resume`].
    pub(super) fn pause(&self) -> bool {
        !std::mem::replace(&mut self.state.lock().is_paused, true)
    }

    /// Ends a pause.
    pub(super) fn resume(&self) {
        self.state.lock().is_paused = false;
    }

    /// Ends a pause if no batch waits. Returns whether it did.
    pub(super) fn resume_if_empty(&self) -> bool {
        let mut state = self.state.lock();
        state.is_paused = state.pending.has_waiting();
        !state.is_paused
    }

    /// Stores the reason why the waiting batches cannot be sent at present: it becomes their error if they expire.
    pub(super) fn set_last_error(&self, error: &Error) {
        self.state.lock().pending.set_last_error(error);
    }

    /// Handles the success of a batch.
    pub(super) fn written(&self, order: BatchOrder, result: ProduceResult) {
        let mut state = self.state.lock();
        let outcome = state.pending.written(order);
        self.settle(&mut state);
        drop(state);
        if let Some(outcome) = outcome {
            outcome.complete(BatchOutcome::Written(result));
        }
    }

    /// Handles a batch that was refused or got no response: sends it again, splits it, or fails it.
    pub(super) fn refused(self: &Arc<Self>, refused: RefusedBatch, mut failure: ProduceFailure) {
        let RefusedBatch {
            order,
            bytes,
            topic,
            failed_at,
        } = refused;
        let too_large = (failure.kind == FailureKind::TooLarge).then(|| bytes.clone());
        let error = match failure.kind {
            FailureKind::Retriable => Some(failure.reason.error.clone()),
            _ => None,
        };
        let mut state = self.state.lock();
        // The broker has dropped its record of the batch. With other sequences it would be written twice.
        if failure.kind == FailureKind::OutOfOrder && state.pending.is_written(order) {
            drop(state);
            return self.written(order, ProduceResult::UNKNOWN_OFFSET);
        }
        let may_retry = |batch: &ProducerBatch| self.may_retry(batch);
        failure.reason.error = self.context.cluster.located(failure.reason.error);
        let verdict = state.pending.refused(order, bytes, failure, may_retry);
        self.settle(&mut state);
        let starts_pause = matches!(verdict, Some(Verdict::Retry { .. })) && !state.is_paused;
        state.is_paused |= starts_pause;
        drop(state);
        match verdict {
            Some(Verdict::Retry { attempts }) if starts_pause => {
                let retry = Retry {
                    order,
                    attempts,
                    error,
                    topic,
                    failed_at,
                };
                recovery::retry(self, retry);
            }
            Some(Verdict::Split) => self.split(order, &too_large.unwrap_or_default()),
            Some(Verdict::Fail(failed)) => failed.complete(),
            // The batch that caused the pause is sent again first.
            Some(Verdict::Retry { .. } | Verdict::WaitForEarlier) | None => {}
        }
    }

    fn may_retry(&self, batch: &ProducerBatch) -> bool {
        let context = &self.context;
        let pause = context.cluster.config().retry.pause(batch.attempts + 1);
        batch.attempts < context.config.retries && Instant::now() + pause < batch.deadline
    }

    fn split(&self, order: BatchOrder, bytes: &Bytes) {
        match split(bytes) {
            Ok((first, second)) => {
                let mut state = self.state.lock();
                state.pending.split(order, first, second);
                self.settle(&mut state);
            }
            Err(error) => self.give_up(order, error.into()),
        }
    }

    /// Handles the final failure of a batch.
    pub(super) fn give_up(&self, order: BatchOrder, failure: BatchFailure) {
        let mut state = self.state.lock();
        let failed = state.pending.give_up(order, failure);
        self.settle(&mut state);
        drop(state);
        failed.into_iter().for_each(Failed::complete);
    }

    /// Fails the waiting batches.
    pub(super) fn give_up_waiting(&self, error: Error) {
        let mut state = self.state.lock();
        let failed = state.pending.give_up_waiting(&error.into());
        self.settle(&mut state);
        drop(state);
        failed.into_iter().for_each(Failed::complete);
    }

    /// Fails the batches whose `delivery.timeout.ms` has passed. Returns the time when the next one expires.
    pub(super) fn expire(&self, now: Instant) -> Option<Instant> {
        let mut state = self.state.lock();
        let expired = state.pending.expire(now, || self.timed_out());
        if !expired.is_empty() {
            self.settle(&mut state);
        }
        let next = state.next_deadline(self.context.config.delivery_timeout);
        drop(state);
        expired.into_iter().for_each(Failed::complete);
        next
    }

    fn timed_out(&self) -> BatchFailure {
        let timeout = self.context.config.delivery_timeout.as_millis();
        let message = format!(
            "The record was not acknowledged within delivery.timeout.ms={timeout}: check the broker, or raise delivery.timeout.ms. It may \
             have been written."
        );
        Error::new(ErrorKind::Timeout, message).into()
    }

    /// Bumps the producer's epoch if the sequences of this partition have become uncertain.
    fn settle(&self, state: &mut QueueState) {
        if let Some(lost) = state.pending.settle() {
            self.context.identity.renew(lost);
        }
    }
}

impl QueueState {
    /// The time when the next batch expires, whether it is closed or open.
    fn next_deadline(&self, delivery_timeout: Duration) -> Option<Instant> {
        let open = self
            .open
            .as_ref()
            .map(|open| open.opened + delivery_timeout);
        open.into_iter().chain(self.pending.next_deadline()).min()
    }

    fn list_at(&mut self, node: i32) -> Listing {
        if !self.pending.has_waiting() || self.is_paused || self.is_claimed {
            return Listing::NotNeeded;
        }
        if self
            .leader
            .as_ref()
            .is_none_or(|leader| leader.node != node)
        {
            return Listing::OtherLeader;
        }
        if std::mem::replace(&mut self.is_listed, true) {
            return Listing::NotNeeded;
        }
        Listing::Add
    }
}
