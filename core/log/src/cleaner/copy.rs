//! Copies the batches of several segments into one cleaned segment.

use std::collections::HashMap;
use std::sync::Arc;

use headwater_env::{Env, File};
use headwater_record::{BatchHeader, Offset, ProducerId, RecompressError, RecordBatch};

use super::batch_retention::{BatchRetention, RetentionRules};
use super::offset_map::OffsetMap;
use super::{CleanError, Cleaning, Extent, check_going_on};
use crate::config::LogConfig;
use crate::error::ReadError;
use crate::file_name::{FileKind, Suffix};
use crate::index_builder::IndexBuilder;
use crate::index_file::SyncTime;
use crate::mutants::{self, Mutant};
use crate::partition_log::PartitionLog;
use crate::read_buffer::ReadBuffer;
use crate::segment::{Phase, Segment};
use crate::transaction_index::AbortedTransaction;

/// The size of a write.
const WRITE_BYTES: usize = 1 << 20;
/// The largest segment that Kafka's indexes can address, in bytes.
const SEGMENT_BYTES_MAX: u64 = i32::MAX as u64;

/// The state that all segment groups of one cleaning share.
pub(super) struct CleaningContext<'a> {
    pub(super) map: &'a OffsetMap,
    pub(super) config: &'a LogConfig,
    pub(super) cleaning: Cleaning<'a>,
}

/// A cleaned segment that is being written.
struct CleanedSegment<E: Env> {
    segment: Segment<E>,
    file: Arc<E::File>,
    unwritten: Vec<u8>,
    written: u64,
    builder: IndexBuilder,
    /// The offset after the last batch; `None` while there is no batch.
    end_offset: Option<Offset>,
    /// Whether a batch was changed or dropped.
    is_changed: bool,
}

impl<E: Env> PartitionLog<E> {
    /// Cleans adjacent segments into one and swaps it in. If no batch remains, no segment replaces them. Returns the
    /// remaining size.
    pub(super) fn clean_group(
        &self,
        context: &CleaningContext<'_>,
        group: &[Arc<Segment<E>>],
    ) -> Result<Extent, CleanError> {
        let cleaned = self.copy_group(context, group);
        let result = cleaned.and_then(|cleaned| self.replace_group(cleaned, group));
        if result.is_err() && self.poisoned().is_none() {
            self.remove_unfinished()?;
        }
        result
    }

    fn replace_group(
        &self,
        cleaned: CleanedSegment<E>,
        group: &[Arc<Segment<E>>],
    ) -> Result<Extent, CleanError> {
        let left = Extent {
            segments: 1,
            bytes: cleaned.size(),
        };
        let end_offset = cleaned.end_offset();
        let is_unchanged = group.len() == 1 && !cleaned.is_changed;
        // The first segment of the log stays, even empty, because the log starts with it.
        let is_needed = end_offset.is_some() || self.is_first(&group[0]);
        if is_unchanged || !is_needed {
            self.remove_unfinished()?;
        }
        if is_unchanged {
            return Ok(left);
        }
        if !is_needed {
            self.drop_emptied(group)?;
            return Ok(Extent::default());
        }
        // After a crash during the swap, recovery finds the replaced segments by this offset: see `swap::end_of_swap`.
        let end_offset = end_offset.unwrap_or(group[0].base_offset() + 1);
        let covered = group.partition_point(|segment| segment.base_offset() < end_offset);
        self.swap_in(cleaned.save()?, &group[..covered])?;
        self.drop_emptied(&group[covered..])?;
        Ok(left)
    }

    fn copy_group(
        &self,
        context: &CleaningContext<'_>,
        group: &[Arc<Segment<E>>],
    ) -> Result<CleanedSegment<E>, CleanError> {
        let aborted = aborted_transactions(group)?;
        let last_offsets = self.last_offsets();
        let rules = RetentionRules {
            map: context.map,
            now_wall_ms: context.cleaning.now_wall_ms,
            delete_retention_ms: context.config.delete_retention_ms,
            last_offsets: &last_offsets,
            aborted: &self.aborted_before(group)?,
        };
        let mut cleaned = CleanedSegment::create(self, group[0].base_offset(), context.config)?;
        for segment in group {
            let mut buffer = ReadBuffer::new(segment)?;
            let mut position = 0;
            while let Some(batch) = next_batch(segment, &mut buffer, position)? {
                check_going_on(self, context.cleaning)?;
                position += batch.bytes().len() as u64;
                let retention = rules.retention_of(&batch).map_err(|error| {
                    recompress_error(segment, position - batch.bytes().len() as u64, error)
                })?;
                cleaned.take(&batch, retention)?;
            }
        }
        cleaned.write()?;
        cleaned.builder.add_aborted(aborted);
        cleaned
            .segment
            .set_modified_ms(group[group.len() - 1].modified_ms());
        Ok(cleaned)
    }

    /// The last offset of each producer whose state the log keeps.
    fn last_offsets(&self) -> HashMap<ProducerId, Offset> {
        self.active_producers()
            .into_iter()
            .filter_map(|producer| Some((producer.producer_id, producer.last_offset?)))
            .collect()
    }

    /// The aborted transactions that have records in these segments. Their markers may be in later segments.
    fn aborted_before(
        &self,
        group: &[Arc<Segment<E>>],
    ) -> Result<Vec<AbortedTransaction>, ReadError> {
        self.aborted_transactions(group[0].base_offset(), Offset::MAX)
    }
}

/// The transactions whose abort marker is in these segments.
fn aborted_transactions<E: Env>(
    group: &[Arc<Segment<E>>],
) -> Result<Vec<AbortedTransaction>, CleanError> {
    let mut aborted = Vec::new();
    for segment in group {
        aborted.extend(segment.aborted_transactions()?);
    }
    Ok(aborted)
}

/// Reads the batch at the position and checks its CRC; `None` at the end of the segment.
pub(super) fn next_batch<E: Env>(
    segment: &Segment<E>,
    buffer: &mut ReadBuffer<'_, E>,
    position: u64,
) -> Result<Option<RecordBatch>, ReadError> {
    let batch = buffer
        .batch_at(position)
        .map_err(|source| segment.error("read", FileKind::Log, source))?;
    batch
        .map(|batch| batch.and_then(|batch| batch.verify_crc().map(|()| batch)))
        .transpose()
        .map_err(|source| segment.corrupt(position, source))
}

fn recompress_error<E: Env>(
    segment: &Segment<E>,
    position: u64,
    error: RecompressError,
) -> CleanError {
    match error {
        RecompressError::Unreadable(source) => segment.corrupt(position, source).into(),
        error => CleanError::Encode(error),
    }
}

impl<E: Env> CleanedSegment<E> {
    fn create(
        log: &PartitionLog<E>,
        base_offset: Offset,
        config: &LogConfig,
    ) -> Result<Self, CleanError> {
        let (env, dir) = (
            log.state().env().clone(),
            log.state().directory().shared_path(),
        );
        let segment = Segment::create_as(env, dir, base_offset, Suffix::Cleaned)?;
        Ok(Self {
            file: segment.file().open()?,
            segment,
            unwritten: Vec::new(),
            written: 0,
            builder: IndexBuilder::new(config.index_interval_bytes),
            end_offset: None,
            is_changed: false,
        })
    }

    fn size(&self) -> u64 {
        self.written + self.unwritten.len() as u64
    }

    fn end_offset(&self) -> Option<Offset> {
        self.end_offset
    }

    fn take(&mut self, batch: &RecordBatch, retention: BatchRetention) -> Result<(), CleanError> {
        match retention {
            BatchRetention::Retain => self.add(batch.header(), batch.bytes()),
            BatchRetention::Rewrite(bytes) => {
                self.is_changed = true;
                let header = BatchHeader::parse(&bytes)
                    .map_err(|source| CleanError::Encode(RecompressError::Unreadable(source)))?;
                self.add(&header, &bytes)
            }
            BatchRetention::Delete => {
                self.is_changed = true;
                Ok(())
            }
        }
    }

    fn add(&mut self, header: &BatchHeader, bytes: &[u8]) -> Result<(), CleanError> {
        if self.size() + bytes.len() as u64 > SEGMENT_BYTES_MAX {
            return Err(CleanError::TooLarge);
        }
        self.builder.add(self.size(), header);
        self.end_offset = Some(header.next_offset());
        self.unwritten.extend_from_slice(bytes);
        if self.unwritten.len() >= WRITE_BYTES {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), CleanError> {
        self.file
            .write_all_at(&self.unwritten, self.written)
            .map_err(|source| self.segment.error("write", FileKind::Log, source))?;
        self.written += self.unwritten.len() as u64;
        self.unwritten.clear();
        self.segment.file().set_size(self.written);
        Ok(())
    }

    /// Writes and syncs all files of the segment.
    fn save(mut self) -> Result<Segment<E>, CleanError> {
        if !mutants::is_active(Mutant::SwapUnsynced) {
            self.segment.file().sync()?;
        }
        self.builder.install_in(&self.segment, Phase::Sealed);
        self.builder.install_transactions_in(&self.segment);
        self.segment.save_indexes(SyncTime::Now)?;
        self.segment.release_indexes();
        Ok(self.segment)
    }
}
