//! The path of a consumer's records to the caller: as tables, or message by message.
//!
//! - [`Consumer::next_event`] runs an operation until it is complete or a rebalance must be reported. The other calls
//!   are built on it.
//! - A decoded table ([`table`]) is handed out in parts. Positions, lag and commits count the records that were handed
//!   out, also in the middle of a table.
//! - A record is finished, and auto-commit may commit it, when the caller requests more ([`finishing`]).
//! - While the caller works on a large table, the next one is decoded in the runtime ([`read_ahead`]).
//!
//! **Cancel safety.** A call hands out records as its last step. A dropped future has handed out none, and
//! [`Consumer::take_back`] returns the records of a completed call whose result did not reach the caller. The
//! lookup of start positions and the commit before a release continue without it, and the next call waits for them.

mod deferred;
mod finishing;
mod leaving;
mod messages;
mod read_ahead;
mod reading;
mod table;

use std::time::{Duration, Instant};

use super::options::BatchStream;
use super::{Consumer, Rebalance};
use crate::batch::Batch;
use crate::error::Result;

pub use finishing::Finishing;
pub(super) use leaving::LeaveTime;
pub use messages::MessageRow;
pub(super) use read_ahead::DecodeAhead;
pub(super) use table::DecodedTable;

/// An operation of [`Consumer::next_event`].
#[derive(Debug, Clone)]
pub enum Operation {
    /// Returns records as a table: [`Event::Batch`], which is empty after the deadline.
    Poll {
        /// The end of the wait; `None` waits for ever.
        deadline: Option<Instant>,
        /// The maximum records; `None`: `max.poll.records`.
        max_records: Option<usize>,
    },
    /// Returns the next table of a stream: [`Event::Batch`], or [`Event::End`] at its end.
    NextBatch(BatchStream),
    /// Waits for a message: [`Event::Message`]; then [`Consumer::ready_message`] returns it.
    NextMessage,
    /// [`Consumer::unsubscribe`] as an operation: [`Event::Left`].
    Unsubscribe,
    /// [`Consumer::close`] as an operation: [`Event::Left`].
    Close,
}

/// The result of an [`Operation`], or an event before it.
#[derive(Debug, Clone)]
pub enum Event {
    /// Report this rebalance, then call again with the same operation. Revoked partitions can be committed until then.
    Rebalance(Rebalance),
    /// The records.
    Batch(Batch),
    /// The stream has ended.
    End,
    /// A message is ready.
    Message,
    /// The consumer has given up its partitions.
    Left,
}

impl Operation {
    /// A poll with this time limit.
    pub fn poll(timeout: Duration, max_records: Option<usize>) -> Self {
        Self::Poll {
            deadline: Instant::now().checked_add(timeout),
            max_records,
        }
    }
}

impl Consumer {
    /// Runs the operation until it is complete, or until there is a rebalance to report first.
    ///
    /// Except when it leaves, the records that were handed out before are finished: auto-commit may commit them.
    pub async fn next_event(&mut self, operation: &Operation) -> Result<Event> {
        match operation {
            Operation::Unsubscribe => return self.unsubscribe_or_event().await,
            Operation::Close => return Ok(self.close_or_event().await),
            Operation::Poll { .. } | Operation::NextBatch(_) | Operation::NextMessage => {}
        }
        let (wakeup, cluster) = (self.wakeup.clone(), self.cluster.clone());
        if self.deferred_topics.is_some() {
            wakeup.interruptible(&cluster, self.ready()).await?;
        }
        self.refuse_if_idle()?;
        self.finish_handed_out();
        let event = wakeup.interruptible(&cluster, self.read(operation)).await;
        if let Ok(Event::Batch(_) | Event::Message) = &event {
            self.gauge.move_to(&self.assignment.handed_out());
        }
        event
    }

    async fn read(&mut self, operation: &Operation) -> Result<Event> {
        match operation {
            Operation::NextBatch(stream) => self.batch_event(stream).await,
            Operation::NextMessage => self.message_event().await,
            Operation::Poll {
                deadline,
                max_records,
            } => {
                let max_records = max_records.unwrap_or(self.config.max_poll_records);
                self.poll_event(*deadline, max_records).await
            }
            Operation::Unsubscribe | Operation::Close => unreachable!("they read nothing"),
        }
    }

    /// Returns at most `max_records` records (`None`: `max.poll.records`), or an empty table after `timeout`.
    /// Rebalances are carried out without being reported. The records of earlier calls are finished: auto-commit may
    /// commit them.
    pub async fn poll(&mut self, timeout: Duration, max_records: Option<usize>) -> Result<Batch> {
        let poll = Operation::poll(timeout, max_records);
        loop {
            if let Event::Batch(batch) = self.next_event(&poll).await? {
                return Ok(batch);
            }
        }
    }

    /// Returns the next table of a stream, or `None` at its end. Rebalances are carried out without being reported. The
    /// records of earlier calls are finished: auto-commit may commit them.
    pub async fn next_batch(&mut self, stream: &BatchStream) -> Result<Option<Batch>> {
        let next = Operation::NextBatch(stream.clone());
        loop {
            match self.next_event(&next).await? {
                Event::Batch(batch) => return Ok(Some(batch)),
                Event::End => return Ok(None),
                Event::Rebalance(_) | Event::Message | Event::Left => {}
            }
        }
    }

    /// Takes back the records of the last call, whose result did not reach the caller: the next call returns them
    /// again, and they are not finished. Only valid directly after that call.
    pub fn take_back(&mut self) {
        if let Some(table) = self.assignment.table() {
            table.take_back();
        }
    }
}
