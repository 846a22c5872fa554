//! Selects the batches of a partition that are visible with isolation level `read_committed`.
//!
//! A fetch response lists the aborted transactions that overlap its batches: producer id and first offset of each. A
//! reader processes the batches in order. A producer is aborted from the first offset of such a transaction until its
//! ABORT marker, and its transactional batches in between are not visible. Control batches are never visible.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use crate::batch::{Batches, RecordBatch, batches};
use crate::compression::DecompressLimit;
use crate::control::{ControlRecord, ControlType};
use crate::error::{BatchError, RecordDefect};
use crate::ids::{Offset, ProducerId};

/// The aborted transactions that overlap the batches of one fetch from one partition, sorted by first offset.
///
/// Collected from pairs of producer id and first offset, in any order. Empty by default: nothing was aborted, or the
/// isolation level is `read_uncommitted`. Clones share the list, and an empty one allocates nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AbortedTransactions {
    /// `None` if the list is empty.
    sorted: Option<Arc<[Transaction]>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Transaction {
    producer_id: ProducerId,
    first_offset: Offset,
}

impl AbortedTransactions {
    /// Whether the list is empty.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.sorted.is_none()
    }

    /// A filter for the batches of the fetch, at its first batch.
    pub fn filter(&self) -> TransactionFilter<'_> {
        TransactionFilter {
            pending: self.sorted.as_deref().unwrap_or_default(),
            aborted_producers: BTreeSet::new(),
        }
    }
}

impl FromIterator<(ProducerId, Offset)> for AbortedTransactions {
    fn from_iter<I: IntoIterator<Item = (ProducerId, Offset)>>(transactions: I) -> Self {
        let mut sorted: Vec<_> = transactions
            .into_iter()
            .map(|(producer_id, first_offset)| Transaction {
                producer_id,
                first_offset,
            })
            .collect();
        sorted.sort_by_key(|transaction| transaction.first_offset);
        Self {
            sorted: (!sorted.is_empty()).then(|| sorted.into()),
        }
    }
}

/// Decides which batches are visible, like Kafka's consumer.
///
/// Its state depends on all earlier batches: pass every batch of the fetched bytes in order, including those before the
/// requested offset. By default no transaction was aborted; then it allocates nothing and reads only the attributes of
/// a batch.
#[derive(Clone, Debug, Default)]
pub struct TransactionFilter<'a> {
    /// The transactions that begin after the batches so far.
    pending: &'a [Transaction],
    /// The producers in an aborted transaction, from its first offset to its ABORT marker.
    aborted_producers: BTreeSet<ProducerId>,
}

impl TransactionFilter<'_> {
    /// Processes the next batch. Returns whether its records are visible.
    ///
    /// Fails if the batch is the marker of an aborted transaction and cannot be read. Its CRC is not checked.
    #[inline]
    pub fn admit(&mut self, batch: &RecordBatch) -> Result<bool, BatchError> {
        if self.pending.is_empty() && self.aborted_producers.is_empty() {
            return Ok(!batch.header().attributes.is_control());
        }
        self.admit_transactional(batch)
    }

    fn admit_transactional(&mut self, batch: &RecordBatch) -> Result<bool, BatchError> {
        let header = batch.header();
        self.begin_up_to(header.last_offset());
        let is_control = header.attributes.is_control();
        let aborted_producer = header
            .producer_id
            .filter(|producer_id| self.aborted_producers.contains(producer_id));
        let Some(producer_id) = aborted_producer else {
            return Ok(!is_control);
        };
        if is_control && is_abort_marker(batch)? {
            self.aborted_producers.remove(&producer_id);
        }
        Ok(!is_control && !header.attributes.is_transactional())
    }

    /// Starts the aborted transactions with a first offset up to this one.
    fn begin_up_to(&mut self, last_offset: Offset) {
        let begun = self
            .pending
            .partition_point(|transaction| transaction.first_offset <= last_offset);
        let (begun, pending) = self.pending.split_at(begun);
        self.aborted_producers
            .extend(begun.iter().map(|transaction| transaction.producer_id));
        self.pending = pending;
    }
}

/// Whether the control batch ends an aborted transaction. A batch that compaction emptied does not.
fn is_abort_marker(batch: &RecordBatch) -> Result<bool, BatchError> {
    let records = batch.records(DecompressLimit::default())?;
    let Some(record) = records.iter().next().transpose()? else {
        return Ok(false);
    };
    let marker = ControlRecord::parse(&record).ok_or(BatchError::Record {
        index: 0,
        defect: RecordDefect::ControlKey,
    })?;
    Ok(marker.control_type == ControlType::Abort)
}

/// Iterates over the visible batches: like [`batches`], without control batches and the batches of aborted
/// transactions. The bytes must start where the fetch does. CRCs are not checked.
pub fn visible_batches<'a>(bytes: &Bytes, aborted: &'a AbortedTransactions) -> VisibleBatches<'a> {
    VisibleBatches {
        batches: batches(bytes),
        filter: aborted.filter(),
    }
}

/// The iterator that [`visible_batches`] returns.
#[derive(Clone, Debug)]
pub struct VisibleBatches<'a> {
    batches: Batches,
    filter: TransactionFilter<'a>,
}

impl Iterator for VisibleBatches<'_> {
    type Item = Result<RecordBatch, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let batch = match self.batches.next()? {
                Ok(batch) => batch,
                Err(error) => return Some(Err(error)),
            };
            match self.filter.admit(&batch) {
                Ok(true) => return Some(Ok(batch)),
                Ok(false) => {}
                Err(error) => {
                    self.batches = batches(&Bytes::new());
                    return Some(Err(error));
                }
            }
        }
    }
}
