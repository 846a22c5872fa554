//! The reasons to refuse bytes before they become a part of a log.

use crate::error::BatchError;

/// The class of a refusal. Each has one of Kafka's error codes.
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

/// The reason why bytes were refused. None of them may be appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBatch {
    /// The bytes are not readable batches.
    #[error(transparent)]
    Unreadable(#[from] BatchError),
    /// There is no batch.
    #[error("there is no record batch: send one batch for each partition")]
    Empty,
    /// A producer sent more than one batch.
    #[error("there is more than one record batch: send one batch for each partition and request")]
    SeveralBatches,
    /// The batch is larger than the topic's limit.
    #[error(
        "the batch has {size} bytes, more than the topic's max.message.bytes={max}: send smaller batches or raise the limit"
    )]
    TooLarge {
        /// The size of the batch.
        size: usize,
        /// The topic's limit.
        max: usize,
    },
    /// A producer's batch does not start at offset 0.
    #[error(
        "the batch starts at offset {base_offset}: a producer starts each batch at 0, the broker assigns offsets"
    )]
    BaseOffset {
        /// The base offset in the header.
        base_offset: i64,
    },
    /// Offset range and number of records contradict each other.
    #[error(
        "the batch announces {record_count} records, but the offset of its last is {last_offset_delta}"
    )]
    OffsetRange {
        /// The offset of the last record according to the header.
        last_offset_delta: i32,
        /// The record count in the header.
        record_count: i32,
    },
    /// The batches do not follow each other, or their offsets are impossible.
    #[error("the batch starts at offset {base_offset}, but must start at {expected} or later")]
    OffsetsOutOfOrder {
        /// The base offset in the header.
        base_offset: i64,
        /// The lowest possible offset.
        expected: i64,
    },
    /// A producer sent a control batch.
    #[error("the batch is a control batch: only brokers may write these")]
    ControlBatch,
    /// Producer id, epoch, sequence number and transaction bit contradict each other.
    #[error("the batch's producer fields are invalid: {reason}")]
    Producer {
        /// The contradiction.
        reason: &'static str,
    },
    /// Records that the topic does not accept, in order; at least one.
    #[error("{}", sentence(.0))]
    Records(Vec<RefusedRecord>),
}

/// A record of a readable batch that the topic does not accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {index} {reason}")]
pub struct RefusedRecord {
    /// The index of the record in the batch.
    pub index: usize,
    /// The reason.
    pub reason: RecordRefusal,
}

/// The reason why a topic does not accept a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordRefusal {
    /// The topic is compacted and the record has no key.
    #[error("has no key: a compacted topic requires a key in every record")]
    MissingKey,
    /// The timestamp is too far from now.
    #[error(
        "has timestamp {timestamp_ms}, now is {now_ms}: the topic takes only from {before_max_ms} ms before to \
         {after_max_ms} ms after now (message.timestamp.before.max.ms, message.timestamp.after.max.ms)"
    )]
    Timestamp {
        /// The timestamp of the record.
        timestamp_ms: i64,
        /// The current time of the broker.
        now_ms: i64,
        /// The maximum time before the current time.
        before_max_ms: i64,
        /// The maximum time after the current time.
        after_max_ms: i64,
    },
    /// The producer set the timestamp type that only the broker may set.
    #[error(
        "is in a batch of type LogAppendTime: a producer must send CreateTime, because the broker assigns LogAppendTime"
    )]
    TimestampType,
}

impl RecordRefusal {
    fn kind(self) -> InvalidBatchKind {
        match self {
            Self::MissingKey => InvalidBatchKind::InvalidRecord,
            Self::Timestamp { .. } | Self::TimestampType => InvalidBatchKind::InvalidTimestamp,
        }
    }
}

fn sentence(refused: &[RefusedRecord]) -> String {
    match refused {
        [] => "records are refused".to_owned(),
        [only] => only.to_string(),
        [first, ..] => format!("{} records are refused, the first: {first}", refused.len()),
    }
}

impl InvalidBatch {
    /// Its class.
    pub fn kind(&self) -> InvalidBatchKind {
        match self {
            Self::Unreadable(BatchError::UnsupportedMagic { magic: 0 | 1 }) => {
                InvalidBatchKind::UnsupportedFormat
            }
            Self::Unreadable(BatchError::Compression(_)) => {
                InvalidBatchKind::UnsupportedCompression
            }
            Self::Unreadable(BatchError::Decompress(crate::DecompressError::TooLarge {
                ..
            }))
            | Self::TooLarge { .. } => InvalidBatchKind::TooLarge,
            // The CRC is valid, so the producer wrote it like this.
            Self::Unreadable(
                BatchError::Record { .. }
                | BatchError::BytesAfterRecords { .. }
                | BatchError::InvalidCount { .. },
            ) => InvalidBatchKind::InvalidRecord,
            Self::Unreadable(_) => InvalidBatchKind::Corrupt,
            Self::Records(refused) => {
                let kinds = refused.iter().map(|record| record.reason.kind());
                // One invalid timestamp decides the class, as in Kafka.
                kinds
                    .max_by_key(|kind| *kind == InvalidBatchKind::InvalidTimestamp)
                    .unwrap_or(InvalidBatchKind::InvalidRecord)
            }
            _ => InvalidBatchKind::InvalidRecord,
        }
    }

    /// The refused records by index, each with the reason; empty if the batch as a whole was refused.
    pub fn refused_records(&self) -> Vec<(usize, String)> {
        match self {
            Self::Records(refused) => {
                let named = |record: &RefusedRecord| (record.index, record.to_string());
                refused.iter().map(named).collect()
            }
            Self::Unreadable(BatchError::Record { index, .. }) => vec![(*index, self.to_string())],
            _ => Vec::new(),
        }
    }
}
