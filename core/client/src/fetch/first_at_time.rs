//! Finds the first record of a timestamp by reading, for brokers that do not find it.

use headwater_columnar::FetchedBatches;
use headwater_record::{BatchError, DecompressLimit, Offset, visible_batches};

use super::{FETCH_BYTES, RangeReader};
use crate::decode::damaged;
use crate::error::Result;

/// The offset of the first record with this timestamp or a later one; `None` if the reader reaches its end first.
/// Decompresses only batches that may have the record.
pub(crate) async fn first_at_time(
    mut reader: RangeReader,
    timestamp_ms: i64,
) -> Result<Option<Offset>> {
    while let Some(fetched) = reader.next(FETCH_BYTES).await? {
        let first = first_of(&fetched, timestamp_ms)
            .map_err(|error| damaged(reader.partition(), fetched.from, error))?;
        if first.is_some() {
            return Ok(first);
        }
    }
    Ok(None)
}

fn first_of(fetched: &FetchedBatches, timestamp_ms: i64) -> Result<Option<Offset>, BatchError> {
    for batch in visible_batches(&fetched.bytes, &fetched.aborted) {
        let batch = batch?;
        if batch.header().max_timestamp_ms < timestamp_ms {
            continue;
        }
        batch.verify_crc()?;
        for record in &batch.records(DecompressLimit::default())? {
            let record = record?;
            let is_in_range = fetched.from <= record.offset && record.offset < fetched.until;
            if is_in_range && record.timestamp_ms >= timestamp_ms {
                return Ok(Some(record.offset));
            }
        }
    }
    Ok(None)
}
