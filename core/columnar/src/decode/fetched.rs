//! The input and output of a decoder.

use std::sync::Arc;

use bytes::Bytes;
use headwater_record::{AbortedTransactions, Offset, PartitionId};

use super::NewField;

/// Encoded batches fetched from one partition, and the range of offsets to read.
///
/// Invariant: every record of the log in `from..until` is in `bytes`. Batches may exceed the range at both ends.
/// `bytes` must start where the fetch response starts: whether a batch belongs to an aborted transaction depends on the
/// batches before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedBatches {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: PartitionId,
    /// Consecutive batches. An incomplete last one is ignored.
    pub bytes: Bytes,
    /// The first offset to read.
    pub from: Offset,
    /// The end of the range (exclusive).
    pub until: Offset,
    /// The aborted transactions listed in the fetch response, whose records are left out. Empty with
    /// `read_uncommitted`.
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

    /// Restricts the range to records before this offset.
    #[must_use]
    pub fn until(mut self, until: impl Into<Offset>) -> Self {
        self.until = until.into();
        self
    }

    /// Leaves out the records of these transactions.
    #[must_use]
    pub fn without(mut self, aborted: AbortedTransactions) -> Self {
        self.aborted = aborted;
        self
    }

    /// The maximum number of records: compaction and markers leave gaps.
    pub fn offsets(&self) -> u64 {
        u64::try_from(self.until - self.from).unwrap_or(0)
    }

    /// Splits the range at `at`. Both parts share the bytes.
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

/// A table, and the position after it.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The table.
    pub batch: arrow_array::RecordBatch,
    /// For JSON without a schema, the original text of the rows: columns `key` and `value`, if the table has the
    /// complete column. Null where the table is null. `None` if no column was inferred.
    pub json: Option<arrow_array::RecordBatch>,
    /// For each [`FetchedBatches`], in order: the offset after the last record or batch that was processed (including
    /// control batches and gaps), or its `from` if none was.
    pub next_offsets: Vec<Offset>,
    /// Whether all complete batches of all [`FetchedBatches`] were processed. If not, decode the same bytes again from
    /// `next_offsets`; the record or batch there may be unreadable.
    pub complete: bool,
    /// The number of records skipped by [`OnError::Skip`](crate::OnError::Skip).
    pub skipped: usize,
    /// Fields that first appear here, after the records from which the type of JSON was inferred
    /// ([`Infer::First`](crate::Infer::First)). A decoder reports each field once, and 100 of a column at most.
    pub new_fields: Vec<NewField>,
}
