//! Compaction: of each key only the last record stays (`cleanup.policy=compact`), as Kafka's log cleaner does it.
//!
//! A log has a clean part, of which each key has one record, and a dirty one after it. A cleaning reads keys of the dirty part into a map
//! ([`offset_map`]), copies both parts without the records that have a newer one in the map ([`fate`], [`copy`]), and puts the copies, one
//! segment for several, in the place of what they were made from ([`swap`]). Segments of which nothing is left are dropped. Offsets never
//! change; they get gaps.
//!
//! **What is removed has a successor on the disk.** Only what is fsynced is cleaned, so a power cut never takes the newer record of a key
//! after its older one was removed. Neither the active segment nor what is above the last stable offset is touched.

mod copy;
mod fate;
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

use crate::chunk::Chunk;
use crate::config::LogConfig;
use crate::error::{FileError, Poisoned, ReadError};
use crate::mutants::{self, Mutant};
use crate::partition_log::{PartitionLog, segment_infos};
use crate::segment::Segment;
use crate::transaction_index::AbortedTransaction;
use crate::view::View;
use copy::{Task, next_batch};
use fate::is_aborted;
use groups::{Measure, groups};
use offset_map::OffsetMap;
pub use range::Cleanable;
use range::Facts;

/// What a cleaning must know.
#[derive(Clone, Copy)]
pub struct Cleaning<'a> {
    /// Nothing at or above it is cleaned.
    pub last_stable_offset: Offset,
    /// The recovery point checkpoint on disk, or less. Nothing at or above it is cleaned: cleaning leaves gaps between segments, and recovery
    /// accepts such a gap only below that checkpoint.
    pub checkpointed: Offset,
    /// The time now, wall clock: what tombstones and compaction lags are measured against.
    pub now_wall_ms: i64,
    /// The most memory that the map of keys may take: `log.cleaner.dedupe.buffer.size`. What does not fit waits for the next cleaning.
    pub dedupe_buffer_bytes: usize,
    /// Asked at each batch: is the cleaning to end?
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

/// What a cleaning did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cleaned {
    /// The dirty part begins here now.
    pub first_dirty_offset: Offset,
    /// How many keys the dirty part had.
    pub keys: usize,
    /// Segments and bytes that were read.
    pub before: Extent,
    /// Segments and bytes that are in their place.
    pub after: Extent,
}

/// Some segments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// How many.
    pub segments: usize,
    /// The bytes of their log files.
    pub bytes: u64,
}

/// Why a cleaning ended early. The log is as it was, or a first part of it is cleaned.
#[derive(Debug, Error)]
pub enum CleanError {
    /// A file could not be read, written or renamed.
    #[error("the log could not be cleaned: {0}; {advice}, it will be tried again", advice = .0.advice())]
    File(#[from] FileError),
    /// What had to be read first could not be read.
    #[error("the log could not be cleaned: {0}")]
    Read(#[source] ReadError),
    /// Records could not be encoded again.
    #[error("the log could not be cleaned: {0}")]
    Encode(#[source] RecompressError),
    /// A segment would grow beyond 2 GiB, because its records compress worse than they did.
    #[error(
        "the log could not be cleaned: a segment would have more than 2 GiB; lower segment.bytes of the topic"
    )]
    TooLarge,
    /// The partition is read-only.
    #[error(transparent)]
    Poisoned(#[from] Poisoned),
    /// Retention took a segment away meanwhile.
    #[error("the log changed while it was cleaned; it will be tried again")]
    Overtaken,
    /// The log is being closed or truncated, or the caller said so.
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
    /// Is the log such that another try would end the same way?
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Read(_) | Self::Encode(_) | Self::TooLarge)
    }
}

impl<E: Env> PartitionLog<E> {
    /// What may be cleaned now, and how dirty it is; `None` when nothing may. Whether it should be is for
    /// [`Cleanable::is_due`] to say.
    pub fn cleanable(
        &self,
        last_stable_offset: Offset,
        now_wall_ms: i64,
    ) -> Result<Option<Cleanable>, ReadError> {
        let config = self.config_now();
        if !config.cleanup_policy.compact {
            return Ok(None);
        }
        self.with_view(|view| {
            let facts = self.cleaner_facts(view, &config, last_stable_offset, now_wall_ms);
            let first_batch_ms = |index: usize| first_batch_ms(view, index);
            Ok(range::cleanable(
                &segment_infos(view),
                facts,
                first_batch_ms,
            ))
        })
    }

    /// First offset that was not cleaned, to be written to the cleaner's checkpoint; `None` while the log was never cleaned.
    pub fn cleaner_checkpoint(&self) -> Option<Offset> {
        self.cleaner.checkpoint()
    }

    /// Says that a cleaning may follow. Write the checkpoint before the first one: without it a log whose policy changes before the next
    /// start would have gaps that nobody can explain.
    pub fn prepare_cleaning(&self) {
        if self.cleaner.checkpoint().is_none() {
            self.cleaner.set_checkpoint(self.log_start_offset());
        }
    }

    /// Cleans what may be cleaned; `None` when nothing may. Takes as long as reading and writing the log takes, and ends early, with
    /// everything as it was, when the log is closed or truncated. Appends and reads go on meanwhile, but for the moments at which a
    /// segment is put in its place.
    pub fn clean(&self, cleaning: Cleaning<'_>) -> Result<Option<Cleaned>, CleanError> {
        let _turn = self.cleaner.begin();
        check_going_on(self, cleaning)?;
        let upper = cleaning.last_stable_offset.min(cleaning.checkpointed);
        let found = self.cleanable(upper, cleaning.now_wall_ms)?;
        let Some(cleanable) = found else {
            return Ok(None);
        };
        self.remove_unfinished()?;
        let (config, view) = (self.config_now(), self.view());
        let map = self.map_keys(&view, &cleanable, cleaning)?;
        let end = map.next_offset();
        let cleaned: Vec<_> = view
            .segments
            .list()
            .iter()
            .take_while(|segment| {
                segment.base_offset() < end
                    && segment.base_offset() < cleanable.first_uncleanable_offset
            })
            .map(Arc::clone)
            .collect();
        let task = Task {
            map: &map,
            config: &config,
            cleaning,
        };
        let mut after = Extent::default();
        for group in groups(&measures(&view, cleaned.len()), &config) {
            let left = self.clean_group(&task, &cleaned[group])?;
            after.bytes += left.bytes;
            after.segments += left.segments;
        }
        self.cleaner.set_checkpoint(end);
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

    fn cleaner_facts<'a>(
        &self,
        view: &View<E>,
        config: &'a LogConfig,
        last_stable_offset: Offset,
        now_wall_ms: i64,
    ) -> Facts<'a> {
        let on_disk = if mutants::is_active(Mutant::CleanUnflushed) {
            Offset::MAX
        } else {
            self.recovery_point()
        };
        Facts {
            config,
            now_wall_ms,
            cleaner_checkpoint: self.cleaner.checkpoint(),
            log_start_offset: view.log_start_offset,
            log_end_offset: view.log_end_offset,
            upper: last_stable_offset.min(on_disk),
        }
    }

    /// The last offset of each key of the dirty part, as far as they fit.
    fn map_keys(
        &self,
        view: &View<E>,
        cleanable: &Cleanable,
        cleaning: Cleaning<'_>,
    ) -> Result<OffsetMap, CleanError> {
        let (start, end) = (
            cleanable.first_dirty_offset,
            cleanable.first_uncleanable_offset,
        );
        let mut map = OffsetMap::new(start, cleaning.dedupe_buffer_bytes, (end - start) as u64);
        let aborted = self.aborted_transactions(start, Offset::MAX)?;
        let first = view.segments.floor(start).unwrap_or(0);
        for segment in &view.segments.list()[first..] {
            if segment.base_offset() >= end {
                break;
            }
            let mut chunk = Chunk::new(segment)?;
            let mut position = 0;
            while let Some(batch) = next_batch(segment, &mut chunk, position)? {
                check_going_on(self, cleaning)?;
                let taken = map_batch(&mut map, &batch, start, &aborted)
                    .map_err(|source| segment.corrupt(position, source))?;
                if taken == Taken::InPart {
                    return Ok(map);
                }
                position += batch.bytes().len() as u64;
            }
        }
        map.advance_to(end);
        Ok(map)
    }
}

/// How much of a batch fitted into the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Whole,
    InPart,
}

fn map_batch(
    map: &mut OffsetMap,
    batch: &RecordBatch,
    start: Offset,
    aborted: &[AbortedTransaction],
) -> Result<Taken, headwater_record::BatchError> {
    let header = batch.header();
    if header.last_offset() < start {
        return Ok(Taken::Whole);
    }
    // What was aborted is no newer record of its key.
    if !header.attributes.is_control() && !is_aborted(header, aborted) {
        for record in &batch.records(DecompressLimit::default())? {
            let record = record?;
            if record.offset < start {
                continue;
            }
            if let Some(key) = record.key
                && !map.put(key, record.offset)
            {
                return Ok(Taken::InPart);
            }
        }
    }
    map.advance_to(header.next_offset());
    Ok(Taken::Whole)
}

fn measures<E: Env>(view: &View<E>, count: usize) -> Vec<Measure> {
    let measure = |(index, segment): (usize, &Arc<Segment<E>>)| Measure {
        base_offset: segment.base_offset(),
        end_offset: view.segments.end_offset(index, view.log_end_offset),
        log_bytes: segment.size(),
        offset_index_bytes: segment.offset_index.size_bytes(),
        time_index_bytes: segment.time_index.size_bytes(),
    };
    view.segments.list()[..count]
        .iter()
        .enumerate()
        .map(measure)
        .collect()
}

/// The time of a segment's first batch, where it has one that can be read.
fn first_batch_ms<E: Env>(view: &View<E>, index: usize) -> Option<i64> {
    let segment = &view.segments.list()[index];
    let mut walk = segment.walk(0, view.limit(index)).ok()?;
    let (_, header) = segment.step(&mut walk).ok()??;
    Some(header.max_timestamp_ms)
}

fn check_going_on<E: Env>(log: &PartitionLog<E>, cleaning: Cleaning<'_>) -> Result<(), CleanError> {
    if let Some(poisoned) = log.poisoned() {
        return Err(poisoned.into());
    }
    if log.cleaner.is_to_stop() || (cleaning.is_stopped)() {
        return Err(CleanError::Stopped);
    }
    Ok(())
}
