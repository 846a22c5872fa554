//! Encoding records into a batch.

use bytes::Bytes;

use crate::attributes::{Attributes, TimestampType};
use crate::buffer::Buffer;
use crate::compression::{Compression, CompressionLevel, Compressor};
use crate::encode::{self, HeaderList, Plan, Progress};
use crate::error::AppendError;
use crate::header::{BatchHeader, HEADER_LEN, LOG_OVERHEAD, MAGIC, seal};
use crate::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};
use crate::varint;

/// What an idempotent producer writes into each batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerState {
    /// Its identity.
    pub id: ProducerId,
    /// The generation of it.
    pub epoch: ProducerEpoch,
    /// The sequence number of the batch's first record.
    pub base_sequence: i32,
}

/// How a [`BatchBuilder`] builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOptions {
    /// The codec.
    pub compression: Compression,
    /// Its level.
    pub compression_level: CompressionLevel,
    /// What the timestamps mean.
    pub timestamp_type: TimestampType,
    /// The idempotent producer, if there is one; may be set until the batch is finished.
    pub producer: Option<ProducerState>,
    /// Whether the batch belongs to a transaction.
    pub transactional: bool,
    /// The size in bytes, header included and before compression, that the batch does not exceed, unless its first
    /// record alone does (Kafka's `batch.size`).
    pub capacity: usize,
}

impl Default for BatchOptions {
    /// Plain, create time, no producer, 16 KiB.
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

/// Encodes records into batches, one batch after the other, in a buffer that is used again as soon as the batch
/// it was handed out in is dropped.
///
/// Offsets are 0, 1, 2, ... in each batch and the leader epoch is unknown: the log assigns both.
#[derive(Debug)]
pub struct BatchBuilder {
    options: BatchOptions,
    buffer: Buffer,
    progress: Progress,
    compressor: Compressor,
    /// What the last compressed batches had, in 1/1024 of their plain size.
    ratio_1024: usize,
}

/// The most bytes a batch can have: its length field is an `i32`.
const BATCH_LEN_MAX: usize = i32::MAX as usize;

impl BatchBuilder {
    /// An empty batch. Allocates nothing until the first record comes.
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

    /// Appends one record. On an error the batch is as it was.
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

    /// Appends `record(0)`, `record(1)`, ... up to `count` of them until the batch is full, and returns how many went
    /// in: all, or fewer when the batch must be finished before the rest. Into an empty batch goes one at least. An
    /// error is about `record(0)`; one about a later record comes when the caller goes on with it.
    ///
    /// The bulk path: nothing is allocated per record, and the state stays in registers over the whole run.
    #[inline]
    pub fn append_bulk<'a>(
        &mut self,
        count: usize,
        mut record: impl FnMut(usize) -> PlainRecord<'a>,
    ) -> Result<usize, AppendError> {
        let mut index = 0;
        while index < count {
            // One record on the way that makes room and knows all kinds; then as many as are of the usual kind.
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

    /// How many records the batch has.
    pub fn record_count(&self) -> usize {
        self.progress.count as usize
    }

    /// The size of the batch before compression, header included.
    pub fn plain_size(&self) -> usize {
        self.progress.position
    }

    /// The size that the batch will have when it is finished: exact for plain ones, otherwise guessed from the
    /// batches that this builder finished before.
    pub fn estimated_size(&self) -> usize {
        let records = self.progress.position - HEADER_LEN;
        match self.options.compression {
            Compression::None => HEADER_LEN + records,
            _ => HEADER_LEN + records.saturating_mul(self.ratio_1024) / 1024,
        }
    }

    /// Whether it has no record yet.
    pub fn is_empty(&self) -> bool {
        self.progress.count == 0
    }

    /// The greatest timestamp of its records, `None` without any.
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

    /// The finished batch, with base offset 0 and unknown leader epoch; the builder is empty afterwards. `None` if
    /// it has no record: Kafka knows no empty batch from a producer.
    ///
    /// Should the codec fail (no memory), the batch comes plain, which every reader takes.
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

    /// Drops the records of the unfinished batch; keeps the buffer.
    pub fn reset(&mut self) {
        self.progress = Progress::at(HEADER_LEN);
    }
}

/// Appends one record to a batch of this capacity; on an error nothing is changed.
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

/// For records with numbers too long for a [`Plan`].
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

/// Makes sure that a batch of `count` records may go on to `end`.
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
        // Only the first record of a batch comes here: the buffer has the capacity from then on.
        buffer.replace(capacity.max(end));
    }
    Ok(())
}
