//! Counts records without decoding them into columns.

use std::collections::BTreeMap;
use std::time::Instant;

use headwater_columnar::{DecodeOptions, Decoder, Projection};
use headwater_record::PartitionId;

use super::plan::Range;
use super::read_range::{RangeRead, read_range};
use super::{ScanOptions, ScanSource};
use crate::decode;
use crate::error::Result;

/// The size of one fetch.
const FETCH_BYTES: usize = 1 << 20;

/// Counts the records in these ranges from batch headers. Reads only batches at the edges of a range, and with `on_error="skip"` those whose
/// records may be skipped.
pub(crate) async fn by_partition(
    source: &ScanSource,
    options: &ScanOptions,
    ranges: &[Range],
) -> Result<BTreeMap<PartitionId, u64>> {
    let mut decoder = decode::decoder(DecodeOptions {
        check_crc: false,
        ..options.decode.with_only(Projection::none())
    })?;
    let mut counts = BTreeMap::new();
    for range in ranges {
        let records = count(source, options, *range, &mut decoder).await?;
        counts.insert(range.partition, records);
    }
    Ok(counts)
}

async fn count(
    source: &ScanSource,
    options: &ScanOptions,
    range: Range,
    decoder: &mut Decoder,
) -> Result<u64> {
    let partition = source.partition(range.partition);
    let mut records = 0;
    let mut from = range.start;
    let mut stalled = None;
    while from < range.end {
        let read = RangeRead {
            isolation: options.isolation_level,
            max_bytes: FETCH_BYTES,
            stalled,
        };
        let Some(batches) = read_range(&source.fetches, &partition, from, range.end, read).await?
        else {
            stalled.get_or_insert_with(Instant::now);
            continue;
        };
        stalled = None;
        from = batches.until;
        let mut fetched = [batches];
        while fetched[0].offsets() > 0 {
            let table = decode::decode(decoder, &mut fetched, usize::MAX)?;
            records += table.len() as u64;
        }
    }
    Ok(records)
}
