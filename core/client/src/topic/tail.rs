//! Reads the newest records of a topic, from the end.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMillisecondType};
use headwater_columnar::{Column, DecodeOptions, Decoder, FetchedBatches, Infer, Projection};
use headwater_record::Offset;

use crate::batch::Batch;
use crate::decode;
use crate::error::Result;
use crate::fetch::FETCH_BYTES;
use crate::scan::plan::{Range, plan};
use crate::scan::{ScanOptions, ScanSource};

/// The end of one partition: fetched batches, and offset and timestamp of each record that is not skipped.
struct PartitionEnd {
    fetched: Vec<FetchedBatches>,
    records: Vec<(Offset, i64)>,
}

pub(super) async fn tail(source: &ScanSource, n: u64, options: DecodeOptions) -> Result<Batch> {
    let options = DecodeOptions {
        // The result is one table; its types are inferred from all records.
        infer: Infer::EachTable,
        max_decompressed_bytes: usize::MAX,
        ..options
    };
    let mut offset_decoder =
        decode::decoder(options.with_only(Projection::of(&[Column::Offset, Column::Timestamp])))?;
    let mut decoder = decode::decoder(options)?;
    let ranges = plan(source, &ScanOptions::default()).await?;
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    let mut ends = Vec::with_capacity(ranges.len());
    for range in ranges {
        ends.push(read_end(source, range, n, &mut offset_decoder).await?);
    }
    let from = start_offsets(&ends, n);
    let mut fetched: Vec<FetchedBatches> = Vec::new();
    for (end, from) in ends.into_iter().zip(from) {
        let Some(from) = from else { continue };
        let needed = end
            .fetched
            .into_iter()
            .filter(|batches| batches.until > from);
        fetched.extend(needed.map(|batches| batches.split_at(from).1));
    }
    if fetched.is_empty() {
        return decode::empty(&mut decoder);
    }
    let mut tables = Vec::new();
    while !fetched.is_empty() {
        let table = decode::decode(&mut decoder, &mut fetched, usize::MAX)?;
        source.cluster.counters().count_skipped(table.skipped);
        tables.push(table);
        fetched.retain(|batches| batches.offsets() > 0);
    }
    let schema = tables[0].schema();
    Batch::concat(&schema, tables)
}

/// Reads back from the end in growing steps until there are `n` records, as compaction leaves gaps, or the start is
/// reached.
async fn read_end(
    source: &ScanSource,
    range: Range,
    n: usize,
    offset_decoder: &mut Decoder,
) -> Result<PartitionEnd> {
    let mut span = i64::try_from(n).unwrap_or(i64::MAX);
    loop {
        let start = Offset::new(range.end.get().saturating_sub(span).max(range.start.get()));
        let fetched = read_all(source, Range { start, ..range }).await?;
        let mut records = Vec::new();
        for batches in &fetched {
            read_offsets(batches, offset_decoder, &mut records)?;
        }
        if records.len() >= n || start == range.start {
            return Ok(PartitionEnd { fetched, records });
        }
        span = span.saturating_mul(4);
    }
}

async fn read_all(source: &ScanSource, range: Range) -> Result<Vec<FetchedBatches>> {
    let isolation = ScanOptions::default().isolation_level;
    let mut reader = source.read(range, isolation);
    let mut fetched = Vec::new();
    while let Some(batches) = reader.next(FETCH_BYTES).await? {
        fetched.push(batches);
    }
    Ok(fetched)
}

/// Adds the offset and timestamp of each record that is not skipped.
fn read_offsets(
    batches: &FetchedBatches,
    offset_decoder: &mut Decoder,
    out: &mut Vec<(Offset, i64)>,
) -> Result<()> {
    let mut fetched = [batches.clone()];
    while fetched[0].offsets() > 0 {
        let table = decode::decode(offset_decoder, &mut fetched, usize::MAX)?.records;
        let offsets = table.column(0).as_primitive::<Int64Type>().values();
        let timestamps = table
            .column(1)
            .as_primitive::<TimestampMillisecondType>()
            .values();
        out.extend(
            offsets
                .iter()
                .copied()
                .map(Offset::new)
                .zip(timestamps.iter().copied()),
        );
    }
    Ok(())
}

/// The offset to start at in each partition to get the `n` newest records: merges the ends backwards by timestamp.
fn start_offsets(ends: &[PartitionEnd], n: usize) -> Vec<Option<Offset>> {
    let mut remaining: Vec<_> = ends.iter().map(|end| end.records.len()).collect();
    for _ in 0..n {
        let last = |(index, remaining): (usize, &usize)| {
            Some((ends[index].records.get(remaining.checked_sub(1)?)?.1, index))
        };
        let Some((_, index)) = remaining.iter().enumerate().filter_map(last).max() else {
            break;
        };
        remaining[index] -= 1;
    }
    ends.iter()
        .zip(remaining)
        .map(|(end, remaining)| end.records.get(remaining).map(|(offset, _)| *offset))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(timestamps: &[i64]) -> PartitionEnd {
        let records = timestamps
            .iter()
            .enumerate()
            .map(|(offset, time)| (Offset::new(offset as i64), *time))
            .collect();
        PartitionEnd {
            fetched: Vec::new(),
            records,
        }
    }

    #[test]
    fn the_newest_records_come_from_the_ends_of_all_partitions() {
        let ends = [end(&[1, 5, 9]), end(&[2, 3]), end(&[]), end(&[8, 7])];
        let from = |n| {
            start_offsets(&ends, n)
                .into_iter()
                .map(|offset| offset.map(Offset::get))
                .collect::<Vec<_>>()
        };
        assert_eq!(from(1), [Some(2), None, None, None]);
        assert_eq!(from(4), [Some(1), None, None, Some(0)]);
        assert_eq!(from(100), [Some(0), Some(0), None, Some(0)]);
    }
}
