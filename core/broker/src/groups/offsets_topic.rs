//! `__consumer_offsets`: where groups and their offsets are kept.

use std::sync::Arc;

use bytes::Bytes;
use headwater_env::Env;
use headwater_log::{AppendError, ReadError};
use headwater_protocol::{DecodeError, EncodeError, ErrorCode};
use headwater_record::{
    AppendOrigin, BatchBuilder, BatchError, BatchOptions, ByteSource, DecompressLimit, HEADER_LEN,
    InvalidBatch, Offset, PartitionId, ValidatedBatches, ValidationRules, batches, validate,
};

use super::record::GroupRecord;
use crate::new_topic::{self, NewTopic, Owner};
use crate::partition::{Acks, Isolation, Partition, ProduceError};
use crate::refusal::Refusal;
use crate::state::State;

/// Its name.
pub(crate) const TOPIC: &str = "__consumer_offsets";
const READ_BYTES: usize = 1 << 20;
/// What a record takes besides its key and value.
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
    /// The code for members. Kafka answers `NOT_COORDINATOR` where storage fails, because another broker may take over; here none can, and
    /// clients would look for one until their time is up.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::NoPartition(_) => ErrorCode::CoordinatorNotAvailable,
            Self::Append(error) => append_code(error),
            Self::TooLarge | Self::Encode(_) | Self::Batch(_) => ErrorCode::UnknownServerError,
        }
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

/// Why a partition could not be read back.
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
    /// The code for members: reading it again gives the same.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Read(ReadError::Corrupt { .. }) | Self::Batch { .. } | Self::Record { .. } => {
                ErrorCode::CorruptMessage
            }
            Self::Read(_) => ErrorCode::KafkaStorageError,
        }
    }
}

/// The partition that keeps a group: Java's hash of its id, as in Kafka.
pub(crate) fn partition_of(group_id: &str, partitions: usize) -> usize {
    let hash = group_id.encode_utf16().fold(0_i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    });
    // Java's `abs` of the smallest number has no positive; Kafka takes 0.
    let hash = hash.checked_abs().unwrap_or(0);
    hash as usize % partitions
}

impl<E: Env> State<E> {
    /// Makes the topic if it is not there. Takes the controller, so the caller holds no coordinator.
    pub(crate) fn ensure_offsets_topic(&self) -> Result<(), Refusal> {
        if self.topics.by_name(TOPIC).is_some() {
            return Ok(());
        }
        let mut controller = self.controller.lock();
        let image = self.image();
        if image.topic(TOPIC).is_some() {
            return Ok(());
        }
        let segment_bytes = self.config().offsets_topic_segment_bytes.to_string();
        let wanted = NewTopic {
            name: TOPIC,
            owner: Owner::Broker,
            partitions: self.coordinators() as i32,
            replication_factor: self.config().offsets_topic_replication_factor,
            assignments: Vec::new(),
            configs: vec![
                ("cleanup.policy", Some("compact")),
                ("compression.type", Some("producer")),
                ("segment.bytes", Some(&segment_bytes)),
            ],
        };
        let topic = new_topic::check(self, &image, &wanted)?;
        let records = new_topic::records(&topic, &wanted)?;
        let new = self.prepare(&image.with(&records)?, &topic)?;
        self.record(&mut controller, &records, vec![new])
    }

    /// Writes records as one batch: after a crash all of them are there, or none.
    pub(super) fn write_group_records(
        &self,
        index: usize,
        records: &[GroupRecord],
    ) -> Result<(), WriteError> {
        let partition = self
            .offsets_partition(index)
            .ok_or(WriteError::NoPartition(index as i32))?;
        let most = partition.config().max_message_bytes as usize;
        let batch = batch(records, most, self.env.wall_clock_ms())?;
        let size = batch.size_in_bytes() as u64;
        match partition.append_as_leader(batch.clone(), Acks::All) {
            // The oldest records of users go before a group loses its place.
            Err(ProduceError::Append(AppendError::DiskFull(_))) => {
                self.relieve_storage(size);
                partition.append_as_leader(batch, Acks::All)?
            }
            result => result?,
        };
        self.note_appended(size);
        Ok(())
    }

    /// Reads all records of a partition in order; there are none before the topic is made.
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
                // A compaction removed the last batches; nothing is left before the end.
                break;
            }
        }
        Ok(())
    }

    fn offsets_partition(&self, index: usize) -> Option<Arc<Partition<E>>> {
        let id = PartitionId::new(i32::try_from(index).ok()?);
        self.topics.by_name(TOPIC)?.partition(id)
    }
}

fn decoded(record: &headwater_record::RecordView<'_>) -> Result<Option<GroupRecord>, LoadError> {
    let Some(key) = record.key else {
        return Ok(None);
    };
    // Copies, because what is decoded shares the bytes and outlives the read.
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

    /// Known answers of Java's `Math.abs("...".hashCode()) % 50`.
    #[test]
    fn a_group_is_kept_where_kafka_keeps_it() {
        assert_eq!(partition_of("", 50), 0);
        assert_eq!(partition_of("a", 50), 97 % 50);
        assert_eq!(partition_of("console-consumer-12345", 50), 6);
        assert_eq!(partition_of("größe-日本", 50), 19);
        // "polygenelubricants" hashes to the smallest number there is.
        assert_eq!(partition_of("polygenelubricants", 50), 0);
    }
}
