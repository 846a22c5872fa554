//! Decides for each batch whether a cleaning keeps, changes or removes it.

use std::collections::HashMap;

use bytes::Bytes;
use headwater_record::{
    BatchError, BatchHeader, DecompressLimit, Offset, ProducerId, RawRecord, RecompressError,
    RecordBatch, Records,
};

use super::offset_map::OffsetMap;
use crate::transaction_index::AbortedTransaction;

/// The input of the decision besides the batch.
#[derive(Debug)]
pub(crate) struct RetentionRules<'a> {
    pub(crate) map: &'a OffsetMap,
    pub(crate) now_wall_ms: i64,
    pub(crate) delete_retention_ms: i64,
    /// The last offset of each producer whose sequence numbers the log keeps.
    pub(crate) last_offsets: &'a HashMap<ProducerId, Offset>,
    /// Aborted transactions.
    pub(crate) aborted: &'a [AbortedTransaction],
}

/// The decision for a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BatchRetention {
    /// Keep it unchanged.
    Retain,
    /// Replace it by these bytes.
    Rewrite(Bytes),
    /// Remove it.
    Delete,
}

impl RetentionRules<'_> {
    /// Decides about a batch whose CRC was checked.
    ///
    /// For each key, the last record before the end of the map stays, and every record after the end of the map. A
    /// tombstone stays until the delete horizon of its batch, which the first cleaning that reads it sets (KIP-534).
    /// Records without a key are removed. Control batches and batches of aborted transactions stay, because it is
    /// unknown to a cleaning when the last batch of their transaction is removed. An empty batch stays in two cases: it
    /// is the last of a producer whose sequence numbers the log keeps, or it is the last of the cleaned part, because
    /// readers find the end offset of the log in it.
    pub(crate) fn retention_of(
        &self,
        batch: &RecordBatch,
    ) -> Result<BatchRetention, RecompressError> {
        let header = batch.header();
        if header.attributes.is_control() || is_aborted(header, self.aborted) {
            return Ok(BatchRetention::Retain);
        }
        let records = batch.records(DecompressLimit::default())?;
        let kept = self.kept(&records)?;
        if kept.count == 0 {
            return Ok(self.emptied(header));
        }
        let horizon = (kept.has_tombstones && header.delete_horizon_ms().is_none())
            .then(|| self.now_wall_ms.saturating_add(self.delete_retention_ms));
        if kept.count == kept.flags.len() && horizon.is_none() {
            return Ok(BatchRetention::Retain);
        }
        Ok(BatchRetention::Rewrite(
            records.rewritten(&kept.flags, horizon)?,
        ))
    }

    fn kept(&self, records: &Records) -> Result<RemainingRecords, BatchError> {
        let mut kept = RemainingRecords {
            flags: Vec::with_capacity(records.count()),
            count: 0,
            has_tombstones: false,
        };
        for record in records.raw() {
            let record = record?;
            let stays = self.stays(&record, records);
            kept.flags.push(stays);
            kept.count += usize::from(stays);
            kept.has_tombstones |= stays && self.is_tombstone(&record, records);
        }
        Ok(kept)
    }

    fn stays(&self, record: &RawRecord, records: &Records) -> bool {
        let offset = offset_of(record, records);
        if offset >= self.map.next_offset() {
            return true;
        }
        let Some(key) = record.key.of(records.plain()) else {
            return false;
        };
        let horizon = records.header().delete_horizon_ms();
        let is_last = self.map.get(key).is_none_or(|last| offset >= last);
        is_last
            && (!record.value.is_null()
                || horizon.is_none_or(|horizon_ms| self.now_wall_ms < horizon_ms))
    }

    /// Whether the record is a tombstone that this cleaning covers. Tombstones after the end of the map wait for a
    /// later cleaning.
    fn is_tombstone(&self, record: &RawRecord, records: &Records) -> bool {
        record.value.is_null() && offset_of(record, records) < self.map.next_offset()
    }

    fn emptied(&self, header: &BatchHeader) -> BatchRetention {
        let is_last_of_producer = header
            .producer_id
            .and_then(|producer| self.last_offsets.get(&producer))
            .is_some_and(|last| *last == header.last_offset());
        let is_last_of_part = header.next_offset() == self.map.next_offset();
        if !is_last_of_producer && !is_last_of_part {
            return BatchRetention::Delete;
        }
        if header.record_count == 0 {
            return BatchRetention::Retain;
        }
        BatchRetention::Rewrite(header.emptied())
    }
}

/// The records of a batch that stay.
struct RemainingRecords {
    flags: Vec<bool>,
    count: usize,
    has_tombstones: bool,
}

fn offset_of(record: &RawRecord, records: &Records) -> Offset {
    records.header().base_offset + i64::from(record.offset_delta)
}

/// Whether the batch belongs to an aborted transaction.
pub(crate) fn is_aborted(header: &BatchHeader, aborted: &[AbortedTransaction]) -> bool {
    header.attributes.is_transactional()
        && aborted.iter().any(|transaction| {
            header.producer_id == Some(transaction.producer_id)
                && (transaction.first_offset..=transaction.last_offset)
                    .contains(&header.base_offset)
        })
}
