//! What goes into a producer and what comes back.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use headwater_record::{Offset, PartitionId};

/// A record to be sent. It borrows: its bytes are copied once, into the batch that is being built.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition; `None`: by the key's hash, or without a key whichever partition is being filled.
    pub partition: Option<PartitionId>,
    /// When it happened, in milliseconds since the Unix epoch; `None`: now.
    pub timestamp_ms: Option<i64>,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; `None` deletes the key in a compacted topic.
    pub value: Option<&'a [u8]>,
    /// Headers, in order; names may repeat.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
}

impl<'a> Record<'a> {
    /// A record of this value.
    pub fn new(topic: &'a str, value: &'a [u8]) -> Self {
        Self {
            topic,
            value: Some(value),
            ..Self::default()
        }
    }

    /// With this key.
    #[must_use]
    pub fn key(mut self, key: &'a [u8]) -> Self {
        self.key = Some(key);
        self
    }

    /// To this partition.
    #[must_use]
    pub fn partition(mut self, partition: impl Into<PartitionId>) -> Self {
        self.partition = Some(partition.into());
        self
    }

    /// With this timestamp.
    #[must_use]
    pub fn timestamp_ms(mut self, timestamp_ms: i64) -> Self {
        self.timestamp_ms = Some(timestamp_ms);
        self
    }

    /// At most so many bytes does it need as a batch of its own, before compression.
    pub(crate) fn size_bound(&self) -> usize {
        // The batch's header; of the record: length, attributes, two deltas, and the lengths of key, value and header list.
        const OVERHEAD: usize = 61 + 5 + 1 + 10 + 5 + 5 + 5 + 5;
        let len = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
        let headers: usize = self
            .headers
            .iter()
            .map(|(name, value)| 10 + name.len() + len(*value))
            .sum();
        OVERHEAD + len(self.key) + len(self.value) + headers
    }

    /// With these headers.
    #[must_use]
    pub fn headers(mut self, headers: &'a [(&'a str, Option<&'a [u8]>)]) -> Self {
        self.headers = headers;
        self
    }
}

/// Where a record went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordMetadata {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: PartitionId,
    /// Its offset; `None` with `acks=0`, where the broker does not tell.
    pub offset: Option<Offset>,
    /// Its timestamp: the producer's, or the broker's for topics with `message.timestamp.type=LogAppendTime`.
    pub timestamp_ms: i64,
}

/// Which columns of a table become what.
///
/// A name that is `None` here and that the table does not have is left out. `value: None` packs all other columns as JSON.
#[derive(Debug, Clone, Default)]
pub struct BulkOptions {
    /// The column of keys.
    pub key: Option<String>,
    /// The column of values; `None`: the rest of the columns, packed as JSON.
    pub value: Option<String>,
    /// The column of headers, of type `list<struct<key: utf8, value: binary>>`.
    pub headers: Option<String>,
    /// The column of timestamps.
    pub timestamp: Option<String>,
    /// The column of partitions, of any integer type; null: by the key.
    pub partition_column: Option<String>,
    /// All rows to this partition; `None`: by the key's hash, or without a key in large runs.
    pub partition: Option<PartitionId>,
}

/// Where a table went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchResult {
    /// Records taken.
    pub records: u64,
    /// Encoded bytes, as stored.
    pub bytes: u64,
    /// For each partition, the half-open ranges of offsets that the rows got, in order.
    pub offsets: BTreeMap<PartitionId, Vec<Range<Offset>>>,
}

impl BatchResult {
    /// Adds where a further table went. Ranges that touch become one.
    pub(crate) fn add(&mut self, more: Self) {
        self.records += more.records;
        self.bytes += more.bytes;
        for (partition, ranges) in more.offsets {
            for range in ranges {
                self.add_offsets(partition, range);
            }
        }
    }

    /// Adds records that follow each other from `base` on, which nobody knows with `acks=0`.
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

    /// A sentence that says what was written of a table.
    pub(crate) fn sentence(&self) -> String {
        if self.records == 0 {
            return "Nothing of the table is written.".to_owned();
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
