//! What a send returns: a receipt that becomes a result.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::drain::drain;
use super::queue::Ticket;
use super::record::RecordMetadata;
use crate::error::Result;

/// The future of one record. Light: a pointer to its batch and two numbers.
///
/// Waiting for it, by `.await` or [`SendHandle::wait`], sends its batch at once: nobody waits for `linger.ms`. Dropping it is
/// allowed and does not stop the record.
#[derive(Debug, Clone)]
#[must_use = "the result of the record comes from its handle"]
pub struct SendHandle {
    ticket: Arc<Ticket>,
    index: u32,
    timestamp_ms: i64,
}

impl SendHandle {
    pub(crate) fn new(ticket: Arc<Ticket>, index: u32, timestamp_ms: i64) -> Self {
        Self {
            ticket,
            index,
            timestamp_ms,
        }
    }

    /// The result, if it is there. Does not send anything.
    pub fn try_result(&self) -> Option<Result<RecordMetadata>> {
        let outcome = self.ticket.completion.outcome()?;
        Some(outcome.of_record(self.index).map(|written| RecordMetadata {
            topic: Arc::clone(&self.ticket.queue.topic),
            partition: self.ticket.queue.partition,
            offset: written.base_offset,
            timestamp_ms: written.log_append_time_ms.unwrap_or(self.timestamp_ms),
        }))
    }

    /// Whether the result is there.
    pub fn is_done(&self) -> bool {
        self.ticket.completion.outcome().is_some()
    }

    /// Wakes `waker` once the result is there; returns whether it will, and `false` if the result is there already. Does not send
    /// anything.
    pub fn wake_when_done(&self, waker: &Waker) -> bool {
        self.ticket.completion.wake_at_completion(waker)
    }

    /// Sends its batch now, in this thread where the transport allows it, and does not wait.
    pub fn send_now(&self) {
        if !self.is_done() {
            self.ticket.queue.close_if_open(&self.ticket);
            drain(&self.ticket.queue);
        }
    }

    /// Sends its batch and waits in this thread. Not for threads of a tokio runtime: there `.await` it.
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
            None => unreachable!("a completion that is done has an outcome"),
        }
    }
}
