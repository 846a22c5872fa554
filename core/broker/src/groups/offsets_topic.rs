//! `__consumer_offsets`, the log of groups and committed offsets.

use std::sync::Arc;

use bytes::Bytes;
use headwater_env::Env;
use headwater_log::{AppendError, ReadError};
use headwater_protocol::{DecodeError, EncodeError, ErrorCode};
use headwater_record::{
    AppendOrigin, BatchBuilder, BatchError, BatchOptions, ByteSource, DecompressLimit, HEADER_LEN,
    InvalidBatch, Offset, PartitionId, ValidatedBatches, ValidationRules, batches, validate,
};

use super::coordinator::Groups;
use super::record::GroupRecord;
use crate::controller::Proposal;
use crate::new_topic::{self, NewTopic, Owner};
use crate::partition::{Acks, Isolation, Partition, ProduceError};
use crate::refusal::Refusal;

pub(crate) const TOPIC: &str = "__consumer_offsets";
const READ_BYTES: usize = 1 << 20;
/// The size of a record without its key and value, at most.
const RECORD_OVERHEAD_MAX: usize = 32;

/// Why records were not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("{TOPIC} has no partition {0} here")]
    NoPartition(i32),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error(
        "the records are larger than max.message.bytes of {TOPIC} allows: raise it, or commit fewer partitions at once"
    )]
    TooLarge,
    #[error(transparent)]
    Batch(#[from] InvalidBatch),
    #[error(transparent)]
    Append(#[from] ProduceError),
}

impl WriteError {
    /// The error code for members. Kafka answers `NOT_COORDINATOR` to a storage failure, because another broker may
    /// take over. Here there is no other broker, and clients would retry until their time-out.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::NoPartition(_) => ErrorCode::CoordinatorNotAvailable,
            Self::Append(error) => append_code(error),
            Self::TooLarge | Self::Encode(_) | Self::Batch(_) => ErrorCode::UnknownServerError,
        }
    }

    /// The refusal for members.
    pub(super) fn refusal(&self) -> Refusal {
        Refusal::new(self.code(), self.to_string())
    }
}

const fn append_code(error: &ProduceError) -> ErrorCode {
    match error {
        ProduceError::NotEnoughReplicas { .. } => ErrorCode::CoordinatorNotAvailable,
        ProduceError::Leader(_)
        | ProduceError::Append(AppendError::Closed | AppendError::StaleLeaderEpoch { .. }) => {
            ErrorCode::NotCoordinator
        }
        ProduceError::Flush(_)
        | ProduceError::Append(
            AppendError::DiskFull(_)
            | AppendError::File(_)
            | AppendError::Unreadable(_)
            | AppendError::Poisoned(_)
            | AppendError::OffsetsExhausted { .. },
        ) => ErrorCode::KafkaStorageError,
        ProduceError::Append(_) => ErrorCode::UnknownServerError,
    }
}

/// Why a partition could not be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the batch at offset {offset} cannot be read: {source}")]
    Batch { offset: Offset, source: BatchError },
    #[error("record {offset} cannot be read: {source}")]
    Record { offset: Offset, source: DecodeError },
}

impl LoadError {
    /// The error code for members. It is not retriable: another attempt would fail too.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Read(ReadError::Corrupt { .. }) | Self::Batch { .. } | Self::Record { .. } => {
                ErrorCode::CorruptMessage
            }
            Self::Read(_) => ErrorCode::KafkaStorageError,
        }
    }
}

/// The partition that stores a group: Java's hash of the group id, as in Kafka.
pub(crate) fn partition_of(group_id: &str, partitions: usize) -> usize {
    let hash = group_id.encode_utf16().fold(0_i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    });
    // Java's `abs` of `i32::MIN` is negative; Kafka uses 0.
    let hash = hash.checked_abs().unwrap_or(0);
    hash as usize % partitions
}

impl<E: Env> Groups<E> {
    /// Creates the topic if it does not exist. Changes the metadata, so the caller must not hold a coordinator.
    pub(super) async fn ensure_offsets_topic(&self) -> Result<(), Refusal> {
        if self.partitions.topic(TOPIC).is_some() {
            return Ok(());
        }
        match self.propose_offsets_topic()? {
            Some(proposal) => Ok(proposal.decided().await?),
            None => Ok(()),
        }
    }

    /// Proposes the topic; `None` if it exists.
    fn propose_offsets_topic(&self) -> Result<Option<Proposal>, Refusal> {
        let mut changes = self.controller.changes();
        let image = changes.image();
        if image.topic(TOPIC).is_some() {
            return Ok(None);
        }
        let config = self.controller.config();
        let segment_bytes = config.offsets_topic_segment_bytes.to_string();
        let description = NewTopic {
            name: TOPIC,
            owner: Owner::Broker,
            partitions: self.coordinators() as i32,
            replication_factor: config.offsets_topic_replication_factor,
            assignments: Vec::new(),
            configs: vec![
                ("cleanup.policy", Some("compact")),
                ("compression.type", Some("producer")),
                ("segment.bytes", Some(&segment_bytes)),
            ],
        };
        let topic = new_topic::check(&self.controller, &image, &description)?;
        let records = new_topic::records(&topic, &description)?;
        let new = changes.prepare(&image.with(&records)?, &topic)?;
        Ok(Some(changes.propose_partitions(records, vec![new])))
    }

    /// Writes records as one batch, so a crash keeps all of them or none.
    pub(super) fn write_group_records(
        &self,
        index: usize,
        records: &[GroupRecord],
    ) -> Result<(), WriteError> {
        let partition = self
            .offsets_partition(index)
            .ok_or(WriteError::NoPartition(index as i32))?;
        let most = partition.config().max_message_bytes as usize;
        let batch = batch(records, most, self.partitions.env.wall_clock_ms())?;
        let size = batch.size_in_bytes() as u64;
        match partition.append_as_leader(batch.clone(), Acks::All) {
            // Delete the oldest user records before failing a group.
            Err(ProduceError::Append(AppendError::DiskFull(_))) => {
                self.storage.free_storage(size);
                partition.append_as_leader(batch, Acks::All)?
            }
            result => result?,
        };
        self.storage.count_appended(size);
        Ok(())
    }

    /// Reads all records of a partition in order; none if the topic does not exist.
    pub(super) fn read_group_records(
        &self,
        index: usize,
        mut each: impl FnMut(GroupRecord),
    ) -> Result<(), LoadError> {
        let Some(partition) = self.offsets_partition(index) else {
            return Ok(());
        };
        let mut next = partition.log().log_start_offset();
        let end = partition.high_watermark();
        while next < end {
            let read = partition.read(next, READ_BYTES, true, Isolation::ReadUncommitted)?;
            let before = next;
            for batch in batches(&read.bytes) {
                let damaged = |source| LoadError::Batch {
                    offset: next,
                    source,
                };
                let batch = batch.map_err(damaged)?;
                batch.verify_crc().map_err(damaged)?;
                let follows = batch.header().next_offset();
                if !batch.header().attributes.is_control() {
                    for record in &batch.records(DecompressLimit::default()).map_err(damaged)? {
                        let record = record.map_err(damaged)?;
                        if let Some(record) = decoded(&record)? {
                            each(record);
                        }
                    }
                }
                next = follows;
            }
            if next == before {
                // Compaction has removed the last batches.
                break;
            }
        }
        Ok(())
    }

    fn offsets_partition(&self, index: usize) -> Option<Arc<Partition<E>>> {
        let id = PartitionId::new(i32::try_from(index).ok()?);
        self.partitions.topic(TOPIC)?.partition(id)
    }
}

fn decoded(record: &headwater_record::RecordView<'_>) -> Result<Option<GroupRecord>, LoadError> {
    let Some(key) = record.key else {
        return Ok(None);
    };
    // Copy: the record outlives the buffer that it was read from.
    let value = record.value.map(Bytes::copy_from_slice);
    GroupRecord::decode(Bytes::copy_from_slice(key), value).map_err(|source| LoadError::Record {
        offset: record.offset,
        source,
    })
}

fn batch(
    records: &[GroupRecord],
    bytes_max: usize,
    now_ms: i64,
) -> Result<ValidatedBatches, WriteError> {
    let encoded: Vec<_> = records
        .iter()
        .map(GroupRecord::encode)
        .collect::<Result<_, _>>()?;
    let size_of = |(key, value): &(Bytes, Option<Bytes>)| {
        key.len() + value.as_ref().map_or(0, Bytes::len) + RECORD_OVERHEAD_MAX
    };
    let capacity = HEADER_LEN + encoded.iter().map(size_of).sum::<usize>();
    let mut builder = BatchBuilder::new(BatchOptions {
        capacity,
        ..BatchOptions::default()
    });
    for (key, value) in &encoded {
        builder
            .try_append(now_ms, Some(key), value.as_deref(), &[])
            .map_err(|_| WriteError::TooLarge)?;
    }
    let bytes = builder.finish().ok_or(WriteError::TooLarge)?;
    if bytes.len() > bytes_max {
        return Err(WriteError::TooLarge);
    }
    let rules = ValidationRules {
        max_batch_bytes: bytes_max,
        origin: AppendOrigin::Coordinator,
        source: ByteSource::Builder,
        ..ValidationRules::default()
    };
    Ok(validate(bytes, &rules)?)
}

#[cfg(test)]
mod tests {
    use super::partition_of;

    /// Expected values of Java's `Math.abs("...".hashCode()) % 50`.
    #[test]
    fn a_group_is_stored_in_the_same_partition_as_in_kafka() {
        assert_eq!(partition_of("", 50), 0);
        assert_eq!(partition_of("a", 50), 97 % 50);
        assert_eq!(partition_of("console-consumer-12345", 50), 6);
        assert_eq!(partition_of("größe-日本", 50), 19);
        // "polygenelubricants" hashes to `i32::MIN`.
        assert_eq!(partition_of("polygenelubricants", 50), 0);
    }
}
