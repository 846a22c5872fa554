//! Counts records without decoding them into columns.

use std::collections::BTreeMap;

use headwater_columnar::{DecodeOptions, Decoder, Projection};
use headwater_record::PartitionId;

use super::plan::Range;
use super::{ScanOptions, ScanSource};
use crate::decode;
use crate::error::Result;
use crate::fetch::FETCH_BYTES;

/// Counts the records in these ranges from batch headers. Reads only batches at the edges of a range, and with
/// `on_error="skip"` those with records that may be skipped.
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
    let mut reader = source.read(range, options.isolation_level);
    let mut records = 0;
    while let Some(batches) = reader.next(FETCH_BYTES).await? {
        let mut fetched = [batches];
        while fetched[0].offsets() > 0 {
            let table = decode::decode(decoder, &mut fetched, usize::MAX)?;
            records += table.len() as u64;
        }
    }
    Ok(records)
}
