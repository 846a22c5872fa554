//! A bounded read of a topic as a stream of Arrow tables.

pub(crate) mod count;
mod explain;
pub(crate) mod plan;
pub(crate) mod read_range;
mod reader;
mod source;

use std::fmt;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use headwater_columnar::{DecodeOptions, OnError};
use headwater_record::{Offset, PartitionId};

use crate::batch::{self, Batch};
use crate::decode;
use crate::error::Result;
use crate::isolation::IsolationLevel;
use crate::position::Position;

use plan::plan;
pub use reader::ScanReader;
pub(crate) use source::ScanSource;

/// Told after each table how far a scan is.
pub type Progress = Arc<dyn Fn(ScanProgress) + Send + Sync>;

/// How far a scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanProgress {
    /// Records handed out.
    pub records: u64,
    /// Records passed: those that were handed out, and those that were skipped because they could not be decoded.
    pub records_done: u64,
    /// Records in the whole range.
    pub records_total: u64,
    /// Encoded bytes fetched.
    pub bytes: u64,
}

/// What a scan reads, and as what.
#[derive(Clone)]
pub struct ScanOptions {
    /// Where to start (inclusive).
    pub start: Position,
    /// Where to stop (exclusive). `Latest` is the end at the moment the scan starts.
    pub end: Position,
    /// Only records with a timestamp at or after this, as far as the time index and the headers of batches tell: none of them is missing,
    /// others may be there.
    pub timestamp_from_ms: Option<i64>,
    /// Only records with a timestamp before this, as far as the headers of batches tell: none of them is missing, others may be there.
    pub timestamp_until_ms: Option<i64>,
    /// Only records at or after this offset, in every partition; unlike `start` it may lie before the log or behind it.
    pub offset_from: Option<Offset>,
    /// Only records before this offset, in every partition.
    pub offset_until: Option<Offset>,
    /// Only these partitions, which the topic must have.
    pub partitions: Option<Vec<PartitionId>>,
    /// Of these only those; partitions that the topic does not have are allowed.
    pub partitions_within: Option<Vec<PartitionId>>,
    /// Columns and formats.
    pub decode: DecodeOptions,
    /// Stop after this many records.
    pub limit: Option<u64>,
    /// Records in a table at most.
    pub max_batch_records: usize,
    /// Fetched bytes held at a time, at most, beyond one record batch.
    pub memory_budget_bytes: usize,
    /// Which records of transactions are seen.
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

/// A range of a topic. It can be read any number of times; each reading fixes its own end when it starts.
#[derive(Debug, Clone)]
pub struct Scan {
    source: ScanSource,
    options: ScanOptions,
}

impl Scan {
    pub(crate) fn new(source: ScanSource, options: ScanOptions) -> Self {
        Self { source, options }
    }

    /// The name of the topic that is read.
    pub fn topic(&self) -> &str {
        &self.source.topic
    }

    /// A scan of the same topic with other options.
    #[must_use]
    pub fn with_options(&self, options: ScanOptions) -> Self {
        Self::new(self.source.clone(), options)
    }

    /// What is read.
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

    /// The same scan with the types of JSON without a schema fixed: all readings of it, and of parts of it, give the same types, whatever
    /// is written meanwhile.
    pub async fn with_fixed_schema(&self) -> Result<Self> {
        if !decode::decoder(self.options.decode.clone())?.is_inferring() {
            return Ok(self.clone());
        }
        let options = ScanOptions {
            progress: None,
            ..self.options.clone()
        };
        let (key, value) = ScanReader::open(&self.source, options).await?.formats();
        let mut fixed = self.clone();
        fixed.options.decode.key = key;
        fixed.options.decode.value = value;
        Ok(fixed)
    }

    /// Fixes the end and starts to read.
    pub async fn reader(&self) -> Result<ScanReader> {
        ScanReader::open(&self.source, self.options.clone()).await
    }

    /// All of it as one table.
    pub async fn collect(&self) -> Result<Batch> {
        let mut reader = self.reader().await?;
        let mut batches = Vec::new();
        while let Some(batch) = reader.next_batch().await? {
            batches.push(batch);
        }
        batch::concat(&reader.schema(), batches)
    }

    /// How many records it has, from the headers of its batches; with `on_error="skip"` keys and values are decoded, as far as they have
    /// a format.
    pub async fn count(&self) -> Result<u64> {
        let scan = if self.options.decode.on_error == OnError::Skip {
            self.with_fixed_schema().await?
        } else {
            self.clone()
        };
        let ranges = plan(&self.source, &scan.options).await?;
        let counts = count::by_partition(&self.source, &scan.options, &ranges).await?;
        let records = counts.values().sum::<u64>();
        Ok(self
            .options
            .limit
            .map_or(records, |limit| records.min(limit)))
    }

    /// What it will do, as text for people.
    pub async fn explain(&self) -> Result<String> {
        explain::explain(&self.source, &self.options).await
    }
}
