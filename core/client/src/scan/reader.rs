//! One reading of a scan: partition after partition, table after table.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use arrow_schema::SchemaRef;
use headwater_columnar::{DecodeOptions, Decoder, FetchedBatches, Format, TimeRange};
use headwater_record::Offset;

use super::count;
use super::plan::{Range, plan};
use super::read_range::{RangeRead, read_range};
use super::{ScanOptions, ScanProgress, ScanSource};
use crate::batch::Batch;
use crate::decode;
use crate::error::Result;

/// The encoded bytes of a table at most, in one fetch: large enough that a table's own cost does not count, small enough that what was
/// read is mostly in the processor's cache when it is decoded (2 MiB were a quarter slower).
const TABLE_BYTES: usize = 1 << 20;

/// One reading of a scan.
///
/// Tables come in order of partition and offset. Dropping a future of it loses nothing: what was fetched stays for the next call.
#[derive(Debug)]
pub struct ScanReader {
    source: ScanSource,
    options: ScanOptions,
    schema: SchemaRef,
    decoder: Decoder,
    /// What is still to be fetched.
    ranges: VecDeque<Range>,
    /// What was fetched and not handed out.
    fetched: Vec<FetchedBatches>,
    /// The first table, where it had to be read to know the schema.
    first: Option<Batch>,
    /// Since when a fetch has brought nothing although there should be something.
    stalled: Option<Instant>,
    progress: ScanProgress,
}

impl ScanReader {
    pub(crate) async fn open(source: &ScanSource, options: ScanOptions) -> Result<Self> {
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
        let mut reader = Self {
            source: source.clone(),
            schema: decode::empty(&mut decoder)?.schema(),
            options,
            ranges: ranges
                .into_iter()
                .filter(|range| range.offsets() > 0)
                .collect(),
            fetched: Vec::new(),
            first: None,
            stalled: None,
            progress,
            decoder,
        };
        if reader.decoder.is_inferring() {
            reader.first = reader.read_batch().await?;
            reader.decoder.fix()?;
            reader.schema = decode::empty(&mut reader.decoder)?.schema();
        }
        Ok(reader)
    }

    /// The formats of key and value, with the types that were inferred.
    pub(super) fn formats(&self) -> (Format, Format) {
        self.decoder.formats()
    }

    /// The schema of every table that comes.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// How far it is.
    pub fn progress(&self) -> ScanProgress {
        self.progress
    }

    /// The next table, or `None` at the end.
    pub async fn next_batch(&mut self) -> Result<Option<Batch>> {
        let batch = match self.first.take() {
            Some(first) => Some(first),
            None => self.read_batch().await?,
        };
        if batch.is_none() {
            // A limit, or compaction meanwhile: there is no more.
            self.progress.records_total = self.progress.records_done;
        }
        if let Some(tell) = &self.options.progress {
            tell(self.progress);
        }
        Ok(batch)
    }

    /// [`ScanReader::next_batch`] for a thread that may wait. Not for threads of a tokio runtime.
    pub fn next_batch_blocking(&mut self) -> Result<Option<Batch>> {
        let runtime = self.source.cluster.runtime().clone();
        runtime.block_on(self.next_batch())
    }

    async fn read_batch(&mut self) -> Result<Option<Batch>> {
        loop {
            let left = self.records_left();
            if left == 0 {
                return Ok(None);
            }
            self.gather(left).await?;
            if self.fetched.is_empty() {
                return Ok(None);
            }
            let max_records = left.min(self.options.max_batch_records.max(1) as u64);
            let max_records = usize::try_from(max_records).unwrap_or(usize::MAX);
            let batch = decode::decode(&mut self.decoder, &mut self.fetched, max_records)?;
            self.fetched.retain(|batches| batches.offsets() > 0);
            self.progress.records += batch.len() as u64;
            self.progress.records_done += batch.len() as u64 + batch.skipped;
            if !batch.is_empty() {
                return Ok(Some(batch));
            }
        }
    }

    fn records_left(&self) -> u64 {
        self.options.limit.map_or(u64::MAX, |limit| {
            limit.saturating_sub(self.progress.records)
        })
    }

    fn offsets_fetched(&self) -> u64 {
        self.fetched.iter().map(FetchedBatches::offsets).sum()
    }

    /// Fetches until there is enough for a table, or nothing is left to fetch.
    async fn gather(&mut self, left: u64) -> Result<()> {
        let table_bytes = TABLE_BYTES.min(self.options.memory_budget_bytes / 2);
        let enough_offsets = left.min(self.options.max_batch_records as u64);
        while let Some(range) = self.ranges.front().copied() {
            let bytes: usize = self.fetched.iter().map(|batches| batches.bytes.len()).sum();
            if !self.fetched.is_empty()
                && (bytes >= table_bytes || self.offsets_fetched() >= enough_offsets)
            {
                return Ok(());
            }
            // A fetch may be longer than this by one record batch.
            let max_bytes = (table_bytes.saturating_sub(bytes)).max(1);
            let partition = self.source.partition(range.partition);
            let read = RangeRead {
                isolation: self.options.isolation_level,
                max_bytes,
                stalled: self.stalled,
            };
            if let Some(batches) = read_range(
                &self.source.fetches,
                &partition,
                range.start,
                range.end,
                read,
            )
            .await?
            {
                self.stalled = None;
                self.progress.bytes += batches.bytes.len() as u64;
                self.advance(batches.until);
                self.fetched.push(batches);
            } else {
                self.stalled.get_or_insert_with(Instant::now);
            }
        }
        Ok(())
    }

    fn advance(&mut self, next: Offset) {
        if let Some(range) = self.ranges.front_mut() {
            range.start = next;
            if range.start >= range.end {
                self.ranges.pop_front();
            }
        }
    }
}

/// The records in these ranges, if somebody watches the progress.
async fn total(source: &ScanSource, options: &ScanOptions, ranges: &[Range]) -> Result<u64> {
    if options.progress.is_none() {
        return Ok(0);
    }
    let options = ScanOptions {
        decode: DecodeOptions::default(),
        ..options.clone()
    };
    let counts = count::by_partition(source, &options, ranges).await?;
    Ok(counts.values().sum())
}
