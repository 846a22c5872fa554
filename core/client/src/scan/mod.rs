//! A bounded read of a topic as a stream of Arrow tables.

mod bounds;
pub(crate) mod count;
mod explain;
mod new_fields;
pub(crate) mod plan;
mod reader;
mod source;

use std::fmt;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use headwater_columnar::{DecodeOptions, OnError};
use headwater_record::{Offset, PartitionId};

use crate::batch::Batch;
use crate::decode;
use crate::error::Result;
use crate::isolation::IsolationLevel;
use crate::position::Position;
use crate::skipped::SkippedRecords;

pub use bounds::Bounds;
use plan::plan;
pub use reader::ScanReader;
pub(crate) use source::ScanSource;

/// A callback with the progress of a scan.
pub type Progress = Arc<dyn Fn(ScanProgress) + Send + Sync>;

/// The progress of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanProgress {
    /// Records returned.
    pub records: u64,
    /// Records returned or skipped because they could not be decoded.
    pub records_done: u64,
    /// Records in the whole range.
    pub records_total: u64,
    /// Encoded bytes fetched.
    pub bytes: u64,
}

/// The range and the formats of a scan.
#[derive(Clone)]
pub struct ScanOptions {
    /// Where to start (inclusive).
    pub start: Position,
    /// Where to stop (exclusive). `Latest` is the end at the start of the scan.
    pub end: Position,
    /// Skips records with an earlier timestamp where the time index and batch headers allow it. Some earlier records
    /// may be returned.
    pub timestamp_from_ms: Option<i64>,
    /// Skips records with this timestamp or a later one where batch headers allow it. Some later records may be
    /// returned.
    pub timestamp_until_ms: Option<i64>,
    /// Only records at or after this offset, in every partition. Unlike `start`, it may be out of range.
    pub offset_from: Option<Offset>,
    /// Only records before this offset, in every partition.
    pub offset_until: Option<Offset>,
    /// Only these partitions, which must exist.
    pub partitions: Option<Vec<PartitionId>>,
    /// Restricts `partitions` further; these need not exist.
    pub partitions_within: Option<Vec<PartitionId>>,
    /// Columns and formats.
    pub decode: DecodeOptions,
    /// Stop after this many records: partition by partition, in offset order. Records skipped by `on_error` do not
    /// count.
    pub limit: Option<u64>,
    /// The maximum records of a table.
    pub max_batch_records: usize,
    /// The maximum fetched bytes in memory; a single record batch may exceed it.
    pub memory_budget_bytes: usize,
    /// The isolation level for records of transactions.
    pub isolation_level: IsolationLevel,
    /// Called after each table.
    pub progress: Option<Progress>,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            start: Position::Earliest,
            end: Position::Latest,
            timestamp_from_ms: None,
            timestamp_until_ms: None,
            offset_from: None,
            offset_until: None,
            partitions: None,
            partitions_within: None,
            decode: DecodeOptions::default(),
            limit: None,
            max_batch_records: 1 << 20,
            memory_budget_bytes: 64 << 20,
            isolation_level: IsolationLevel::default(),
            progress: None,
        }
    }
}

impl ScanOptions {
    /// The number of records that are read of this many.
    fn limited(&self, records: u64) -> u64 {
        self.limit.map_or(records, |limit| records.min(limit))
    }
}

impl fmt::Debug for ScanOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanOptions")
            .field("start", &self.start)
            .field("end", &self.end)
            .field("partitions", &self.partitions)
            .field("decode", &self.decode)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// A range of a topic. It can be read any number of times; each reader fixes its own end offsets when it starts.
#[derive(Debug, Clone)]
pub struct Scan {
    source: ScanSource,
    options: ScanOptions,
    /// Shared with the scans that are derived from it.
    skipped: SkippedRecords,
}

impl Scan {
    pub(crate) fn new(source: ScanSource, options: ScanOptions) -> Self {
        Self {
            source,
            options,
            skipped: SkippedRecords::default(),
        }
    }

    /// The name of the topic.
    pub fn topic(&self) -> &str {
        &self.source.topic
    }

    /// A scan of the same topic with other options.
    #[must_use]
    pub fn with_options(&self, options: ScanOptions) -> Self {
        Self {
            source: self.source.clone(),
            options,
            skipped: self.skipped.clone(),
        }
    }

    /// The number of records that `on_error="skip"` has skipped since a read of this scan, or of a narrowed one, last
    /// started. Counting records skips none.
    pub fn skipped(&self) -> u64 {
        self.skipped.get()
    }

    /// The options.
    pub fn options(&self) -> &ScanOptions {
        &self.options
    }

    /// The schema of its tables. JSON without a schema is inferred from the first records.
    pub async fn schema(&self) -> Result<SchemaRef> {
        if let Some(schema) = decode::decoder(self.options.decode.clone())?.schema() {
            return Ok(schema);
        }
        Ok(self.reader().await?.schema())
    }

    /// The same scan with fixed types for JSON without a schema, so that all readers of it, or of parts of it, return
    /// the same types.
    pub async fn with_fixed_schema(&self) -> Result<Self> {
        if !decode::decoder(self.options.decode.clone())?.is_inferring() {
            return Ok(self.clone());
        }
        let options = ScanOptions {
            progress: None,
            ..self.options.clone()
        };
        let (key, value) = ScanReader::open(&self.source, options, &self.skipped)
            .await?
            .formats();
        let mut fixed = self.clone();
        fixed.options.decode.key = key;
        fixed.options.decode.value = value;
        Ok(fixed)
    }

    /// Fixes the end offsets and starts to read.
    pub async fn reader(&self) -> Result<ScanReader> {
        ScanReader::open(&self.source, self.options.clone(), &self.skipped).await
    }

    /// Reads all records into one table.
    pub async fn collect(&self) -> Result<Batch> {
        let mut reader = self.reader().await?;
        let mut batches = Vec::new();
        while let Some(batch) = reader.next_batch().await? {
            batches.push(batch);
        }
        Batch::concat(&reader.schema(), batches)
    }

    /// The number of records, from batch headers. With `on_error="skip"`, keys and values that have a format are
    /// decoded.
    pub async fn count(&self) -> Result<u64> {
        let scan = if self.options.decode.on_error == OnError::Skip {
            self.with_fixed_schema().await?
        } else {
            self.clone()
        };
        let ranges = plan(&self.source, &scan.options).await?;
        let counts = count::by_partition(&self.source, &scan.options, &ranges).await?;
        let records = counts.values().sum::<u64>();
        Ok(self.options.limited(records))
    }

    /// Describes the scan as text.
    pub async fn explain(&self) -> Result<String> {
        explain::explain(&self.source, &self.options).await
    }
}
