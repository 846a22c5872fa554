//! Records and bytes over time, from batch headers. Only batches at the edges of the range are read.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, TimestampMillisecondArray};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use headwater_columnar::FetchedBatches;
use headwater_record::{
    BatchError, BatchHeader, DecompressLimit, Offset, RecordBatch, visible_batches,
};

use crate::batch::{Batch, TopicPartition};
use crate::decode::damaged;
use crate::error::{Error, ErrorKind, Result};
use crate::fetch::FETCH_BYTES;
use crate::position::Position;
use crate::scan::plan::plan;
use crate::scan::{ScanOptions, ScanSource};

/// The counts of one interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    records: i64,
    bytes: i64,
}

/// Intervals by their number: `floor(timestamp / every)`.
type Counts = BTreeMap<i64, Count>;

pub(super) async fn rate(
    source: &ScanSource,
    every_ms: u64,
    start: Position,
    end: Position,
) -> Result<Batch> {
    let every_ms = i64::try_from(every_ms).unwrap_or(i64::MAX);
    if every_ms == 0 {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "The interval of a rate must be longer than 0: use for example \"1m\" or \"10s\".",
        ));
    }
    let options = ScanOptions {
        start,
        end,
        ..ScanOptions::default()
    };
    let mut counts = Counts::new();
    for range in plan(source, &options).await? {
        let mut reader = source.read(range, options.isolation_level);
        while let Some(fetched) = reader.next(FETCH_BYTES).await? {
            count_fetched(&fetched, every_ms, &mut counts, reader.partition())?;
        }
    }
    table(&counts, every_ms)
}

fn count_fetched(
    fetched: &FetchedBatches,
    every_ms: i64,
    counts: &mut Counts,
    partition: &TopicPartition,
) -> Result<()> {
    for batch in visible_batches(&fetched.bytes, &fetched.aborted) {
        let counted = batch.and_then(|batch| {
            let header = batch.header();
            if fetched.from <= header.base_offset && header.last_offset() < fetched.until {
                count_batch(header, every_ms, counts);
                return Ok(());
            }
            count_records_in(&batch, fetched.from..fetched.until, every_ms, counts)
        });
        counted.map_err(|error| damaged(partition, fetched.from, error))?;
    }
    Ok(())
}

/// Counts the records of a batch that are in `range`, each with an equal share of the bytes.
fn count_records_in(
    batch: &RecordBatch,
    range: Range<Offset>,
    every_ms: i64,
    counts: &mut Counts,
) -> Result<(), BatchError> {
    batch.verify_crc()?;
    let bytes = batch.header().size_in_bytes() as i64;
    let records = batch.records(DecompressLimit::default())?;
    let share = bytes / (records.count().max(1) as i64);
    for record in &records {
        let record = record?;
        if range.contains(&record.offset) {
            let count = counts
                .entry(record.timestamp_ms.div_euclid(every_ms))
                .or_default();
            count.records += 1;
            count.bytes += share;
        }
    }
    Ok(())
}

/// Spreads a batch evenly between its base and maximum timestamps, as the header has no others.
fn count_batch(header: &BatchHeader, every_ms: i64, counts: &mut Counts) {
    let latest = header.max_timestamp_ms;
    let first = header.base_timestamp_ms.min(latest);
    let (first, last) = (first.div_euclid(every_ms), latest.div_euclid(every_ms));
    let (records, bytes) = (
        i64::from(header.record_count),
        header.size_in_bytes() as i64,
    );
    // No more intervals than records, so that every interval gets at least one.
    let intervals = last
        .saturating_sub(first)
        .saturating_add(1)
        .min(records.max(1));
    for index in 0..intervals {
        let share = |whole: i64| whole * (index + 1) / intervals - whole * index / intervals;
        let interval = if intervals == 1 {
            last
        } else {
            first + (last - first) * index / (intervals - 1)
        };
        let count = counts.entry(interval).or_default();
        count.records += share(records);
        count.bytes += share(bytes);
    }
}

fn table(counts: &Counts, every_ms: i64) -> Result<Batch> {
    let time: TimestampMillisecondArray = counts
        .keys()
        .map(|interval| Some(interval.saturating_mul(every_ms)))
        .collect();
    let columns: [(&str, ArrayRef); 3] = [
        ("time", Arc::new(time.with_timezone("UTC"))),
        (
            "records",
            Arc::new(
                counts
                    .values()
                    .map(|count| Some(count.records))
                    .collect::<Int64Array>(),
            ),
        ),
        (
            "bytes",
            Arc::new(
                counts
                    .values()
                    .map(|count| Some(count.bytes))
                    .collect::<Int64Array>(),
            ),
        ),
    ];
    let fields = [
        Field::new(
            "time",
            DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            false,
        ),
        Field::new("records", DataType::Int64, false),
        Field::new("bytes", DataType::Int64, false),
    ];
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let records = arrow_array::RecordBatch::try_new(Arc::new(Schema::new(fields.to_vec())), arrays)
        .map_err(|error| {
            Error::new(
                ErrorKind::Broker,
                format!("The rate cannot be put into a table ({error}). Please report this."),
            )
        })?;
    Ok(Batch {
        records,
        next_offsets: BTreeMap::new(),
        json: None,
        skipped: 0,
        new_fields: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use headwater_record::{BatchBuilder, BatchOptions};

    use super::*;

    fn counts(batches: &[&[i64]], every_ms: i64) -> Vec<(i64, i64)> {
        let mut counts = Counts::new();
        for timestamps in batches {
            let mut builder = BatchBuilder::new(BatchOptions::default());
            for time in *timestamps {
                builder
                    .try_append(*time, None, Some(b"value"), &[])
                    .unwrap();
            }
            count_batch(
                &BatchHeader::parse(&builder.finish().unwrap()).unwrap(),
                every_ms,
                &mut counts,
            );
        }
        counts
            .into_iter()
            .map(|(interval, count)| (interval * every_ms, count.records))
            .collect()
    }

    #[test]
    fn no_record_is_lost_between_intervals() {
        assert_eq!(counts(&[&[0, 10, 20], &[20, 25]], 60), [(0, 5)]);
        assert_eq!(
            counts(&[&[0, 60, 120, 180]], 60),
            [(0, 1), (60, 1), (120, 1), (180, 1)]
        );
        let spread = counts(&[&[0, 1, 2, 1_000_000]], 1);
        assert_eq!(spread.iter().map(|(_, records)| records).sum::<i64>(), 4);
        assert_eq!(spread.len(), 4, "no more intervals than records");
    }

    #[test]
    fn times_before_1970_are_in_the_right_interval() {
        assert_eq!(counts(&[&[-1]], 60), [(-60, 1)]);
    }
}
