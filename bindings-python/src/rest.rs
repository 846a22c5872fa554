//! What was fetched from a consumer and not handed out yet.

use std::ops::Range;
use std::sync::Arc;

use crate::batch::Batch;
use crate::messages::Messages;

/// A batch, how far its messages were handed out, and how far they are known to be finished.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) batch: headwater::Batch,
    pub(crate) messages: Messages,
    /// The rows before this one are known to be finished.
    pub(crate) finished: usize,
}

impl Rest {
    pub(crate) fn new(batch: headwater::Batch) -> Self {
        let rows = Arc::clone(Batch::new(batch.clone(), None).rows());
        Self {
            batch,
            messages: Messages::new(rows),
            finished: 0,
        }
    }

    /// The rows that were not handed out.
    pub(crate) fn left(&self) -> Range<usize> {
        self.messages.position()..self.messages.position() + self.messages.left()
    }

    /// The partition and the offset of a row.
    pub(crate) fn place(&self, row: usize) -> Option<(headwater::TopicPartition, i64)> {
        let rows = self.messages.rows();
        let (partition, offset) = rows.place(row)?;
        Some((
            headwater::TopicPartition::new(rows.topic_name(row)?, partition),
            offset,
        ))
    }
}
