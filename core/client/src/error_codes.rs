//! Kafka's error codes as kinds of [`crate::Error`], with what to do.

use headwater_protocol::ErrorCode;

use crate::error::ErrorKind;

/// The code that fits a kind best.
pub(crate) fn code_of_kind(kind: ErrorKind) -> ErrorCode {
    match kind {
        ErrorKind::Config => ErrorCode::InvalidConfig,
        ErrorKind::InvalidArgument => ErrorCode::InvalidRequest,
        ErrorKind::UnknownTopicOrPartition => ErrorCode::UnknownTopicOrPartition,
        ErrorKind::TopicAlreadyExists => ErrorCode::TopicAlreadyExists,
        ErrorKind::InvalidTopic => ErrorCode::InvalidTopicException,
        ErrorKind::OffsetOutOfRange => ErrorCode::OffsetOutOfRange,
        ErrorKind::Decode => ErrorCode::InvalidRecord,
        ErrorKind::RecordTooLarge => ErrorCode::MessageTooLarge,
        ErrorKind::Timeout => ErrorCode::RequestTimedOut,
        ErrorKind::CorruptLog => ErrorCode::CorruptMessage,
        ErrorKind::Storage | ErrorKind::Locked | ErrorKind::NotADataDirectory | ErrorKind::Permission => {
            ErrorCode::KafkaStorageError
        }
        ErrorKind::ProducerFenced => ErrorCode::ProducerFenced,
        ErrorKind::OutOfOrderSequence => ErrorCode::OutOfOrderSequenceNumber,
        ErrorKind::Transport => ErrorCode::NetworkException,
        ErrorKind::Closed | ErrorKind::Broker => ErrorCode::UnknownServerError,
    }
}
