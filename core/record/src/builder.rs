//! Encodes records into batches.

use bytes::Bytes;

use crate::attributes::{Attributes, TimestampType};
use crate::buffer::Buffer;
use crate::compression::{Compression, CompressionLevel, Compressor};
use crate::encode::{self, HeaderList, Plan, Progress};
use crate::error::AppendError;
use crate::header::{BatchHeader, HEADER_LEN, LOG_OVERHEAD, MAGIC, seal};
use crate::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};
use crate::varint;

/// The fields of an idempotent producer in a batch header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerState {
    /// The producer id.
    pub id: ProducerId,
    /// The producer epoch.
    pub epoch: ProducerEpoch,
    /// The sequence number of the batch's first record.
    pub base_sequence: i32,
}

/// The options of a [`BatchBuilder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOptions {
    /// The codec.
    pub compression: Compression,
    /// The level of the codec.
    pub compression_level: CompressionLevel,
    /// The meaning of the timestamps.
    pub timestamp_type: TimestampType,
    /// The idempotent producer, if there is one. Can be set until the batch is finished.
    pub producer: Option<ProducerState>,
    /// Whether the batch belongs to a transaction.
    pub transactional: bool,
    /// The maximum size of a batch in bytes, with the header and before compression (Kafka's `batch.size`). Only a
    /// batch with a single record may be larger.
    pub capacity: usize,
}

impl Default for BatchOptions {
    /// No compression, create time, no producer, 16 KiB.
    fn default() -> Self {
        Self {
            compression: Compression::None,
            compression_level: CompressionLevel::Default,
            timestamp_type: TimestampType::CreateTime,
            producer: None,
            transactional: false,
            capacity: 16 * 1024,
        }
    }
}

/// A record without headers, for the bulk path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainRecord<'a> {
    /// Milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// The key, or null.
    pub key: Option<&'a [u8]>,
    /// The value, or null.
    pub value: Option<&'a [u8]>,
}

/// Encodes records into one batch after the other. The buffer of a batch is reused after the finished batch is dropped.
///
/// Offsets are 0, 1, 2, ... in each batch and the leader epoch is unknown: the log assigns both.
#[derive(Debug)]
pub struct BatchBuilder {
    options: BatchOptions,
    buffer: Buffer,
    progress: Progress,
    compressor: Compressor,
    /// The compressed size of the previous batches, in 1/1024 of the uncompressed size.
    ratio_1024: usize,
}

/// The maximum size of a batch: its length field is an `i32`.
const BATCH_LEN_MAX: usize = i32::MAX as usize;

impl BatchBuilder {
    /// A builder with an empty batch. Allocates nothing before the first record.
    pub fn new(options: BatchOptions) -> Self {
        let capacity = options.capacity.min(BATCH_LEN_MAX);
        Self {
            options: BatchOptions {
                capacity,
                ..options
            },
            buffer: Buffer::default(),
            progress: Progress::at(HEADER_LEN),
            compressor: Compressor::new(options.compression, options.compression_level),
            ratio_1024: 1024,
        }
    }

    /// Appends one record. On an error the batch is unchanged.
    #[inline]
    pub fn try_append(
        &mut self,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&str, Option<&[u8]>)],
    ) -> Result<(), AppendError> {
        let record = PlainRecord {
            timestamp_ms,
            key,
            value,
        };
        append(
            &mut self.buffer,
            self.options.capacity,
            &mut self.progress,
            &record,
            headers,
        )
    }

    /// Appends `record(0)`, `record(1)`, ... up to `count` of them until the batch is full. Returns the number of
    /// appended records; if it is less than `count`, the batch must be finished before the rest. An empty batch takes
    /// at least one. An error concerns `record(0)`; the error of a later record is returned by the next call, which
    /// begins with it.
    ///
    /// This is the bulk path: it allocates nothing per record, and keeps its state in registers during the whole run.
    #[inline]
    pub fn append_bulk<'a>(
        &mut self,
        count: usize,
        mut record: impl FnMut(usize) -> PlainRecord<'a>,
    ) -> Result<usize, AppendError> {
        let mut index = 0;
        while index < count {
            // The first record goes through the general path, which also grows the buffer; then as many records as
            // possible through the fast path.
            let PlainRecord {
                timestamp_ms,
                key,
                value,
            } = record(index);
            match self.try_append(timestamp_ms, key, value, &[]) {
                Ok(()) => index += 1,
                Err(error) if index == 0 && error != AppendError::Full => return Err(error),
                Err(_) => return Ok(index),
            }
            let end_max = self.options.capacity.min(self.buffer.room());
            let (out, mut progress) = (self.buffer.bytes(), self.progress);
            while index < count && encode::write_usual(out, end_max, &mut progress, &record(index))
            {
                index += 1;
            }
            self.progress = progress;
        }
        Ok(count)
    }

    /// The number of records in the batch.
    pub fn record_count(&self) -> usize {
        self.progress.count as usize
    }

    /// The size of the batch before compression, with the header.
    pub fn plain_size(&self) -> usize {
        self.progress.position
    }

    /// The size that the finished batch will have: exact without compression, otherwise estimated from the previous
    /// batches of this builder.
    pub fn estimated_size(&self) -> usize {
        let records = self.progress.position - HEADER_LEN;
        match self.options.compression {
            Compression::None => HEADER_LEN + records,
            _ => HEADER_LEN + records.saturating_mul(self.ratio_1024) / 1024,
        }
    }

    /// Whether the batch has no records yet.
    pub fn is_empty(&self) -> bool {
        self.progress.count == 0
    }

    /// The greatest timestamp in the batch; `None` without records.
    pub fn max_timestamp_ms(&self) -> Option<i64> {
        (!self.is_empty()).then_some(self.progress.max_timestamp_ms)
    }

    /// The options.
    pub fn options(&self) -> &BatchOptions {
        &self.options
    }

    /// Changes the producer state of the batch that is being built and of later ones.
    pub fn set_producer(&mut self, producer: Option<ProducerState>) {
        self.options.producer = producer;
    }

    /// Returns the finished batch, with base offset 0 and unknown leader epoch, and starts an empty one. Returns `None`
    /// if there are no records: a producer must not send empty batches.
    ///
    /// If the codec fails for lack of memory, the batch is not compressed, which every reader accepts.
    pub fn finish(&mut self) -> Option<Bytes> {
        if self.is_empty() {
            return None;
        }
        let progress = std::mem::replace(&mut self.progress, Progress::at(HEADER_LEN));
        if self.options.compression != Compression::None
            && let Some(batch) = self.finish_compressed(&progress)
        {
            return Some(batch);
        }
        let header = self.header(&progress, Compression::None, progress.position);
        seal(&mut self.buffer.bytes()[..progress.position], header);
        Some(self.buffer.lend(progress.position, self.options.capacity))
    }

    fn finish_compressed(&mut self, progress: &Progress) -> Option<Bytes> {
        let plain = &self.buffer.bytes()[HEADER_LEN..progress.position];
        let plain_len = plain.len();
        let mut batch = Vec::with_capacity(HEADER_LEN + plain_len / 2);
        batch.resize(HEADER_LEN, 0);
        self.compressor.compress_onto(plain, &mut batch).ok()?;
        if batch.len() > BATCH_LEN_MAX {
            return None;
        }
        let ratio_1024 = (batch.len() - HEADER_LEN) * 1024 / plain_len;
        self.ratio_1024 = (self.ratio_1024 + ratio_1024).div_ceil(2);
        let header = self.header(progress, self.options.compression, batch.len());
        seal(&mut batch, header);
        batch.shrink_to_fit();
        Some(Bytes::from(batch))
    }

    fn header(&self, progress: &Progress, compression: Compression, size: usize) -> BatchHeader {
        let options = &self.options;
        let attributes = Attributes::default()
            .with_compression(compression)
            .with_timestamp_type(options.timestamp_type);
        BatchHeader {
            base_offset: Offset::ZERO,
            batch_length: (size - LOG_OVERHEAD) as i32,
            leader_epoch: LeaderEpoch::UNKNOWN,
            magic: MAGIC,
            crc: 0,
            attributes: if options.transactional {
                attributes.transactional()
            } else {
                attributes
            },
            last_offset_delta: progress.count - 1,
            base_timestamp_ms: progress.base_timestamp_ms,
            max_timestamp_ms: progress.max_timestamp_ms,
            producer_id: options.producer.map(|producer| producer.id),
            producer_epoch: options
                .producer
                .map_or(ProducerEpoch::NONE, |producer| producer.epoch),
            base_sequence: options
                .producer
                .map_or(-1, |producer| producer.base_sequence),
            record_count: progress.count,
        }
    }

    /// Drops the records of the unfinished batch. Keeps the buffer.
    pub fn reset(&mut self) {
        self.progress = Progress::at(HEADER_LEN);
    }
}

/// Appends one record to a batch of this capacity. On an error nothing changes.
#[expect(
    clippy::inline_always,
    reason = "twice as fast: the state stays in registers"
)]
#[inline(always)]
fn append(
    buffer: &mut Buffer,
    capacity: usize,
    progress: &mut Progress,
    record: &PlainRecord<'_>,
    headers: &HeaderList<'_>,
) -> Result<(), AppendError> {
    let PlainRecord {
        timestamp_ms,
        key,
        value,
    } = *record;
    if timestamp_ms < -1 {
        return Err(AppendError::NegativeTimestamp { timestamp_ms });
    }
    let timestamp_delta = progress.timestamp_delta(timestamp_ms);
    let headers_len = if headers.is_empty() {
        1
    } else {
        encode::headers_len(headers)
    };
    let Some(plan) = Plan::new(timestamp_delta, progress.count, key, value, headers_len) else {
        return append_long(buffer, capacity, progress, record, headers);
    };
    let end = progress.position + plan.len;
    if end > capacity || end > buffer.room() {
        make_room(buffer, capacity, progress.count, end)?;
    }
    let out = buffer.bytes();
    let at = plan.write(out, progress.position, key, value);
    if headers.is_empty() {
        out[at] = 0;
    } else {
        encode::write_headers(out, at, headers);
    }
    progress.advance(end, timestamp_ms);
    Ok(())
}

/// The general path, for records with numbers that do not fit into a [`Plan`].
#[cold]
#[inline(never)]
fn append_long(
    buffer: &mut Buffer,
    capacity: usize,
    progress: &mut Progress,
    record: &PlainRecord<'_>,
    headers: &HeaderList<'_>,
) -> Result<(), AppendError> {
    let PlainRecord {
        timestamp_ms,
        key,
        value,
    } = *record;
    let deltas = (progress.timestamp_delta(timestamp_ms), progress.count);
    let body_len = encode::body_len(deltas.0, deltas.1, key, value, encode::headers_len(headers));
    let length_len = varint::len_i64(body_len as i64);
    let end = (progress.position + length_len).saturating_add(body_len);
    make_room(buffer, capacity, progress.count, end)?;
    let out = buffer.bytes();
    let at = encode::write_record(out, progress.position, body_len, deltas, key, value);
    let written = encode::write_headers(out, at, headers);
    debug_assert_eq!(written, end);
    progress.advance(end, timestamp_ms);
    Ok(())
}

/// Makes sure that the buffer has space for a batch of `count` records up to `end`.
#[cold]
#[inline(never)]
fn make_room(
    buffer: &mut Buffer,
    capacity: usize,
    count: i32,
    end: usize,
) -> Result<(), AppendError> {
    if end > capacity && count > 0 {
        return Err(AppendError::Full);
    }
    if end > BATCH_LEN_MAX {
        return Err(AppendError::TooLarge { size: end });
    }
    if end > buffer.room() {
        // Only the first record of a batch gets here: afterwards the buffer has the full capacity.
        buffer.replace(capacity.max(end));
    }
    Ok(())
}
