//! Messages one by one, as rows of a decoded table.

use std::sync::Arc;

use headwater_record::Offset;

use super::super::Consumer;
use super::reading::TableWait;
use super::{DecodedTable, Event, Operation};
use crate::batch::{Batch, TopicPartition};
use crate::error::{Error, ErrorKind, Result};

/// After so many messages a member of a group counts as polling, and commits what is due.
const MESSAGES_PER_POLL: usize = 256;

/// A message: a row of a decoded table, whose columns have its parts.
#[derive(Debug, Clone, Copy)]
pub struct MessageRow<'a> {
    /// The table.
    pub batch: &'a Arc<Batch>,
    /// The row in it.
    pub row: usize,
}

impl MessageRow<'_> {
    /// The message's partition and offset.
    pub fn place(&self) -> Option<(TopicPartition, Offset)> {
        Some(self.batch.places()?.place(self.row))
    }
}

impl Consumer {
    /// The next message, if one is decoded already; otherwise [`Operation::NextMessage`] waits for one. The messages before it are finished:
    /// auto-commit may commit them.
    #[inline]
    pub fn ready_message(&mut self) -> Result<Option<MessageRow<'_>>> {
        self.wakeup.check()?;
        if self.coordinator.is_some() && self.group_is_due() {
            return Ok(None);
        }
        let table = self.assignment.table();
        Ok(table.and_then(DecodedTable::take_message))
    }

    /// Waits for the next message. Rebalances are carried out without being reported. The messages before it are finished: auto-commit may
    /// commit them.
    pub async fn next_message(&mut self) -> Result<MessageRow<'_>> {
        self.wakeup.check()?;
        let is_due = self.coordinator.is_some() && self.group_is_due();
        if is_due || !self.has_message() {
            while !matches!(
                self.next_event(&Operation::NextMessage).await?,
                Event::Message
            ) {}
        }
        let table = self.assignment.table();
        let message = table.and_then(DecodedTable::take_message);
        Ok(message.expect("the event says that there is a message"))
    }

    /// Counts a message of a member of a group. Some of them count as a poll; then the result is whether the group has a todo, which comes before
    /// the next message.
    fn group_is_due(&mut self) -> bool {
        self.messages += 1;
        if !self.messages.is_multiple_of(MESSAGES_PER_POLL) {
            return false;
        }
        let handed_out = self.assignment.handed_out();
        self.committing.finished.finish(&handed_out);
        self.group_polled();
        self.commit_if_due();
        self.group_needs_action()
    }

    fn has_message(&mut self) -> bool {
        let table = self.assignment.table();
        table.is_some_and(|table| table.left() > 0)
    }

    /// Waits until a message is ready.
    pub(super) async fn message_event(&mut self) -> Result<Event> {
        let stream = self.message_stream.clone();
        loop {
            match self.wait_for_table(&stream).await? {
                TableWait::Rebalance(rebalance) => return Ok(Event::Rebalance(rebalance)),
                TableWait::Ready => self.read_ahead(&stream),
                TableWait::End => unreachable!("the stream of messages does not end"),
            }
            // What was fetched ahead may have changed a position; then the table is decoded again.
            let Some(table) = self.assignment.table() else {
                continue;
            };
            if table.has_places() {
                return Ok(Event::Message);
            }
            self.assignment.forget_table();
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "Messages need the columns `partition` and `offset`: leave both in the columns of the consumer, or read tables.",
            ));
        }
    }
}
