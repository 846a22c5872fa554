//! Compaction: keeps only the last record of each key (`cleanup.policy=compact`), like Kafka's log cleaner.
//!
//! A log has a clean part, with one record for each key, and a dirty part after it. A cleaning reads the keys of the
//! dirty part into a map ([`offset_map`]). It copies both parts without the records that have a newer one in the map
//! ([`batch_retention`], [`copy`]), merges small segments, and swaps the copies in ([`swap`]). Segments without
//! remaining records are dropped. Offsets never change; they get gaps.
//!
//! **The newer record of a removed record is on disk.** A cleaning reads only fsynced records, so a power cut never
//! loses the newer record of a key after its older one was removed. It leaves the active segment and everything above
//! the last stable offset alone.

mod batch_retention;
mod copy;
mod groups;
mod offset_map;
mod range;
pub(crate) mod swap;
pub(crate) mod turn;

use std::fmt;
use std::sync::Arc;

use headwater_env::Env;
use headwater_record::{DecompressLimit, Offset, RecompressError, RecordBatch};
use thiserror::Error;

use crate::config::LogConfig;
use crate::error::{FileError, Poisoned, ReadError};
use crate::mutants::{self, Mutant};
use crate::partition_log::PartitionLog;
use crate::read_buffer::ReadBuffer;
use crate::segment::Segment;
use crate::transaction_index::AbortedTransaction;
use crate::view::LogView;
use batch_retention::is_aborted;
use copy::{CleaningContext, next_batch};
use groups::{SegmentSizes, groups};
use offset_map::OffsetMap;
pub use range::Cleanable;
use range::RangeInput;

/// The input of a cleaning.
#[derive(Clone, Copy)]
pub struct Cleaning<'a> {
    /// Records at or above this offset are not cleaned.
    pub last_stable_offset: Offset,
    /// The recovery point checkpoint on disk, or less. Records at or above it are not cleaned: cleaning leaves gaps
    /// between segments, and recovery accepts such a gap only below that checkpoint.
    pub checkpointed: Offset,
    /// The current wall-clock time. Tombstones and compaction lags are measured against it.
    pub now_wall_ms: i64,
    /// The maximum memory for the map of keys: `log.cleaner().dedupe.buffer.size`. Keys beyond it wait for the next
    /// cleaning.
    pub dedupe_buffer_bytes: usize,
    /// Called for each batch; the cleaning ends when it returns true.
    pub is_stopped: &'a (dyn Fn() -> bool + Sync),
}

impl fmt::Debug for Cleaning<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Cleaning")
            .field("last_stable_offset", &self.last_stable_offset)
            .field("checkpointed", &self.checkpointed)
            .field("now_wall_ms", &self.now_wall_ms)
            .field("dedupe_buffer_bytes", &self.dedupe_buffer_bytes)
            .finish_non_exhaustive()
    }
}

/// The result of a cleaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cleaned {
    /// The new start of the dirty part.
    pub first_dirty_offset: Offset,
    /// The number of keys in the dirty part.
    pub keys: usize,
    /// Segments and bytes that were read.
    pub before: Extent,
    /// Segments and bytes that replace them.
    pub after: Extent,
}

/// A number of segments and their size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// The number of segments.
    pub segments: usize,
    /// The size of their log files in bytes.
    pub bytes: u64,
}

/// Why a cleaning ended early. The log is unchanged, or its first segments are cleaned.
#[derive(Debug, Error)]
pub enum CleanError {
    /// A file could not be read, written or renamed.
    #[error("the log could not be cleaned: {0}; {advice}; the next cleaning tries again", advice = .0.advice())]
    File(#[from] FileError),
    /// The state of the log could not be read.
    #[error("the log could not be cleaned, because it could not be read: {0}")]
    Read(#[source] ReadError),
    /// Records could not be compressed again.
    #[error("the log could not be cleaned, because records could not be compressed again: {0}")]
    Encode(#[source] RecompressError),
    /// A segment would exceed 2 GiB, because its records now compress worse than before.
    #[error(
        "the log could not be cleaned: a segment would have more than 2 GiB; lower segment.bytes of the topic"
    )]
    TooLarge,
    /// The partition is read-only.
    #[error(transparent)]
    Poisoned(#[from] Poisoned),
    /// Retention removed a segment during the cleaning.
    #[error("the log changed while it was cleaned; the next cleaning tries again")]
    Overtaken,
    /// The log is being closed or truncated, or the caller cancelled the cleaning.
    #[error("the cleaning was stopped")]
    Stopped,
}

impl From<ReadError> for CleanError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::File(error) => Self::File(error),
            error => Self::Read(error),
        }
    }
}

impl CleanError {
    /// Whether another attempt would fail the same way.
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Read(_) | Self::Encode(_) | Self::TooLarge)
    }
}

impl<E: Env> PartitionLog<E> {
    /// The part that may be cleaned now, and how dirty it is; `None` if nothing may be cleaned. [`Cleanable::is_due`]
    /// decides whether it should be.
    pub fn cleanable(
        &self,
        last_stable_offset: Offset,
        now_wall_ms: i64,
    ) -> Result<Option<Cleanable>, ReadError> {
        let config = self.state().config();
        if !config.cleanup_policy.compact {
            return Ok(None);
        }
        self.state().view().read(|view| {
            let input = self.range_input(view, &config, last_stable_offset, now_wall_ms);
            let first_batch_ms = |index: usize| first_batch_ms(view, index);
            Ok(range::cleanable(
                &view.segment_infos(),
                input,
                first_batch_ms,
            ))
        })
    }

    /// The first offset that was not cleaned, for the cleaner's checkpoint; `None` if the log was never cleaned.
    pub fn cleaner_checkpoint(&self) -> Option<Offset> {
        self.cleaner().checkpoint()
    }

    /// Marks the log as one that may have gaps. Write the cleaner's checkpoint before the first cleaning: if the policy
    /// changes before the next open, recovery could not distinguish the gaps of a cleaned log from damage otherwise.
    pub fn prepare_cleaning(&self) {
        if self.cleaner().checkpoint().is_none() {
            self.cleaner().set_checkpoint(self.log_start_offset());
        }
    }

    /// Cleans the part that may be cleaned; returns `None` if there is none. Runs as long as reading and writing the
    /// log takes. Ends early, with the log unchanged, when the log is closed or truncated. Appends and reads continue,
    /// except while a segment is swapped in.
    pub fn clean(&self, cleaning: Cleaning<'_>) -> Result<Option<Cleaned>, CleanError> {
        let _turn = self.cleaner().begin();
        check_going_on(self, cleaning)?;
        let upper = cleaning.last_stable_offset.min(cleaning.checkpointed);
        let found = self.cleanable(upper, cleaning.now_wall_ms)?;
        let Some(cleanable) = found else {
            return Ok(None);
        };
        self.remove_unfinished()?;
        let (config, view) = (self.state().config(), self.state().view().now());
        let map = self.map_keys(&view, &cleanable, cleaning)?;
        let end = map.next_offset();
        let cleaned: Vec<_> = view
            .segments()
            .list()
            .iter()
            .take_while(|segment| {
                segment.base_offset() < end
                    && segment.base_offset() < cleanable.first_uncleanable_offset
            })
            .map(Arc::clone)
            .collect();
        let context = CleaningContext {
            map: &map,
            config: &config,
            cleaning,
        };
        let mut after = Extent::default();
        for group in groups(&segment_sizes(&view, cleaned.len()), &config) {
            let left = self.clean_group(&context, &cleaned[group])?;
            after.bytes += left.bytes;
            after.segments += left.segments;
        }
        self.cleaner().set_checkpoint(end);
        Ok(Some(Cleaned {
            first_dirty_offset: end,
            keys: map.len(),
            before: Extent {
                segments: cleaned.len(),
                bytes: cleaned.iter().map(|segment| segment.size()).sum(),
            },
            after,
        }))
    }

    fn range_input<'a>(
        &self,
        view: &LogView<E>,
        config: &'a LogConfig,
        last_stable_offset: Offset,
        now_wall_ms: i64,
    ) -> RangeInput<'a> {
        let on_disk = if mutants::is_active(Mutant::CleanUnflushed) {
            Offset::MAX
        } else {
            self.recovery_point()
        };
        RangeInput {
            config,
            now_wall_ms,
            cleaner_checkpoint: self.cleaner().checkpoint(),
            log_start_offset: view.log_start_offset(),
            log_end_offset: view.log_end_offset(),
            upper: last_stable_offset.min(on_disk),
        }
    }

    /// Maps the keys of the dirty part to their last offsets, as far as they fit.
    fn map_keys(
        &self,
        view: &LogView<E>,
        cleanable: &Cleanable,
        cleaning: Cleaning<'_>,
    ) -> Result<OffsetMap, CleanError> {
        let (start, end) = (
            cleanable.first_dirty_offset,
            cleanable.first_uncleanable_offset,
        );
        let mut map = OffsetMap::new(start, cleaning.dedupe_buffer_bytes, (end - start) as u64);
        let aborted = self.aborted_transactions(start, Offset::MAX)?;
        let first = view.segments().floor(start).unwrap_or(0);
        for segment in &view.segments().list()[first..] {
            if segment.base_offset() >= end {
                break;
            }
            let mut buffer = ReadBuffer::new(segment)?;
            let mut position = 0;
            while let Some(batch) = next_batch(segment, &mut buffer, position)? {
                check_going_on(self, cleaning)?;
                let taken = map_batch(&mut map, &batch, start, &aborted)
                    .map_err(|source| segment.corrupt(position, source))?;
                if taken == MappedPart::InPart {
                    return Ok(map);
                }
                position += batch.bytes().len() as u64;
            }
        }
        map.advance_to(end);
        Ok(map)
    }
}

/// Which part of a batch fitted into the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MappedPart {
    Whole,
    InPart,
}

fn map_batch(
    map: &mut OffsetMap,
    batch: &RecordBatch,
    start: Offset,
    aborted: &[AbortedTransaction],
) -> Result<MappedPart, headwater_record::BatchError> {
    let header = batch.header();
    if header.last_offset() < start {
        return Ok(MappedPart::Whole);
    }
    // An aborted record does not replace an older record of its key.
    if !header.attributes.is_control() && !is_aborted(header, aborted) {
        for record in &batch.records(DecompressLimit::default())? {
            let record = record?;
            if record.offset < start {
                continue;
            }
            if let Some(key) = record.key
                && !map.put(key, record.offset)
            {
                return Ok(MappedPart::InPart);
            }
        }
    }
    map.advance_to(header.next_offset());
    Ok(MappedPart::Whole)
}

fn segment_sizes<E: Env>(view: &LogView<E>, count: usize) -> Vec<SegmentSizes> {
    let sizes = |(index, segment): (usize, &Arc<Segment<E>>)| {
        let (offset_index_bytes, time_index_bytes) = segment.index_sizes();
        SegmentSizes {
            base_offset: segment.base_offset(),
            end_offset: view.end_offset(index),
            log_bytes: segment.size(),
            offset_index_bytes,
            time_index_bytes,
        }
    };
    view.segments().list()[..count]
        .iter()
        .enumerate()
        .map(sizes)
        .collect()
}

/// The timestamp of a segment's first batch, if it has a readable one.
fn first_batch_ms<E: Env>(view: &LogView<E>, index: usize) -> Option<i64> {
    let segment = &view.segments().list()[index];
    let mut walk = segment.walk(0, view.limit(index)).ok()?;
    let (_, header) = segment.step(&mut walk).ok()??;
    Some(header.max_timestamp_ms)
}

fn check_going_on<E: Env>(log: &PartitionLog<E>, cleaning: Cleaning<'_>) -> Result<(), CleanError> {
    if let Some(poisoned) = log.poisoned() {
        return Err(poisoned.into());
    }
    if log.cleaner().is_to_stop() || (cleaning.is_stopped)() {
        return Err(CleanError::Stopped);
    }
    Ok(())
}
