//! The errors of the log: one enum per operation. Each message ends with the remedy.

use std::io;
use std::path::PathBuf;

use headwater_env::{is_out_of_files, open_files_max};
use headwater_record::{BatchError, LeaderEpoch, Offset, ProducerEpoch, ProducerId};
use thiserror::Error;

/// An operation on a file failed.
#[derive(Debug, Error)]
#[error("{action} {} failed: {source}", path.display())]
pub struct FileError {
    /// The failed action, as a verb: `write`, `sync`.
    pub action: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// The error of the system.
    #[source]
    pub source: io::Error,
}

impl FileError {
    pub(crate) fn new(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self {
            action,
            path: path.into(),
            source,
        }
    }

    /// A hint for the user.
    pub fn advice(&self) -> String {
        advice(&self.source)
    }

    /// Whether the disk or the quota is full.
    pub fn is_disk_full(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }
}

/// A hint for the user about an error of the system.
pub fn advice(error: &io::Error) -> String {
    if is_out_of_files(error) {
        return format!(
            "the process has reached its limit of {} open files and sockets: raise that limit (`ulimit -n`, or LimitNOFILE= of a service)",
            open_files_max()
        );
    }
    "check the disk and the permissions".to_owned()
}

/// The partition refuses writes after a failure that left its state on disk unknown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the partition in {} is read-only since an earlier failure ({reason}): it is not known what reached the disk; check the disk, then close and open again", directory.display()
)]
pub struct Poisoned {
    /// The partition's directory.
    pub directory: PathBuf,
    /// The failure.
    pub reason: String,
}

/// Why a log could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// A file could not be read, written or renamed.
    #[error("the log cannot be opened: {0}; {advice}, then open again", advice = .0.advice())]
    File(#[from] FileError),
    /// The files contradict each other in a way that recovery must not decide.
    #[error("the log in {} is damaged: {what}; restore it from a copy, or move the directory away to start with an empty log", directory.display())]
    Damaged {
        /// The partition's directory.
        directory: PathBuf,
        /// The contradiction.
        what: String,
    },
}

/// Why an append was refused. Nothing of the request was appended.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The batch does not continue the producer's sequence numbers (`OUT_OF_ORDER_SEQUENCE_NUMBER`).
    #[error(
        "producer {producer_id} (epoch {producer_epoch}) sent sequence {sequence} where {} was expected: records are missing before it; send them again in order", expected.map_or_else(|| "0".to_owned(), |expected| expected.to_string())
    )]
    OutOfOrderSequence {
        /// The producer.
        producer_id: ProducerId,
        /// Its epoch in the batch.
        producer_epoch: ProducerEpoch,
        /// The first sequence number of the batch.
        sequence: i32,
        /// The expected sequence number; `None` for a new epoch, which begins at 0.
        expected: Option<i32>,
    },
    /// A newer instance of the producer has written (`INVALID_PRODUCER_EPOCH`).
    #[error(
        "producer {producer_id} was fenced: it sent epoch {producer_epoch}, the partition has seen {current}; a newer instance has taken over, close this one"
    )]
    ProducerFenced {
        /// The producer.
        producer_id: ProducerId,
        /// Its epoch in the batch.
        producer_epoch: ProducerEpoch,
        /// The newest epoch in the partition.
        current: ProducerEpoch,
    },
    /// A batch is larger than `max.message.bytes` (`MESSAGE_TOO_LARGE`).
    #[error(
        "a batch of {size} bytes is larger than max.message.bytes={max}; send smaller batches or raise the limit of the topic"
    )]
    TooLarge {
        /// The size of the batch.
        size: usize,
        /// `max.message.bytes`.
        max: usize,
    },
    /// The batches of one request do not fit in a segment (`RECORD_LIST_TOO_LARGE`).
    #[error(
        "the {size} bytes of one request do not fit in a segment of segment.bytes={max}; send smaller requests or raise the limit of the topic"
    )]
    LargerThanSegment {
        /// The size of all batches.
        size: usize,
        /// `segment.bytes`.
        max: usize,
    },
    /// The leader epoch is older than the newest in the log (`FENCED_LEADER_EPOCH`).
    #[error(
        "leader epoch {leader_epoch} is older than the log's {current}; the leadership has moved on, refresh the metadata"
    )]
    StaleLeaderEpoch {
        /// The leader epoch of the append.
        leader_epoch: LeaderEpoch,
        /// The newest in the log.
        current: LeaderEpoch,
    },
    /// A control batch that is unreadable or comes from an outdated coordinator (`TRANSACTION_COORDINATOR_FENCED`).
    #[error("the control batch of producer {producer_id} was refused: {what}")]
    InvalidControlBatch {
        /// The producer whose transaction it ends.
        producer_id: ProducerId,
        /// The reason.
        what: String,
    },
    /// The log has no offsets left.
    #[error("the log has no offsets left after {log_end_offset}; create a new topic")]
    OffsetsExhausted {
        /// The end of the log.
        log_end_offset: Offset,
    },
    /// The disk is full (`KAFKA_STORAGE_ERROR`). Existing records are unharmed; appends work again when there is space.
    #[error("no space is left for {}: free space on its disk or lower the retention; writing resumes by itself", .0.path.display())]
    DiskFull(#[source] FileError),
    /// Another failure of the disk (`KAFKA_STORAGE_ERROR`). The log has the same end as before.
    #[error("the append failed: {0}; {advice}", advice = .0.advice())]
    File(#[source] FileError),
    /// The end of the log could not be read, which an append needs (`KAFKA_STORAGE_ERROR`).
    #[error("the append failed because the log cannot be read: {0}")]
    Unreadable(#[source] Box<ReadError>),
    /// The partition is read-only (`KAFKA_STORAGE_ERROR`).
    #[error(transparent)]
    Poisoned(#[from] Poisoned),
    /// The log was closed (`KAFKA_STORAGE_ERROR`).
    #[error("the log is closed; open it again to write")]
    Closed,
}

impl From<FileError> for AppendError {
    fn from(error: FileError) -> Self {
        if error.is_disk_full() {
            Self::DiskFull(error)
        } else {
            Self::File(error)
        }
    }
}

/// Why a read failed.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The offset is outside the log (`OFFSET_OUT_OF_RANGE`).
    #[error(
        "offset {from} is outside the log, which has {log_start_offset} (inclusive) to {log_end_offset} (exclusive); seek to one of them"
    )]
    OutOfRange {
        /// The requested offset.
        from: Offset,
        /// First offset that may be read.
        log_start_offset: Offset,
        /// Next offset to be written.
        log_end_offset: Offset,
    },
    /// A batch on disk is damaged (`CORRUPT_MESSAGE`).
    #[error("segment {} is damaged at byte {position}: {source}; restore it from a copy, or delete the records up to there", path.display())]
    Corrupt {
        /// The segment's log file.
        path: PathBuf,
        /// The position of the batch in it.
        position: u64,
        /// The fault of the batch.
        #[source]
        source: BatchError,
    },
    /// A file could not be read (`KAFKA_STORAGE_ERROR`).
    #[error("the read failed: {0}; {advice}", advice = .0.advice())]
    File(#[from] FileError),
}

/// Why a flush did not make records durable.
#[derive(Debug, Error)]
pub enum FlushError {
    /// A sync failed, now or before: the partition is read-only.
    #[error(transparent)]
    Poisoned(#[from] Poisoned),
    /// A file could not be opened to sync it. Nothing was synced; the next flush tries again.
    #[error("the records could not be made durable: {0}; {advice}", advice = .0.advice())]
    File(#[source] FileError),
}

/// Why another change of the log failed: truncation, deletion, rolling, closing.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// A file could not be changed.
    #[error("the log could not be changed: {0}; {advice}, then try again", advice = .0.advice())]
    File(#[from] FileError),
    /// The state of the log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The partition is read-only.
    #[error(transparent)]
    Poisoned(#[from] Poisoned),
    /// The log was closed.
    #[error("the log is closed; open it again to change it")]
    Closed,
    /// An offset past the end of the log (`OFFSET_OUT_OF_RANGE`).
    #[error(
        "offset {offset} is past the end of the log, {log_end_offset}; use an offset up to that"
    )]
    PastEnd {
        /// The requested offset.
        offset: Offset,
        /// Next offset to be written.
        log_end_offset: Offset,
    },
}

impl From<FlushError> for ChangeError {
    fn from(error: FlushError) -> Self {
        match error {
            FlushError::Poisoned(poisoned) => Self::Poisoned(poisoned),
            FlushError::File(error) => Self::File(error),
        }
    }
}
