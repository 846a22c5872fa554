//! Records, options and results of a producer.

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use headwater_columnar::RowTable;
use headwater_record::{Offset, PartitionId};

use crate::choice;
use crate::error::Error;

/// A record to send. Its bytes are borrowed and copied once, into the open batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition; `None`: chosen by the key's hash, or without a key by the sticky partitioner.
    pub partition: Option<PartitionId>,
    /// The timestamp in milliseconds since the Unix epoch; `None`: the current time.
    pub timestamp_ms: Option<i64>,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; `None` deletes the key in a compacted topic.
    pub value: Option<&'a [u8]>,
    /// Headers, in order. Names may repeat.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
}

impl<'a> Record<'a> {
    /// A record with this value.
    pub fn new(topic: &'a str, value: &'a [u8]) -> Self {
        Self {
            topic,
            value: Some(value),
            ..Self::default()
        }
    }

    /// Sets the key.
    #[must_use]
    pub fn key(mut self, key: &'a [u8]) -> Self {
        self.key = Some(key);
        self
    }

    /// Sets the partition.
    #[must_use]
    pub fn partition(mut self, partition: impl Into<PartitionId>) -> Self {
        self.partition = Some(partition.into());
        self
    }

    /// Sets the timestamp.
    #[must_use]
    pub fn timestamp_ms(mut self, timestamp_ms: i64) -> Self {
        self.timestamp_ms = Some(timestamp_ms);
        self
    }

    /// Its maximum size in its own batch, before compression.
    pub(crate) fn size_bound(&self) -> usize {
        // The batch header, and the record's length, attributes, two deltas, and the lengths of key, value and header
        // list.
        const OVERHEAD: usize = 61 + 5 + 1 + 10 + 5 + 5 + 5 + 5;
        let len = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
        let headers: usize = self
            .headers
            .iter()
            .map(|(name, value)| 10 + name.len() + len(*value))
            .sum();
        OVERHEAD + len(self.key) + len(self.value) + headers
    }

    /// Sets the headers.
    #[must_use]
    pub fn headers(mut self, headers: &'a [(&'a str, Option<&'a [u8]>)]) -> Self {
        self.headers = headers;
        self
    }
}

/// The result of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordMetadata {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: PartitionId,
    /// Its offset; `None` with `acks=0`, or if the broker has lost the offset.
    pub offset: Option<Offset>,
    /// Its timestamp: the producer's, or the broker's for topics with `message.timestamp.type=LogAppendTime`.
    pub timestamp_ms: i64,
}

/// How the columns of a table map to records.
///
/// A name that is `None` and not a column of the table is left out. `value: None` packs all other columns as JSON.
#[derive(Debug, Clone, Default)]
pub struct BulkOptions {
    /// The format of values that combine several columns.
    pub value_format: ValueFormat,
    /// The column of keys.
    pub key: Option<String>,
    /// The column of values; `None`: all other columns, in `value_format`.
    pub value: Option<String>,
    /// The column of headers, of type `list<struct<key: utf8, value: binary>>`.
    pub headers: Option<String>,
    /// The column of timestamps.
    pub timestamp: Option<String>,
    /// The column of partitions, of any integer type. Null: chosen by the key.
    pub partition_column: Option<String>,
    /// The partition of all rows; `None`: chosen by the key's hash; rows without a key go to partitions in large
    /// contiguous runs.
    pub partition: Option<PartitionId>,
}

impl BulkOptions {
    /// The options for a [`RowTable`] that was built from rows according to these options.
    #[must_use]
    pub fn for_row_table(&self) -> Self {
        let columns = RowTable::columns();
        Self {
            value_format: self.value_format,
            key: columns.key,
            value: columns.value,
            headers: columns.headers,
            timestamp: columns.timestamp,
            partition_column: columns
                .partition
                .filter(|_| self.partition_column.is_some()),
            partition: self.partition,
        }
    }
}

/// The format of values that combine several columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ValueFormat {
    /// A JSON object, with a field for each column.
    #[default]
    Json,
}

impl FromStr for ValueFormat {
    type Err = Error;

    /// `json`.
    fn from_str(given: &str) -> Result<Self, Error> {
        choice::parse("value_format", given, &[("json", Self::Json)])
    }
}

/// The result of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchResult {
    /// The number of records written.
    pub records: u64,
    /// Encoded bytes as stored.
    pub bytes: u64,
    /// The half-open offset ranges of the rows in each partition, in order.
    pub offsets: BTreeMap<PartitionId, Vec<Range<Offset>>>,
}

impl BatchResult {
    /// Adds the result of another table. Merges adjacent ranges.
    pub(crate) fn add(&mut self, more: Self) {
        self.records += more.records;
        self.bytes += more.bytes;
        for (partition, ranges) in more.offsets {
            for range in ranges {
                self.add_offsets(partition, range);
            }
        }
    }

    /// Adds contiguous records from offset `base`, which is `None` with `acks=0`.
    pub(crate) fn add_written(
        &mut self,
        partition: PartitionId,
        base: Option<Offset>,
        records: u32,
    ) {
        self.records += u64::from(records);
        if let Some(base) = base {
            self.add_offsets(partition, base..base + i64::from(records));
        }
    }

    fn add_offsets(&mut self, partition: PartitionId, range: Range<Offset>) {
        let ranges = self.offsets.entry(partition).or_default();
        match ranges.last_mut().filter(|last| last.end == range.start) {
            Some(last) => last.end = range.end,
            None => ranges.push(range),
        }
    }

    /// The number of written rows, as a sentence for errors.
    pub(crate) fn sentence(&self) -> String {
        if self.records == 0 {
            return "No rows of the table are written.".to_owned();
        }
        let rows = |ranges: &[Range<Offset>]| -> i64 {
            ranges.iter().map(|range| range.end - range.start).sum()
        };
        let partitions: Vec<String> = self
            .offsets
            .iter()
            .map(|(partition, ranges)| format!("{} to partition {partition}", rows(ranges)))
            .collect();
        let partitions = match partitions.as_slice() {
            [] => String::new(),
            partitions => format!(": {}", partitions.join(", ")),
        };
        format!(
            "{} rows of the table are written{partitions}.",
            self.records
        )
    }
}
