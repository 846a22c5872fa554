//! Reads a scan partition by partition, as tables.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use headwater_columnar::{DecodeOptions, Decoder, FetchedBatches, Format, Infer, TimeRange};
use tokio::runtime::Handle;

use super::count;
use super::new_fields;
use super::plan::{Range, plan};
use super::{ScanOptions, ScanProgress, ScanSource};
use crate::batch::Batch;
use crate::cluster::RequestCounters;
use crate::decode;
use crate::error::Result;
use crate::fetch::RangeReader;
use crate::skipped::SkippedRecords;

/// The maximum encoded bytes of a table. Large enough to amortise the cost per table, and small enough that the bytes
/// are still in the processor's cache when they are decoded (2 MiB was a quarter slower).
const TABLE_BYTES: usize = 1 << 20;

/// A reader of a scan.
///
/// Tables are sorted by partition and offset. Futures can be dropped: fetched batches are kept for the next call.
#[derive(Debug)]
pub struct ScanReader {
    runtime: Handle,
    options: ScanOptions,
    schema: SchemaRef,
    decoder: Decoder,
    /// The ranges left to fetch.
    ranges: VecDeque<RangeReader>,
    /// Fetched batches that were not returned yet.
    fetched: Vec<FetchedBatches>,
    /// The first table, if it was read to infer the schema.
    first: Option<Batch>,
    progress: ScanProgress,
    /// Records that were skipped since the last table.
    skipped: u64,
    counts: SkipCounts,
}

/// Where skipped records are counted.
#[derive(Debug)]
struct SkipCounts {
    scan: SkippedRecords,
    client: Arc<RequestCounters>,
}

impl ScanReader {
    pub(super) async fn open(
        source: &ScanSource,
        options: ScanOptions,
        skipped: &SkippedRecords,
    ) -> Result<Self> {
        skipped.reset();
        let mut decoder = decode::decoder(DecodeOptions {
            timestamps: TimeRange {
                from_ms: options.timestamp_from_ms,
                until_ms: options.timestamp_until_ms,
            },
            ..options.decode.clone()
        })?;
        let ranges = plan(source, &options).await?;
        let progress = ScanProgress {
            records_total: total(source, &options, &ranges).await?,
            ..ScanProgress::default()
        };
        let isolation = options.isolation_level;
        let mut reader = Self {
            runtime: source.cluster.runtime().clone(),
            schema: decode::empty(&mut decoder)?.schema(),
            options,
            ranges: ranges
                .into_iter()
                .map(|range| source.read(range, isolation))
                .collect(),
            fetched: Vec::new(),
            first: None,
            progress,
            skipped: 0,
            counts: SkipCounts {
                scan: skipped.clone(),
                client: Arc::clone(source.cluster.counters()),
            },
            decoder,
        };
        if reader.decoder.is_inferring() {
            reader.first = reader.read_batch().await?;
            reader.decoder.fix()?;
            reader.schema = decode::empty(&mut reader.decoder)?.schema();
        }
        Ok(reader)
    }

    /// The formats of key and value, with inferred types.
    pub(super) fn formats(&self) -> (Format, Format) {
        self.decoder.formats()
    }

    /// The schema of every table.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The progress.
    pub fn progress(&self) -> ScanProgress {
        self.progress
    }

    /// The next table, or `None` at the end.
    pub async fn next_batch(&mut self) -> Result<Option<Batch>> {
        let batch = match self.first.take() {
            Some(first) => Some(first),
            None => self.read_batch().await?,
        };
        if let Some(batch) = &batch {
            new_fields::report(batch, self.options.decode.rest.as_deref());
        } else {
            // A limit or compaction has ended the scan early.
            self.progress.records_total = self.progress.records_done;
        }
        if let Some(report) = &self.options.progress {
            report(self.progress);
        }
        Ok(batch)
    }

    /// [`ScanReader::next_batch`] that blocks the thread. Must not be called in a thread of a tokio runtime.
    pub fn next_batch_blocking(&mut self) -> Result<Option<Batch>> {
        let runtime = self.runtime.clone();
        runtime.block_on(self.next_batch())
    }

    async fn read_batch(&mut self) -> Result<Option<Batch>> {
        loop {
            let remaining = self.records_remaining();
            if remaining == 0 {
                return Ok(None);
            }
            self.fetch_for_table(remaining).await?;
            if self.fetched.is_empty() {
                return Ok(None);
            }
            let max_records = remaining.min(self.options.max_batch_records.max(1) as u64);
            let max_records = usize::try_from(max_records).unwrap_or(usize::MAX);
            let mut batch = decode::decode(&mut self.decoder, &mut self.fetched, max_records)?;
            self.fetched.retain(|batches| batches.offsets() > 0);
            self.progress.records += batch.len() as u64;
            self.progress.records_done += batch.len() as u64 + batch.skipped;
            self.counts.scan.add(batch.skipped);
            self.counts.client.count_skipped(batch.skipped);
            self.skipped += batch.skipped;
            if !batch.is_empty() {
                batch.skipped = std::mem::take(&mut self.skipped);
                return Ok(Some(batch));
            }
        }
    }

    fn records_remaining(&self) -> u64 {
        self.options.limit.map_or(u64::MAX, |limit| {
            limit.saturating_sub(self.progress.records)
        })
    }

    /// The bytes and offsets that are enough for a table. The first table of inferred JSON contains the whole sample,
    /// as far as the memory allows.
    fn table_limits(&self, remaining: u64) -> (usize, u64) {
        let memory = self.options.memory_budget_bytes / 2;
        match self.options.decode.infer {
            Infer::First(sample) if self.decoder.is_inferring() => {
                (memory, remaining.min(sample.max(1) as u64))
            }
            _ => (
                TABLE_BYTES.min(memory),
                remaining.min(self.options.max_batch_records as u64),
            ),
        }
    }

    /// Fetches until there is enough for a table, or there is nothing left to fetch.
    async fn fetch_for_table(&mut self, remaining: u64) -> Result<()> {
        let fetch_bytes = TABLE_BYTES.min(self.options.memory_budget_bytes / 2);
        let (table_bytes, enough_offsets) = self.table_limits(remaining);
        while let Some(range) = self.ranges.front_mut() {
            let bytes: usize = self.fetched.iter().map(|batches| batches.bytes.len()).sum();
            let offsets: u64 = self.fetched.iter().map(FetchedBatches::offsets).sum();
            if !self.fetched.is_empty() && (bytes >= table_bytes || offsets >= enough_offsets) {
                return Ok(());
            }
            // One record batch may exceed this.
            let max_bytes = table_bytes.saturating_sub(bytes).min(fetch_bytes).max(1);
            if let Some(batches) = range.next(max_bytes).await? {
                self.progress.bytes += batches.bytes.len() as u64;
                self.fetched.push(batches);
            } else {
                self.ranges.pop_front();
            }
        }
        Ok(())
    }
}

/// The number of records in these ranges, or 0 without a progress callback.
async fn total(source: &ScanSource, options: &ScanOptions, ranges: &[Range]) -> Result<u64> {
    if options.progress.is_none() {
        return Ok(0);
    }
    let options = ScanOptions {
        decode: DecodeOptions::default(),
        ..options.clone()
    };
    let counts = count::by_partition(source, &options, ranges).await?;
    Ok(options.limited(counts.values().sum()))
}
