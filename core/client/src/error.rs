//! The public error type.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use headwater_protocol::ErrorCode;
use headwater_record::{Offset, PartitionId};

/// The result of every fallible call of the public API.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A reason as a sentence for [`Error::message`]: with a capital letter and a full stop.
pub fn sentence(reason: &impl fmt::Display) -> String {
    let text = reason.to_string();
    let mut letters = text.chars();
    let first: String = letters
        .next()
        .map_or_else(String::new, |letter| letter.to_uppercase().collect());
    format!("{first}{}.", letters.as_str())
}

/// The kind of an [`Error`]. Bindings map it to an exception class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A configuration key is unknown, or its value is not allowed.
    Config,
    /// An argument is invalid (an empty partition list, a negative count).
    InvalidArgument,
    /// The topic or the partition does not exist.
    UnknownTopicOrPartition,
    /// The topic already exists.
    TopicAlreadyExists,
    /// The name is not a valid topic name.
    InvalidTopic,
    /// The offset is not, or no longer, in the log.
    OffsetOutOfRange,
    /// A record does not have the requested format.
    Decode,
    /// The record or the batch is larger than a limit allows.
    RecordTooLarge,
    /// The call timed out.
    Timeout,
    /// Another process or engine has locked the directory.
    Locked,
    /// The directory is not a Headwater (or Kafka) data directory.
    NotADataDirectory,
    /// The operating system, or the broker, refused access.
    Permission,
    /// The broker refused the client's credentials, or could not prove its own identity.
    Authentication,
    /// Stored bytes are damaged.
    CorruptLog,
    /// The disk is full, or storage failed.
    Storage,
    /// A newer producer with the same identity has taken over.
    ProducerFenced,
    /// The idempotent producer lost its sequence.
    OutOfOrderSequence,
    /// The broker cannot be reached.
    Transport,
    /// The object was closed before the call, or while it waited.
    Closed,
    /// The call was interrupted with a consumer's `wakeup`.
    Wakeup,
    /// The object was created before a `fork()` and is used in the child.
    Fork,
    /// Another error code of the broker: see [`Error::code`].
    Broker,
}

impl ErrorKind {
    /// The name of the class that bindings raise for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "ConfigError",
            Self::InvalidArgument => "InvalidArgumentError",
            Self::UnknownTopicOrPartition => "UnknownTopicOrPartitionError",
            Self::TopicAlreadyExists => "TopicAlreadyExistsError",
            Self::InvalidTopic => "InvalidTopicError",
            Self::OffsetOutOfRange => "OffsetOutOfRangeError",
            Self::Decode => "DecodeError",
            Self::RecordTooLarge => "RecordTooLargeError",
            Self::Timeout => "RequestTimedOutError",
            Self::Locked => "LockedError",
            Self::NotADataDirectory => "NotADataDirectoryError",
            Self::Permission => "AuthorizationError",
            Self::Authentication => "AuthenticationError",
            Self::CorruptLog => "CorruptLogError",
            Self::Storage => "StorageError",
            Self::ProducerFenced => "ProducerFencedError",
            Self::OutOfOrderSequence => "OutOfOrderSequenceError",
            Self::Transport => "TransportError",
            Self::Closed => "ClosedError",
            Self::Wakeup => "WakeupError",
            Self::Fork => "ForkError",
            Self::Broker => "KafkaError",
        }
    }

    /// The kind for Kafka's code.
    pub(crate) fn of_code(code: ErrorCode) -> Self {
        match code {
            ErrorCode::InvalidConfig => Self::Config,
            ErrorCode::UnknownTopicOrPartition
            | ErrorCode::UnknownTopicId
            | ErrorCode::InconsistentTopicId => Self::UnknownTopicOrPartition,
            ErrorCode::TopicAlreadyExists => Self::TopicAlreadyExists,
            ErrorCode::InvalidTopicException => Self::InvalidTopic,
            ErrorCode::OffsetOutOfRange => Self::OffsetOutOfRange,
            ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => Self::RecordTooLarge,
            ErrorCode::RequestTimedOut => Self::Timeout,
            ErrorCode::CorruptMessage => Self::CorruptLog,
            ErrorCode::KafkaStorageError => Self::Storage,
            ErrorCode::ProducerFenced | ErrorCode::InvalidProducerEpoch => Self::ProducerFenced,
            ErrorCode::OutOfOrderSequenceNumber | ErrorCode::UnknownProducerId => {
                Self::OutOfOrderSequence
            }
            ErrorCode::NetworkException => Self::Transport,
            ErrorCode::SaslAuthenticationFailed => Self::Authentication,
            ErrorCode::TopicAuthorizationFailed
            | ErrorCode::GroupAuthorizationFailed
            | ErrorCode::ClusterAuthorizationFailed
            | ErrorCode::TransactionalIdAuthorizationFailed => Self::Permission,
            ErrorCode::InvalidPartitions
            | ErrorCode::InvalidReplicationFactor
            | ErrorCode::InvalidRequest
            | ErrorCode::InvalidTimestamp
            | ErrorCode::InvalidRecord => Self::InvalidArgument,
            _ => Self::Broker,
        }
    }

    /// The closest Kafka code.
    fn code(self) -> ErrorCode {
        match self {
            Self::Config => ErrorCode::InvalidConfig,
            Self::InvalidArgument => ErrorCode::InvalidRequest,
            Self::UnknownTopicOrPartition => ErrorCode::UnknownTopicOrPartition,
            Self::TopicAlreadyExists => ErrorCode::TopicAlreadyExists,
            Self::InvalidTopic => ErrorCode::InvalidTopicException,
            Self::OffsetOutOfRange => ErrorCode::OffsetOutOfRange,
            Self::Decode => ErrorCode::InvalidRecord,
            Self::RecordTooLarge => ErrorCode::MessageTooLarge,
            Self::Timeout => ErrorCode::RequestTimedOut,
            Self::CorruptLog => ErrorCode::CorruptMessage,
            Self::Storage | Self::Locked | Self::NotADataDirectory | Self::Permission => {
                ErrorCode::KafkaStorageError
            }
            Self::Authentication => ErrorCode::SaslAuthenticationFailed,
            Self::ProducerFenced => ErrorCode::ProducerFenced,
            Self::OutOfOrderSequence => ErrorCode::OutOfOrderSequenceNumber,
            Self::Transport => ErrorCode::NetworkException,
            Self::Closed | Self::Wakeup | Self::Fork | Self::Broker => {
                ErrorCode::UnknownServerError
            }
        }
    }
}

/// The error of the public API.
///
/// Cloning is cheap: all records of a failed batch share one error.
#[derive(Clone)]
pub struct Error(Arc<Details>);

#[derive(Clone)]
struct Details {
    kind: ErrorKind,
    code: ErrorCode,
    message: String,
    retriable: bool,
    fatal: bool,
    topic: Option<Arc<str>>,
    partition: Option<PartitionId>,
    offset: Option<Offset>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind, with the closest Kafka code.
    ///
    /// `message` is a sentence with the problem and the remedy.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::with_code(kind, kind.code(), message)
    }

    /// An error of this kind with exactly this Kafka code.
    pub fn with_code(kind: ErrorKind, code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Arc::new(Details {
            kind,
            code,
            message: message.into(),
            retriable: code.is_retriable(),
            fatal: matches!(kind, ErrorKind::ProducerFenced),
            topic: None,
            partition: None,
            offset: None,
            source: None,
        }))
    }

    /// The kind of the failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Kafka's code for it.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// A sentence with the problem and the remedy.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the same call may succeed later.
    pub fn is_retriable(&self) -> bool {
        self.0.retriable
    }

    /// Whether the object that returned the error is unusable and must be replaced.
    pub fn is_fatal(&self) -> bool {
        self.0.fatal
    }

    /// The topic concerned.
    pub fn topic(&self) -> Option<&str> {
        self.0.topic.as_deref()
    }

    /// The partition concerned.
    pub fn partition(&self) -> Option<PartitionId> {
        self.0.partition
    }

    /// The offset concerned.
    pub fn offset(&self) -> Option<Offset> {
        self.0.offset
    }

    /// Sets the topic.
    #[must_use]
    pub fn in_topic(self, topic: impl Into<Arc<str>>) -> Self {
        self.change(|details| details.topic = Some(topic.into()))
    }

    /// Sets the partition.
    #[must_use]
    pub fn in_partition(self, partition: PartitionId) -> Self {
        self.change(|details| details.partition = Some(partition))
    }

    /// Sets the offset.
    #[must_use]
    pub fn at_offset(self, offset: Offset) -> Self {
        self.change(|details| details.offset = Some(offset))
    }

    /// Sets the source.
    #[must_use]
    pub fn caused_by(self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.change(|details| details.source = Some(Arc::new(source)))
    }

    /// Replaces the message.
    #[must_use]
    pub(crate) fn with_message(self, message: String) -> Self {
        self.change(|details| details.message = message)
    }

    /// Overrides whether the error is retriable; the default depends on the code.
    #[must_use]
    pub fn retriable(self, retriable: bool) -> Self {
        self.change(|details| details.retriable = retriable)
    }

    /// Marks the error as fatal.
    #[must_use]
    pub fn fatal(self) -> Self {
        self.change(|details| details.fatal = true)
    }

    fn change(self, edit: impl FnOnce(&mut Details)) -> Self {
        let mut details = self.0;
        edit(Arc::make_mut(&mut details));
        Self(details)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.0.kind)
            .field("code", &self.0.code.name())
            .field("message", &self.0.message);
        if let Some(topic) = &self.0.topic {
            out.field("topic", topic);
        }
        if let Some(partition) = self.0.partition {
            out.field("partition", &partition.get());
        }
        if let Some(offset) = self.0.offset {
            out.field("offset", &offset.get());
        }
        if let Some(source) = &self.0.source {
            out.field("source", source);
        }
        out.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_ref()
            .map(|source| source.as_ref() as &(dyn StdError + 'static))
    }
}
