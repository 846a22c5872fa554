//! The handle of a sent record.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::batch::Ticket;
use super::record::RecordMetadata;
use super::sender::drain;
use crate::error::Result;

/// The future of one record: a pointer to its batch and two numbers.
///
/// Waiting for it with `.await` or [`SendHandle::wait`] sends its batch at once, without waiting for `linger.ms`.
/// Dropping it does not cancel the record.
#[derive(Debug, Clone)]
#[must_use = "the handle returns the result of the record"]
pub struct SendHandle {
    ticket: Arc<Ticket>,
    index: u32,
    timestamp_ms: i64,
}

impl SendHandle {
    #[inline]
    pub(crate) fn new(ticket: Arc<Ticket>, index: u32, timestamp_ms: i64) -> Self {
        Self {
            ticket,
            index,
            timestamp_ms,
        }
    }

    /// The result, if available. Does not send the batch.
    pub fn try_result(&self) -> Option<Result<RecordMetadata>> {
        let outcome = self.ticket.completion.outcome()?;
        Some(outcome.of_record(self.index).map(|written| RecordMetadata {
            topic: Arc::clone(&self.ticket.queue.topic),
            partition: self.ticket.queue.partition,
            offset: written.base_offset,
            timestamp_ms: written.log_append_time_ms.unwrap_or(self.timestamp_ms),
        }))
    }

    /// Whether the result is available.
    pub fn is_done(&self) -> bool {
        self.ticket.completion.outcome().is_some()
    }

    /// Wakes `waker` when the result is available. Returns `false` if it already is. Does not send the batch.
    pub fn wake_when_done(&self, waker: &Waker) -> bool {
        self.ticket.completion.wake_at_completion(waker)
    }

    /// Sends its batch now, in this thread if the transport allows it. Does not wait for the result.
    pub fn send_now(&self) {
        if !self.is_done() {
            self.ticket.queue.close_if_open(&self.ticket);
            drain(&self.ticket.queue);
        }
    }

    /// Sends its batch and blocks the thread for the result. In a thread of a tokio runtime, use `.await` instead.
    pub fn wait(self) -> Result<RecordMetadata> {
        self.send_now();
        match self.try_result() {
            Some(result) => result,
            None => self
                .ticket
                .queue
                .context
                .cluster
                .runtime()
                .clone()
                .block_on(self),
        }
    }
}

impl Future for SendHandle {
    type Output = Result<RecordMetadata>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.send_now();
        std::task::ready!(self.ticket.completion.poll_done(context));
        match self.try_result() {
            Some(result) => Poll::Ready(result),
            None => unreachable!("a completed batch has an outcome"),
        }
    }
}
