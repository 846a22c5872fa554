//! Messages one by one, as rows of a decoded table.

use std::ops::Range;
use std::sync::Arc;

use headwater_record::Offset;

use super::super::Consumer;
use super::reading::TableWait;
use super::{DecodedTable, Event, Operation};
use crate::batch::{Batch, TopicPartition};
use crate::error::{Error, ErrorKind, Result};

/// The number of messages after which a member of a group counts as polling, and due offsets are committed.
const MESSAGES_PER_POLL: usize = 256;

/// A message: a row of a decoded table, whose columns contain its parts.
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
    /// The next message, if it is already decoded; otherwise [`Operation::NextMessage`] waits for one. The messages
    /// before it are finished: auto-commit may commit them.
    #[inline]
    pub fn ready_message(&mut self) -> Result<Option<MessageRow<'_>>> {
        self.wakeup.check()?;
        if self.coordinator.is_some() && self.group_is_due() {
            return Ok(None);
        }
        let table = self.assignment.table();
        Ok(table.and_then(DecodedTable::take_message))
    }

    /// The next decoded messages, as rows of a table. They are not handed out yet: [`Consumer::take_messages`] does
    /// that. For a binding that reads many of them at once.
    pub fn decoded_messages(&mut self) -> Option<(Arc<Batch>, Range<usize>)> {
        let table = self.assignment.table()?;
        (table.left() > 0 && table.has_places()).then(|| table.not_handed_out())
    }

    /// Hands out the first `count` of the [`Consumer::decoded_messages`], one by one: all except the last are finished.
    /// Returns whether the group has a todo before the next message; then [`Operation::NextMessage`] must follow.
    pub fn take_messages(&mut self, count: usize) -> bool {
        if count == 0 {
            return false;
        }
        if let Some(table) = self.assignment.table() {
            table.take_messages(count);
        }
        if self.coordinator.is_none() || !self.count_as_poll(count) {
            return false;
        }
        self.finish_before_last();
        self.serve_group()
    }

    /// Waits for the next message. Rebalances are carried out without being reported. The messages before it are
    /// finished: auto-commit may commit them.
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
        Ok(message.expect("the event reports a message"))
    }

    /// Counts a requested message. Returns whether the group has a todo, which comes before the message.
    fn group_is_due(&mut self) -> bool {
        if !self.count_as_poll(1) {
            return false;
        }
        self.finish_all();
        self.serve_group()
    }

    /// Counts messages of a member of a group. Returns whether they count as a poll.
    fn count_as_poll(&mut self, messages: usize) -> bool {
        let polls = self.messages / MESSAGES_PER_POLL;
        self.messages += messages;
        self.messages / MESSAGES_PER_POLL != polls
    }

    /// Serves the group like a poll, without reading. Returns whether the group has a todo.
    fn serve_group(&mut self) -> bool {
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
            // Batches fetched ahead may have changed a position; then the table is decoded again.
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
