//! Error codes of failed operations.

use headwater_env::Env;
use headwater_log::{AppendError, ChangeError, ReadError};
use headwater_protocol::ErrorCode;
use headwater_record::{InvalidBatch, InvalidBatchKind};

use crate::partition::{LeaderError, ProduceError};
use crate::partitions::Partitions;

pub(in crate::api) use crate::refusal::Refusal;

/// The code if this broker is not the leader of a partition.
pub(in crate::api) fn leader_code<E: Env>(
    partitions: &Partitions<E>,
    error: &LeaderError,
) -> ErrorCode {
    match error {
        LeaderError::NotLeader => ErrorCode::NotLeaderOrFollower,
        LeaderError::Gone if partitions.is_open() => ErrorCode::UnknownTopicOrPartition,
        LeaderError::Gone => ErrorCode::BrokerNotAvailable,
        LeaderError::FencedEpoch { .. } => ErrorCode::FencedLeaderEpoch,
        LeaderError::UnknownEpoch { .. } => ErrorCode::UnknownLeaderEpoch,
    }
}

/// The code of a batch that was not acknowledged.
pub(in crate::api) fn produce_code<E: Env>(
    partitions: &Partitions<E>,
    error: &ProduceError,
) -> ErrorCode {
    match error {
        ProduceError::Leader(error) => leader_code(partitions, error),
        ProduceError::NotEnoughReplicas { .. } => ErrorCode::NotEnoughReplicas,
        ProduceError::Append(error) => append_code(error),
        ProduceError::Flush(_) => ErrorCode::KafkaStorageError,
    }
}

fn append_code(error: &AppendError) -> ErrorCode {
    match error {
        AppendError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
        AppendError::ProducerFenced { .. } => ErrorCode::InvalidProducerEpoch,
        AppendError::TooLarge { .. } => ErrorCode::MessageTooLarge,
        AppendError::LargerThanSegment { .. } => ErrorCode::RecordListTooLarge,
        AppendError::StaleLeaderEpoch { .. } => ErrorCode::FencedLeaderEpoch,
        AppendError::InvalidControlBatch { .. } => ErrorCode::InvalidRequest,
        AppendError::OffsetsExhausted { .. }
        | AppendError::DiskFull(_)
        | AppendError::File(_)
        | AppendError::Unreadable(_)
        | AppendError::Poisoned(_)
        | AppendError::Closed => ErrorCode::KafkaStorageError,
    }
}

/// The code of an invalid batch.
pub(in crate::api) fn batch_code(error: &InvalidBatch) -> ErrorCode {
    match error.kind() {
        InvalidBatchKind::Corrupt => ErrorCode::CorruptMessage,
        // Kafka's Produce uses this code for older formats too.
        InvalidBatchKind::InvalidRecord | InvalidBatchKind::UnsupportedFormat => {
            ErrorCode::InvalidRecord
        }
        InvalidBatchKind::InvalidTimestamp => ErrorCode::InvalidTimestamp,
        InvalidBatchKind::TooLarge => ErrorCode::MessageTooLarge,
        InvalidBatchKind::UnsupportedCompression => ErrorCode::UnsupportedCompressionType,
    }
}

/// The code of a failed read.
pub(in crate::api) fn read_code(error: &ReadError) -> ErrorCode {
    match error {
        ReadError::OutOfRange { .. } => ErrorCode::OffsetOutOfRange,
        ReadError::Corrupt { .. } => ErrorCode::CorruptMessage,
        ReadError::File(_) => ErrorCode::KafkaStorageError,
    }
}

/// The code of a failed change of a log.
pub(in crate::api) fn change_code(error: &ChangeError) -> ErrorCode {
    match error {
        ChangeError::Read(error) => read_code(error),
        ChangeError::PastEnd { .. } => ErrorCode::OffsetOutOfRange,
        ChangeError::File(_) | ChangeError::Poisoned(_) | ChangeError::Closed => {
            ErrorCode::KafkaStorageError
        }
    }
}
