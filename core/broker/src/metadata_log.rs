//! `__cluster_metadata-0`: the metadata changes of the cluster, in order. A change is durable before it takes effect.

mod check;

use std::collections::HashSet;
use std::path::Path;

use headwater_env::Env;
use headwater_log::{
    AppendError, ChangeError, FirstBatch, FlushError, LogConfig, OpenState, PartitionLog,
    ReadError, RecoveryReport,
};
use headwater_metadata::{ApplyError, Image, MetadataRecord, MetadataRecordError};
use headwater_protocol::EncodeError;
use headwater_record::{
    AppendOrigin, BatchBuilder, BatchError, BatchOptions, ByteSource, DecompressLimit, HEADER_LEN,
    InvalidBatch, LeaderEpoch, Offset, ValidationRules, batches, validate,
};
use uuid::Uuid;

pub(crate) use check::{CheckError, check};

/// The name of the internal topic.
pub(crate) const TOPIC: &str = "__cluster_metadata";
const READ_BYTES: usize = 1 << 20;
/// The maximum size of a change. A change is one batch, so a crash keeps all of it or nothing.
const CHANGE_BYTES_MAX: usize = 256 << 20;
/// The size of a record without its value: lengths, deltas, the null key, no headers.
const RECORD_OVERHEAD_MAX: usize = 32;

/// Why the log could not be replayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the batch at offset {offset} cannot be read: {source}")]
    Batch { offset: Offset, source: BatchError },
    #[error("record {offset}: {source}")]
    Record {
        offset: Offset,
        source: MetadataRecordError,
    },
    #[error("record {offset}: {source}")]
    Apply { offset: Offset, source: ApplyError },
}

/// Why a change was not committed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    #[error("the engine is closed: open the directory again")]
    Closed,
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("the change cannot be written as one batch: {0}")]
    Batch(#[from] InvalidBatch),
    #[error("the change is too large for one batch: split it")]
    TooLarge,
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error(transparent)]
    Flush(#[from] FlushError),
    /// The record is in the log, may not be on the disk, and cannot be removed.
    #[error("{0}. Whether the change was made is decided when the directory is opened again")]
    Undecided(FlushError),
}

/// The result of a replay.
#[derive(Debug, Default)]
pub(crate) struct ReplayedMetadata {
    /// The image of the cluster.
    pub(crate) image: Image,
    /// Deleted topics, whose directories may be deleted.
    pub(crate) removed_topics: HashSet<Uuid>,
}

/// The log of the metadata changes.
#[derive(Debug)]
pub(crate) struct MetadataLog<E: Env> {
    log: PartitionLog<E>,
}

impl<E: Env> MetadataLog<E> {
    /// Opens the log in `dir`; creates it if it does not exist.
    pub(crate) fn open(
        env: E,
        dir: &Path,
        start: OpenState,
    ) -> Result<(Self, RecoveryReport), headwater_log::OpenError> {
        let config = LogConfig {
            max_message_bytes: CHANGE_BYTES_MAX as u32,
            retention_ms: None,
            // Every change is flushed explicitly.
            ..LogConfig::default()
        };
        let (log, report) = PartitionLog::open(env, dir, config, start)?;
        Ok((Self { log }, report))
    }

    /// Replays the whole log.
    pub(crate) fn replay(&self) -> Result<ReplayedMetadata, ReplayError> {
        let mut replayed = ReplayedMetadata::default();
        let mut next = self.log.log_start_offset();
        let end = self.log.log_end_offset();
        while next < end {
            let read = self.log.read(next, end, READ_BYTES, FirstBatch::Whole)?;
            let before = next;
            for batch in batches(&read.bytes) {
                let damaged = |source| ReplayError::Batch {
                    offset: next,
                    source,
                };
                let batch = batch.map_err(damaged)?;
                batch.verify_crc().map_err(damaged)?;
                let records = batch.records(DecompressLimit::default()).map_err(damaged)?;
                for record in &records {
                    let record = record.map_err(damaged)?;
                    let value = bytes::Bytes::copy_from_slice(record.value.unwrap_or_default());
                    replayed.apply(record.offset, value)?;
                }
                next = batch.header().next_offset();
            }
            assert!(
                next > before,
                "a read below the end of the log gives a whole batch"
            );
        }
        Ok(replayed)
    }

    /// Applies `records` to `image`, writes them as one batch, and returns when they are durable. After an error
    /// `image` must not be used any more; the log then contains nothing of the change, or after
    /// [`CommitError::Undecided`] the whole change or nothing of it.
    pub(crate) fn commit(
        &self,
        image: &mut Image,
        records: &[MetadataRecord],
        now_ms: i64,
    ) -> Result<(), CommitError> {
        if records.is_empty() {
            return Ok(());
        }
        let values: Vec<_> = records
            .iter()
            .map(MetadataRecord::encode)
            .collect::<Result<_, _>>()?;
        let capacity = HEADER_LEN
            + values
                .iter()
                .map(|value| value.len() + RECORD_OVERHEAD_MAX)
                .sum::<usize>();
        if capacity > CHANGE_BYTES_MAX {
            return Err(CommitError::TooLarge);
        }
        for record in records {
            image.apply(record)?;
        }
        let mut builder = BatchBuilder::new(BatchOptions {
            capacity,
            ..BatchOptions::default()
        });
        for value in &values {
            builder
                .try_append(now_ms, None, Some(value), &[])
                .map_err(|_| CommitError::TooLarge)?;
        }
        let rules = ValidationRules {
            max_batch_bytes: CHANGE_BYTES_MAX,
            origin: AppendOrigin::Coordinator,
            source: ByteSource::Builder,
            ..ValidationRules::default()
        };
        let bytes = builder.finish().ok_or(CommitError::TooLarge)?;
        let appended = self
            .log
            .append_as_leader(validate(bytes, &rules)?, LeaderEpoch::new(0))?;
        if let Err(error) = self.log.wait_flushed(appended.next_offset()) {
            // The change was not acknowledged, so no other change may follow it.
            return Err(match self.log.truncate_to(appended.base_offset) {
                Ok(_) => error.into(),
                Err(failure) => {
                    tracing::error!(error = %failure, "a failed change could not be truncated; further changes are refused");
                    CommitError::Undecided(error)
                }
            });
        }
        Ok(())
    }

    /// The offset of the next change.
    pub(crate) fn log_end_offset(&self) -> Offset {
        self.log.log_end_offset()
    }

    /// The first offset that is not known to be on the disk.
    pub(crate) fn recovery_point(&self) -> Offset {
        self.log.recovery_point()
    }

    /// Closes the log cleanly.
    pub(crate) fn close(&self) -> Result<Offset, ChangeError> {
        self.log.close()
    }
}

impl ReplayedMetadata {
    fn apply(&mut self, offset: Offset, value: bytes::Bytes) -> Result<(), ReplayError> {
        let record = MetadataRecord::decode(value)
            .map_err(|source| ReplayError::Record { offset, source })?;
        if let MetadataRecord::RemoveTopic(removed) = &record {
            self.removed_topics.insert(removed.topic_id);
        }
        self.image
            .apply(&record)
            .map_err(|source| ReplayError::Apply { offset, source })
    }
}
