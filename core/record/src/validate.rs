//! What is checked once, before bytes become a part of a log.

use bytes::Bytes;

use crate::compression::DecompressLimit;
use crate::error::BatchError;
use crate::validated::ValidatedBatches;

/// Who appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum AppendOrigin {
    /// A producer: exactly one batch, which starts at offset delta 0 and is no control batch.
    #[default]
    Client,
    /// The coordinator of groups or transactions: control batches too.
    Coordinator,
    /// A leader's log: several batches with offsets already assigned, possibly with gaps.
    Replication,
}

/// Where the bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ByteSource {
    /// A disk or a network: CRC and every record are checked.
    #[default]
    Outside,
    /// A [`BatchBuilder`](crate::BatchBuilder) in this process: only the header is checked.
    Builder,
}

/// Which timestamps are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum TimestampRule {
    /// Any.
    #[default]
    Any,
    /// Each record's within these bounds, inclusive (`message.timestamp.before.max.ms`, `.after.max.ms`).
    Within {
        /// Now, by the wall clock.
        now_ms: i64,
        /// How much earlier it may be.
        before_max_ms: i64,
        /// How much later it may be.
        after_max_ms: i64,
    },
    /// The topic has log append time: whatever the producer wrote is replaced by now.
    LogAppendTime {
        /// Now, by the wall clock.
        now_ms: i64,
    },
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidationRules {
    /// The most bytes of one batch (`max.message.bytes`).
    pub max_batch_bytes: usize,
    /// Who appends.
    pub origin: AppendOrigin,
    /// Where the bytes come from.
    pub source: ByteSource,
    /// Which timestamps are accepted.
    pub timestamps: TimestampRule,
    /// Whether each record must have a key (compacted topics).
    pub require_keys: bool,
    /// The most bytes that decompressing one batch may give.
    pub decompress_limit: DecompressLimit,
}

impl Default for ValidationRules {
    /// A producer's bytes from outside, Kafka's `max.message.bytes`.
    fn default() -> Self {
        Self {
            max_batch_bytes: 1_048_588,
            origin: AppendOrigin::Client,
            source: ByteSource::Outside,
            timestamps: TimestampRule::Any,
            require_keys: false,
            decompress_limit: DecompressLimit::default(),
        }
    }
}

/// The class of a refusal: each is one error code of Kafka's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvalidBatchKind {
    /// `CORRUPT_MESSAGE`
    Corrupt,
    /// `INVALID_RECORD`
    InvalidRecord,
    /// `INVALID_TIMESTAMP`
    InvalidTimestamp,
    /// `MESSAGE_TOO_LARGE`
    TooLarge,
    /// `UNSUPPORTED_FOR_MESSAGE_FORMAT`
    UnsupportedFormat,
    /// `UNSUPPORTED_COMPRESSION_TYPE`
    UnsupportedCompression,
}

/// Why bytes were refused. Nothing of them may be appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBatch {
    /// The bytes are no readable batches.
    #[error(transparent)]
    Unreadable(#[from] BatchError),
}

impl InvalidBatch {
    /// Its class.
    pub fn kind(&self) -> InvalidBatchKind {
        todo!()
    }

    /// The record of the batch that is to blame, where one is.
    pub fn record_index(&self) -> Option<usize> {
        todo!()
    }
}

/// Checks that the bytes are whole batches which may be appended: size, magic, CRC, counts, deltas, timestamps,
/// producer fields, and each record. Never panics, whatever the bytes are.
pub fn validate(bytes: Bytes, rules: &ValidationRules) -> Result<ValidatedBatches, InvalidBatch> {
    todo!("{} {rules:?}", bytes.len())
}
