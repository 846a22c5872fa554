//! Removes records from batches, for compaction.
//!
//! Offsets, producer, sequence numbers and leader epoch stay: a batch keeps its first and its last offset whatever
//! records remain, so that sequence numbers can still be checked against it. Remaining records keep their bytes, except
//! for the timestamp delta if the base timestamp becomes a delete horizon (KIP-534).

use bytes::Bytes;

use crate::attributes::TimestampType;
use crate::compression::{Compression, CompressionLevel, Compressor};
use crate::error::{BatchError, RecordDefect};
use crate::header::{BatchHeader, HEADER_LEN, LOG_OVERHEAD, seal};
use crate::records::Records;
use crate::validated::RecompressError;
use crate::varint;

impl BatchHeader {
    /// The time after which compaction may remove the batch's tombstones; `None` before the first cleaning that read
    /// them (KIP-534).
    pub const fn delete_horizon_ms(&self) -> Option<i64> {
        if self.attributes.has_delete_horizon() {
            Some(self.base_timestamp_ms)
        } else {
            None
        }
    }

    /// The batch without records: a header that keeps the used offsets and sequence numbers.
    pub fn emptied(&self) -> Bytes {
        let header = Self {
            batch_length: (HEADER_LEN - LOG_OVERHEAD) as i32,
            attributes: self
                .attributes
                .with_compression(Compression::None)
                .with_delete_horizon(false),
            base_timestamp_ms: -1,
            record_count: 0,
            ..*self
        };
        let mut batch = vec![0; HEADER_LEN];
        seal(&mut batch, header);
        Bytes::from(batch)
    }
}

impl Records {
    /// The batch with only the records for which `keep`, which has one value per record in order, is true. It is
    /// compressed with the same codec. `delete_horizon_ms` becomes the base timestamp and is marked as a delete
    /// horizon. The timestamps of the records do not change.
    pub fn rewritten(
        &self,
        keep: &[bool],
        delete_horizon_ms: Option<i64>,
    ) -> Result<Bytes, RecompressError> {
        let old = *self.header();
        let base_timestamp_ms = delete_horizon_ms.unwrap_or(old.base_timestamp_ms);
        let kept = self.kept(keep, base_timestamp_ms)?;
        let codec = old.attributes.compression().map_err(BatchError::from)?;
        let mut batch = vec![0; HEADER_LEN];
        Compressor::new(codec, CompressionLevel::Default).compress_onto(&kept.plain, &mut batch)?;
        let size = batch.len();
        let has_horizon = delete_horizon_ms.is_some() || old.attributes.has_delete_horizon();
        let header = BatchHeader {
            batch_length: i32::try_from(size - LOG_OVERHEAD)
                .map_err(|_| RecompressError::TooLarge { size })?,
            attributes: old.attributes.with_delete_horizon(has_horizon),
            base_timestamp_ms,
            max_timestamp_ms: kept.max_timestamp_ms,
            record_count: kept.count,
            ..old
        };
        seal(&mut batch, header);
        Ok(Bytes::from(batch))
    }

    fn kept(&self, keep: &[bool], base_timestamp_ms: i64) -> Result<Kept, BatchError> {
        let header = self.header();
        let shift = header.base_timestamp_ms.wrapping_sub(base_timestamp_ms);
        let mut kept = Kept {
            plain: Vec::with_capacity(self.plain().len()),
            count: 0,
            max_timestamp_ms: match header.attributes.timestamp_type() {
                TimestampType::CreateTime => -1,
                TimestampType::LogAppendTime => header.max_timestamp_ms,
            },
        };
        let (mut raw, mut start) = (self.raw(), 0);
        let mut index = 0;
        while let Some(record) = raw.next() {
            let record = record?;
            let end = raw.position();
            if keep.get(index).copied().unwrap_or(true) {
                let bytes = &self.plain()[start..end];
                let defect = |defect| BatchError::Record { index, defect };
                if shift == 0 {
                    kept.plain.extend_from_slice(bytes);
                } else {
                    let delta = record.timestamp_delta.wrapping_add(shift);
                    move_record(bytes, delta, &mut kept.plain)
                        .ok_or_else(|| defect(RecordDefect::Varint))?;
                }
                let (_, timestamp_ms) = self
                    .place(&record)
                    .ok_or_else(|| defect(RecordDefect::OffsetOverflow))?;
                kept.max_timestamp_ms = kept.max_timestamp_ms.max(timestamp_ms);
                kept.count += 1;
            }
            start = end;
            index += 1;
        }
        Ok(kept)
    }
}

/// The records that remain.
struct Kept {
    plain: Vec<u8>,
    count: i32,
    max_timestamp_ms: i64,
}

/// Appends a record with another timestamp delta.
fn move_record(record: &[u8], timestamp_delta: i64, out: &mut Vec<u8>) -> Option<()> {
    let (_, attributes) = varint::read_i32(record, 0)?;
    let (_, rest) = varint::read_i64(record, attributes + 1)?;
    let body = 1 + varint::len_i64(timestamp_delta) + (record.len() - rest);
    let start = out.len();
    out.resize(start + varint::MAX_LEN_I32 + 1 + varint::MAX_LEN_I64, 0);
    let at = varint::write_i32(out, start, i32::try_from(body).ok()?);
    out[at] = record[attributes];
    let end = varint::write_i64(out, at + 1, timestamp_delta);
    out.truncate(end);
    out.extend_from_slice(&record[rest..]);
    Some(())
}
