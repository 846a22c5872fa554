//! What goes into a decoder and what comes out.

use std::sync::Arc;

use bytes::Bytes;
use headwater_record::{AbortedTransactions, Offset, PartitionId};

/// Encoded batches fetched from one partition, and which of their offsets to read.
///
/// Invariant: every record of the log in `from..until` is in `bytes`. Batches may reach over both ends. `bytes` starts where the fetch
/// response starts: whether a batch is of an aborted transaction depends on the batches before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedBatches {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: PartitionId,
    /// Batches one after the other. A last one that is cut is ignored.
    pub bytes: Bytes,
    /// The first offset to read.
    pub from: Offset,
    /// Where to stop (exclusive).
    pub until: Offset,
    /// The aborted transactions that the fetch response names; their records are left out. Empty under `read_uncommitted`.
    pub aborted: AbortedTransactions,
}

impl FetchedBatches {
    /// All records from an offset on.
    pub fn new(
        topic: impl Into<Arc<str>>,
        partition: impl Into<PartitionId>,
        bytes: Bytes,
        from: impl Into<Offset>,
    ) -> Self {
        Self {
            topic: topic.into(),
            partition: partition.into(),
            bytes,
            from: from.into(),
            until: Offset::MAX,
            aborted: AbortedTransactions::default(),
        }
    }

    /// Only records before this offset.
    #[must_use]
    pub fn until(mut self, until: impl Into<Offset>) -> Self {
        self.until = until.into();
        self
    }

    /// Without the records of these transactions.
    #[must_use]
    pub fn without(mut self, aborted: AbortedTransactions) -> Self {
        self.aborted = aborted;
        self
    }

    /// How many records it has at most: compaction and markers leave holes.
    pub fn offsets(&self) -> u64 {
        u64::try_from(self.until - self.from).unwrap_or(0)
    }

    /// The part before `at` and the part from there on. Both share the bytes.
    pub fn split_at(self, at: Offset) -> (Self, Self) {
        let at = at.max(self.from).min(self.until);
        (
            Self {
                until: at,
                ..self.clone()
            },
            Self { from: at, ..self },
        )
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
    /// For each [`FetchedBatches`], in order: the offset after the last record or batch that was passed (control batches and gaps included), or
    /// its `from` where nothing was passed.
    pub next_offsets: Vec<Offset>,
    /// Whether all whole batches of all [`FetchedBatches`] were passed. If not, decode the same bytes again from `next_offsets`; there may be a
    /// record or a batch there that cannot be read.
    pub complete: bool,
    /// Records left out by [`OnError::Skip`](crate::OnError::Skip).
    pub skipped: usize,
}
