//! What goes into a decoder and what comes out.

use std::sync::Arc;

use bytes::Bytes;
use headwater_record::{Offset, PartitionId};

/// Bytes fetched from one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: PartitionId,
    /// Batches one after the other; the last one may be cut, then it is not there.
    pub batches: Bytes,
    /// The first offset wanted; a batch may start before it.
    pub from: Offset,
    /// The first offset not wanted any more; `None`: all to the end of the bytes.
    pub until: Option<Offset>,
}

impl Fetched {
    /// All records from an offset on.
    pub fn new(
        topic: impl Into<Arc<str>>,
        partition: impl Into<PartitionId>,
        batches: Bytes,
        from: impl Into<Offset>,
    ) -> Self {
        Self {
            topic: topic.into(),
            partition: partition.into(),
            batches,
            from: from.into(),
            until: None,
        }
    }

    /// Only records before this offset.
    #[must_use]
    pub fn until(mut self, until: impl Into<Offset>) -> Self {
        self.until = Some(until.into());
        self
    }
}

/// A table, and where to go on behind it.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The table.
    pub batch: arrow_array::RecordBatch,
    /// Of JSON without a schema, the text that its rows were read from: columns `key` and `value`, as far as the table has them whole. Null
    /// where the table is. `None` where no column was inferred.
    pub json: Option<arrow_array::RecordBatch>,
    /// For each [`Fetched`], in order: the offset after the last record or batch that was passed (control batches and gaps included), or
    /// its `from` where nothing was passed.
    pub next_offsets: Vec<Offset>,
    /// Whether all whole batches of all [`Fetched`] were passed. If not, decode the same bytes again from `next_offsets`; there may be a
    /// record or a batch there that cannot be read.
    pub complete: bool,
    /// Records left out by [`OnError::Skip`](crate::OnError::Skip).
    pub skipped: usize,
}
