//! The key and value of a record that could not be decoded, for the caller to handle.

use bytes::Bytes;
use headwater_record::{DecompressLimit, Offset, batches};

use super::FetchedBatches;

/// The original key and value of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndecodedRecord {
    /// Its timestamp in milliseconds.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<Bytes>,
    /// Its value.
    pub value: Option<Bytes>,
}

impl UndecodedRecord {
    /// Reads the record at that offset again, because its columns may not have been requested.
    pub(super) fn find(
        fetched: &FetchedBatches,
        offset: Offset,
        limit: DecompressLimit,
    ) -> Option<Self> {
        let batch = batches(&fetched.bytes)
            .filter_map(Result::ok)
            .find(|batch| batch.header().last_offset() >= offset)?;
        let records = batch.records(limit).ok()?;
        let record = records
            .iter()
            .filter_map(Result::ok)
            .find(|record| record.offset == offset)?;
        Some(Self {
            timestamp_ms: record.timestamp_ms,
            key: record.key.map(Bytes::copy_from_slice),
            value: record.value.map(Bytes::copy_from_slice),
        })
    }
}
