//! `__cluster_metadata-0`: the changes of the cluster, in order, durable before anybody acts on them.

mod check;

use std::collections::HashSet;
use std::path::Path;

use headwater_env::Env;
use headwater_log::{
    AppendError, ChangeError, FlushError, LogConfig, OpenState, PartitionLog, ReadError,
    RecoveryReport,
};
use headwater_metadata::{ApplyError, Image, MetadataRecord, MetadataRecordError};
use headwater_protocol::EncodeError;
use headwater_record::{
    AppendOrigin, BatchBuilder, BatchError, BatchOptions, ByteSource, DecompressLimit, HEADER_LEN,
    InvalidBatch, LeaderEpoch, Offset, ValidationRules, batches, validate,
};
use uuid::Uuid;

pub(crate) use check::{CheckError, check};

/// The topic that no client sees.
pub(crate) const TOPIC: &str = "__cluster_metadata";
const READ_BYTES: usize = 1 << 20;
/// The most that one change may take: it is one batch, so that a crash leaves all of it or nothing.
const CHANGE_BYTES_MAX: usize = 256 << 20;
/// What a record takes besides its value: lengths, deltas, the null key, no headers.
const RECORD_OVERHEAD_MAX: usize = 32;

/// Why the log could not be read back.
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

/// Why a change was not made.
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
}

/// What the log says.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    /// The cluster.
    pub(crate) image: Image,
    /// Topics that were deleted: directories of theirs may be removed.
    pub(crate) removed_topics: HashSet<Uuid>,
}

/// The log of the cluster's changes.
#[derive(Debug)]
pub(crate) struct MetadataLog<E: Env> {
    log: PartitionLog<E>,
}

impl<E: Env> MetadataLog<E> {
    /// Opens the log in `dir`; a new one is empty.
    pub(crate) fn open(
        env: E,
        dir: &Path,
        start: OpenState,
    ) -> Result<(Self, RecoveryReport), headwater_log::OpenError> {
        let config = LogConfig {
            max_message_bytes: CHANGE_BYTES_MAX as u32,
            retention_ms: None,
            // Every change is flushed by hand, once it is whole.
            ..LogConfig::default()
        };
        let (log, report) = PartitionLog::open(env, dir, config, start)?;
        Ok((Self { log }, report))
    }

    /// Reads all of it.
    pub(crate) fn replay(&self) -> Result<Replayed, ReplayError> {
        let mut replayed = Replayed::default();
        let mut next = self.log.log_start_offset();
        let end = self.log.log_end_offset();
        while next < end {
            let read = self.log.read(next, end, READ_BYTES, true)?;
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

    /// Makes `records` one change: applies them to `image`, writes them as one batch, and returns when they are durable. On an error
    /// nobody may use `image` any more; the log then holds all of the change or nothing of it.
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
            // Nobody was told of the change, and the next one must not follow it.
            if let Err(error) = self.log.truncate_to(appended.base_offset) {
                tracing::error!(%error, "a change that failed could not be taken back yet; no other is made before it is");
            }
            return Err(error.into());
        }
        Ok(())
    }

    /// The offset of the next change.
    pub(crate) fn log_end_offset(&self) -> Offset {
        self.log.log_end_offset()
    }

    /// First offset not known to be on the disk.
    pub(crate) fn recovery_point(&self) -> Offset {
        self.log.recovery_point()
    }

    /// Leaves the log clean.
    pub(crate) fn close(&self) -> Result<Offset, ChangeError> {
        self.log.close()
    }
}

impl Replayed {
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
