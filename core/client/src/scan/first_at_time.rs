//! Finds the first record of a time by reading, for brokers that do not find it.

use headwater_columnar::FetchedBatches;
use headwater_record::{BatchError, DecompressLimit, Offset, visible_batches};

use super::ScanSource;
use super::plan::Range;
use super::range_reader::{FETCH_BYTES, RangeReader};
use crate::decode::damaged;
use crate::error::Result;
use crate::isolation::IsolationLevel;

/// The offset of the first record of the range with this timestamp or a later one; the end of the range if it has none. Only batches that may
/// have the record are decompressed.
pub(crate) async fn first_at_time(
    source: &ScanSource,
    range: Range,
    timestamp_ms: i64,
    isolation: IsolationLevel,
) -> Result<Offset> {
    let mut reader = RangeReader::new(source, range, isolation);
    while let Some(fetched) = reader.next(FETCH_BYTES).await? {
        let first = first_of(&fetched, timestamp_ms)
            .map_err(|error| damaged(reader.partition(), fetched.from, error))?;
        if let Some(first) = first {
            return Ok(first);
        }
    }
    Ok(range.end)
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
