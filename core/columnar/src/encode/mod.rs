//! Encodes Arrow tables to record batches.

mod bytes_column;
mod chunk;
mod columns;
mod headers;
mod json;
mod numbers;
mod options;
mod prepared;
mod row_table;
mod rows;
mod source;
mod times;

pub use columns::KeyValueColumns;
pub use options::EncodeOptions;
pub use row_table::RowTable;
pub use rows::BatchRows;
pub use source::json_texts;

use std::fmt;

use bytes::Bytes;
use headwater_record::{AppendError, BatchBuilder, PartitionId, ProducerState};

use crate::error::EncodeError;
use bytes_column::{BytesColumn, NoValues, OffsetReader, ViewReader, with_reader};
use chunk::{Order, RowChunk, Sticky};
use prepared::PreparedTable;
use times::Times;

/// A batch for a produce request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedBatch {
    /// Its partition.
    pub partition: PartitionId,
    /// The batch, with base offset 0, and without producer state unless it is in the options.
    pub bytes: Bytes,
    /// The number of records.
    pub record_count: usize,
    /// The rows of the records.
    pub rows: BatchRows,
}

/// Returns the producer state for the next batch of a partition.
pub type Stamping<'a> = dyn FnMut(PartitionId) -> Option<ProducerState> + 'a;

/// Encodes tables.
#[derive(Debug)]
pub struct Encoder {
    options: EncodeOptions,
    builders: Vec<Option<BatchBuilder>>,
    /// The rows in the open batch of each partition.
    rows: Vec<BatchRows>,
    sticky: Sticky,
}

impl Encoder {
    /// An encoder for one topic. Buffers are reused from table to table.
    pub fn new(options: EncodeOptions) -> Self {
        let mut builders = Vec::new();
        builders.resize_with(options.partition_count.max(1) as usize, || None);
        Self {
            sticky: Sticky::new(&options),
            rows: vec![BatchRows::default(); builders.len()],
            options,
            builders,
        }
    }

    /// The options.
    pub fn options(&self) -> &EncodeOptions {
        &self.options
    }

    /// The bytes of rows without a key assigned to each partition so far.
    pub fn keyless_bytes(&self) -> &[u64] {
        &self.sticky.placed
    }

    /// Sets the timestamp of later rows without one.
    pub fn set_now_ms(&mut self, now_ms: i64) {
        self.options.now_ms = now_ms;
    }

    /// Encodes the rows. Returns each batch as soon as it is full, so memory is bounded by one open batch per
    /// partition; drop each batch before requesting the next, and its buffer is reused. Rows of a partition keep their
    /// order.
    ///
    /// Rows that cannot be written, are too large or have an unknown partition are refused before the first batch is
    /// returned.
    pub fn encode(
        &mut self,
        rows: &arrow_array::RecordBatch,
        columns: &KeyValueColumns,
    ) -> Result<EncodedBatches<'_>, EncodeError> {
        let table = self.prepare(rows, columns)?;
        // Records of an earlier table that was dropped early.
        self.builders
            .iter_mut()
            .flatten()
            .for_each(BatchBuilder::reset);
        self.rows.fill(BatchRows::default());
        Ok(EncodedBatches {
            encoder: self,
            table,
            chunk: None,
            next_row: 0,
            partition: 0,
            at: 0,
            keyless: false,
            failed: false,
        })
    }

    /// Runs the checks of [`Encoder::encode`], and encodes nothing.
    pub fn check(
        &self,
        rows: &arrow_array::RecordBatch,
        columns: &KeyValueColumns,
    ) -> Result<(), EncodeError> {
        self.prepare(rows, columns).map(drop)
    }

    fn prepare(
        &self,
        rows: &arrow_array::RecordBatch,
        columns: &KeyValueColumns,
    ) -> Result<PreparedTable, EncodeError> {
        let count = self.options.partition_count;
        if let Some(partition) = self
            .options
            .partition
            .filter(|partition| !(0..count.max(1)).contains(&partition.get()))
        {
            return Err(EncodeError::UnknownPartition {
                row: 0,
                partition: partition.get().into(),
                count,
            });
        }
        PreparedTable::new(rows, columns, &self.options)
    }

    fn builder(&mut self, partition: usize) -> &mut BatchBuilder {
        let options = self.options.batch;
        self.builders[partition].get_or_insert_with(|| BatchBuilder::new(options))
    }

    fn finish(&mut self, partition: usize, stamp: &mut Stamping<'_>) -> Option<EncodedBatch> {
        let builder = self.builders[partition].as_mut()?;
        let rows = &mut self.rows[partition];
        let record_count = builder.record_count();
        let partition = PartitionId::new(partition as i32);
        if record_count == 0 {
            return None;
        }
        builder.set_producer(stamp(partition));
        let bytes = builder.finish()?;
        Some(EncodedBatch {
            partition,
            bytes,
            record_count,
            rows: std::mem::take(rows),
        })
    }
}

/// The batches of one table. Dropping it early drops the rows that were not returned yet. Ends after an error.
pub struct EncodedBatches<'a> {
    encoder: &'a mut Encoder,
    table: PreparedTable,
    chunk: Option<RowChunk>,
    /// The first row after the chunk.
    next_row: usize,
    /// The partition whose rows of the chunk are being appended; at the end, the one whose last batch is next.
    partition: usize,
    /// The number of its rows that were appended.
    at: usize,
    /// Whether no row has a key, so that all go to the sticky partition.
    keyless: bool,
    failed: bool,
}

impl fmt::Debug for EncodedBatches<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedBatches")
            .field("rows", &self.table.rows)
            .field("next_row", &self.next_row)
            .finish_non_exhaustive()
    }
}

impl Iterator for EncodedBatches<'_> {
    type Item = Result<EncodedBatch, EncodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let producer = self.encoder.options.batch.producer;
        self.next_stamped(&mut |_| producer)
    }
}

impl EncodedBatches<'_> {
    /// The next batch, with the producer state from `stamp`.
    pub fn next_stamped(
        &mut self,
        stamp: &mut Stamping<'_>,
    ) -> Option<Result<EncodedBatch, EncodeError>> {
        if self.failed {
            return None;
        }
        let batch = self.advance(stamp).transpose();
        self.failed = matches!(batch, Some(Err(_)));
        batch
    }

    fn advance(&mut self, stamp: &mut Stamping<'_>) -> Result<Option<EncodedBatch>, EncodeError> {
        loop {
            if let Some(chunk) = self.chunk.take() {
                let full = self.append_chunk(&chunk, stamp)?;
                if full.is_some() {
                    self.chunk = Some(chunk);
                    return Ok(full);
                }
                (self.partition, self.at) = (0, 0);
            }
            if self.next_row == self.table.rows {
                return Ok(self.last_batches(stamp));
            }
            let encoder = &mut *self.encoder;
            let chunk = RowChunk::load(
                &self.table,
                self.next_row,
                &encoder.options,
                &mut encoder.sticky,
            )?;
            self.next_row += chunk.rows;
            self.chunk = Some(chunk);
        }
    }

    /// Appends rows until a batch is full or the chunk ends.
    fn append_chunk(
        &mut self,
        chunk: &RowChunk,
        stamp: &mut Stamping<'_>,
    ) -> Result<Option<EncodedBatch>, EncodeError> {
        let sorted = match &chunk.order {
            Order::One(partition) => {
                return self.append_run(chunk, partition.get() as usize, stamp);
            }
            Order::Sticky => {
                let partition = self.encoder.sticky.partition as usize;
                self.keyless = true;
                let full = self.append_run(chunk, partition, stamp)?;
                if let Some(batch) = &full {
                    self.leave_sticky_partition(batch);
                }
                return Ok(full);
            }
            Order::Sorted(sorted) => sorted,
        };
        while self.partition < self.encoder.builders.len() {
            let rows = sorted.of(self.partition);
            if self.at < rows.len() {
                let left = &rows[self.at..];
                let count = self.append(chunk, self.partition, left.len(), |index| {
                    left[index] as usize
                })?;
                self.encoder.rows[self.partition].push_list(chunk.first, &left[..count]);
                self.at += count;
                if count < left.len() {
                    return Ok(self.encoder.finish(self.partition, stamp));
                }
            }
            self.partition += 1;
            self.at = 0;
        }
        Ok(None)
    }

    fn append_run(
        &mut self,
        chunk: &RowChunk,
        partition: usize,
        stamp: &mut Stamping<'_>,
    ) -> Result<Option<EncodedBatch>, EncodeError> {
        let (first, left) = (self.at, chunk.rows - self.at);
        let count = self.append(chunk, partition, left, |index| first + index)?;
        self.encoder.rows[partition].push_run(chunk.first + first, count);
        self.at += count;
        Ok(if count < left {
            self.encoder.finish(partition, stamp)
        } else {
            None
        })
    }

    /// Appends up to `count` rows and returns how many were appended before the batch was full: all, or the batch has
    /// at least one.
    fn append(
        &mut self,
        chunk: &RowChunk,
        partition: usize,
        count: usize,
        row: impl Fn(usize) -> usize,
    ) -> Result<usize, EncodeError> {
        let times = Times::new(
            self.table.timestamps.as_ref(),
            chunk.first,
            self.encoder.options.now_ms,
        );
        let builder = self.encoder.builder(partition);
        let failed = |index: usize, source| EncodeError::Append {
            row: chunk.first + row(index),
            source,
        };
        if let Some(headers) = &self.table.headers {
            let mut scratch = Vec::new();
            for index in 0..count {
                let record = times.record(row(index), &chunk.key, &chunk.value);
                headers.get(chunk.first + row(index), &mut scratch);
                match builder.try_append(record.timestamp_ms, record.key, record.value, &scratch) {
                    Ok(()) => {}
                    Err(AppendError::Full) if !builder.is_empty() => return Ok(index),
                    Err(source) => return Err(failed(index, source)),
                }
            }
            return Ok(count);
        }
        let appended = match &chunk.key {
            BytesColumn::AllNull => {
                with_reader!(&chunk.value, value => builder.append_bulk(count, |index| times.record(row(index), NoValues, value)))
            }
            key => {
                with_reader!(&chunk.value, value => builder.append_bulk(count, |index| times.record(row(index), key, value)))
            }
        };
        let appended = appended.map_err(|source| failed(0, source))?;
        if appended == 0 && count > 0 && builder.is_empty() {
            return Err(failed(0, AppendError::Full));
        }
        Ok(appended)
    }

    /// The remaining batches that are not full, one for each partition.
    fn last_batches(&mut self, stamp: &mut Stamping<'_>) -> Option<EncodedBatch> {
        while self.partition < self.encoder.builders.len() {
            let batch = self.encoder.finish(self.partition, stamp);
            self.partition += 1;
            if let Some(batch) = batch {
                if batch.partition.get() == self.encoder.sticky.partition {
                    self.leave_sticky_partition(&batch);
                }
                return Some(batch);
            }
        }
        None
    }

    /// A batch for the sticky partition is full: later rows without a key go to the next partition.
    fn leave_sticky_partition(&mut self, batch: &EncodedBatch) {
        let sticky = &mut self.encoder.sticky;
        // Sorted rows were counted one by one.
        if self.keyless {
            sticky.place(batch.bytes.len());
        }
        sticky.advance(self.encoder.options.partition_count);
    }
}
