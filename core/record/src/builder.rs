//! Encoding records into a batch.

use bytes::Bytes;

use crate::attributes::TimestampType;
use crate::compression::{Compression, CompressionLevel};
use crate::error::AppendError;
use crate::ids::{ProducerEpoch, ProducerId};

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
}

impl BatchBuilder {
    /// An empty batch.
    pub fn new(options: BatchOptions) -> Self {
        Self { options }
    }

    /// Appends one record. On an error the batch is as it was.
    pub fn try_append(
        &mut self,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&str, Option<&[u8]>)],
    ) -> Result<(), AppendError> {
        todo!("{timestamp_ms} {key:?} {value:?} {headers:?}")
    }

    /// Appends `record(0)`, `record(1)`, ... up to `count` of them until the batch is full, and returns how many went
    /// in: all, or less when the batch must be finished before the rest. At least one goes into an empty batch.
    ///
    /// The bulk path: nothing is allocated, and the state stays in registers over the whole run.
    pub fn append_bulk<'a>(
        &mut self,
        count: usize,
        record: impl FnMut(usize) -> PlainRecord<'a>,
    ) -> Result<usize, AppendError> {
        let _ = record;
        todo!("{count}")
    }

    /// How many records the batch has.
    pub fn record_count(&self) -> usize {
        todo!()
    }

    /// The size of the batch before compression, header included.
    pub fn plain_size(&self) -> usize {
        todo!()
    }

    /// The size that the batch will have when it is finished: exact for plain ones, otherwise guessed from the
    /// batches that this builder finished before.
    pub fn estimated_size(&self) -> usize {
        todo!()
    }

    /// Whether it has no record yet.
    pub fn is_empty(&self) -> bool {
        todo!()
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
    pub fn finish(&mut self) -> Option<Bytes> {
        todo!()
    }

    /// Drops the records of the unfinished batch.
    pub fn reset(&mut self) {
        todo!()
    }
}
