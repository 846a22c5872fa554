//! Why bytes are refused before they become a part of a log.

use crate::error::BatchError;

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
    /// There is no batch at all.
    #[error("there is no record batch: send one batch for each partition")]
    Empty,
    /// A producer sent more than one batch.
    #[error("there is more than one record batch: send one batch for each partition and request")]
    SeveralBatches,
    /// The batch is larger than the topic takes.
    #[error(
        "the batch has {size} bytes and the topic takes {max} (max.message.bytes): send smaller batches or raise it"
    )]
    TooLarge {
        /// What the batch has.
        size: usize,
        /// What the topic takes.
        max: usize,
    },
    /// A producer's batch does not start at offset 0.
    #[error(
        "the batch starts at offset {base_offset}: a producer starts each batch at 0, the broker assigns offsets"
    )]
    BaseOffset {
        /// What the header says.
        base_offset: i64,
    },
    /// Offset range and number of records contradict each other.
    #[error(
        "the batch counts {record_count} records and says its last is number {last_offset_delta} from 0"
    )]
    OffsetRange {
        /// What the header says of the last record's offset.
        last_offset_delta: i32,
        /// What the header says of the number of records.
        record_count: i32,
    },
    /// The batches do not follow each other, or their offsets are impossible.
    #[error("the batch starts at offset {base_offset}, but {expected} or later is due")]
    OffsetsOutOfOrder {
        /// What the header says.
        base_offset: i64,
        /// The least that is possible.
        expected: i64,
    },
    /// A producer sent a control batch.
    #[error("the batch is a control batch: only brokers may write these")]
    ControlBatch,
    /// Producer id, epoch, sequence and transaction bit contradict each other.
    #[error("the batch's producer fields are invalid: {reason}")]
    Producer {
        /// What is wrong.
        reason: &'static str,
    },
    /// Records that the topic does not take, in order; at least one.
    #[error("{}", sentence(.0))]
    Records(Vec<RefusedRecord>),
}

/// A record of a readable batch that the topic does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {index} {reason}")]
pub struct RefusedRecord {
    /// The record's place in the batch, from 0.
    pub index: usize,
    /// Why it is refused.
    pub reason: RecordRefusal,
}

/// Why a topic does not take a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordRefusal {
    /// The topic is compacted and the record has no key.
    #[error("has no key: a compacted topic needs one in every record")]
    MissingKey,
    /// The timestamp is too far from now.
    #[error(
        "has timestamp {timestamp_ms}, now is {now_ms}: the topic takes only from {before_max_ms} ms before to \
         {after_max_ms} ms after now (message.timestamp.before.max.ms, message.timestamp.after.max.ms)"
    )]
    Timestamp {
        /// What the record has.
        timestamp_ms: i64,
        /// Now, by the broker's clock.
        now_ms: i64,
        /// How much earlier it may be.
        before_max_ms: i64,
        /// How much later it may be.
        after_max_ms: i64,
    },
    /// The producer claims to be the broker's clock.
    #[error(
        "is in a batch of type LogAppendTime: a producer sends CreateTime, the broker assigns the other"
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
            // The CRC is right: the producer wrote it so.
            Self::Unreadable(
                BatchError::Record { .. }
                | BatchError::BytesAfterRecords { .. }
                | BatchError::InvalidCount { .. },
            ) => InvalidBatchKind::InvalidRecord,
            Self::Unreadable(_) => InvalidBatchKind::Corrupt,
            Self::Records(refused) => {
                let kinds = refused.iter().map(|record| record.reason.kind());
                // One wrong time decides, as in Kafka.
                kinds
                    .max_by_key(|kind| *kind == InvalidBatchKind::InvalidTimestamp)
                    .unwrap_or(InvalidBatchKind::InvalidRecord)
            }
            _ => InvalidBatchKind::InvalidRecord,
        }
    }

    /// The records that are to blame, by their place in the batch, each with what is wrong; none where the batch as a whole is.
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
