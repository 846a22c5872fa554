//! One segment: a log file and its indexes.

mod indexes;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use headwater_env::Env;
use headwater_record::{BatchError, BatchHeader, Offset, RecordBatch};
use parking_lot::Mutex;

use crate::error::{FileError, ReadError};
use crate::file_name::{FileKind, Suffix};
use crate::header_walk::{HeaderWalk, WalkError};
use crate::offset_index::OffsetIndex;
use crate::segment_file::SegmentFile;
use crate::segment_paths::SegmentPaths;
use crate::time_index::{TimeIndex, TimestampOffset};
use crate::transaction_index::TransactionIndex;

/// The greatest timestamp of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Largest {
    /// It was not computed yet.
    Unknown,
    /// `None`: no record has a timestamp.
    Known(Option<TimestampOffset>),
}

/// Whether a segment may grow. Readers of an active segment must not rely on its last index entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It may grow; its time index may lack the newest batches.
    Active,
    /// It never grows again; its time index ends with its greatest timestamp.
    Sealed,
}

/// The records from `base_offset` to the base offset of the next segment.
///
/// Any number of threads may read; only the holder of the partition's append lock may append or truncate. Readers pass
/// the `limit` of their view and ignore all bytes after it.
#[derive(Debug)]
pub(crate) struct Segment<E: Env> {
    file: SegmentFile<E>,
    modified_ms: AtomicI64,
    largest: Mutex<Largest>,
    offset_index: OffsetIndex,
    time_index: TimeIndex,
    transaction_index: TransactionIndex,
}

/// The lengths of a segment's files.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FileLengths {
    pub(crate) log: u64,
    pub(crate) offset_index: u64,
    pub(crate) time_index: u64,
    pub(crate) transaction_index: u64,
}

impl<E: Env> Segment<E> {
    /// Creates the files of an empty segment. Existing files of that name are emptied.
    pub(crate) fn create(env: E, dir: Arc<Path>, base_offset: Offset) -> Result<Self, FileError> {
        Self::create_as(env, dir, base_offset, Suffix::None)
    }

    /// Like [`create`](Self::create), with this suffix.
    pub(crate) fn create_as(
        env: E,
        dir: Arc<Path>,
        base_offset: Offset,
        suffix: Suffix,
    ) -> Result<Self, FileError> {
        let now_ms = env.wall_clock_ms();
        let paths = SegmentPaths::new(dir, base_offset, suffix);
        let file = SegmentFile::create(env, paths)?;
        Ok(Self {
            offset_index: OffsetIndex::empty(base_offset),
            time_index: TimeIndex::empty(base_offset),
            transaction_index: TransactionIndex::empty(),
            largest: Mutex::new(Largest::Known(None)),
            ..Self::of(file, FileLengths::default(), now_ms)
        })
    }

    /// A segment with files of these lengths. Opens none of them.
    pub(crate) fn existing(
        env: E,
        dir: Arc<Path>,
        base_offset: Offset,
        lengths: FileLengths,
        modified_ms: i64,
    ) -> Self {
        let paths = SegmentPaths::new(dir, base_offset, Suffix::None);
        let file = SegmentFile::existing(env, paths, lengths.log);
        Self::of(file, lengths, modified_ms)
    }

    fn of(file: SegmentFile<E>, lengths: FileLengths, modified_ms: i64) -> Self {
        let base_offset = file.paths().base_offset();
        Self {
            file,
            modified_ms: AtomicI64::new(modified_ms),
            largest: Mutex::new(Largest::Unknown),
            offset_index: OffsetIndex::on_disk(base_offset, lengths.offset_index),
            time_index: TimeIndex::on_disk(base_offset, lengths.time_index),
            transaction_index: TransactionIndex::on_disk(lengths.transaction_index),
        }
    }

    pub(crate) fn env(&self) -> &E {
        self.file.env()
    }

    /// The log file.
    pub(crate) fn file(&self) -> &SegmentFile<E> {
        &self.file
    }

    /// The lowest offset that it may contain; its name.
    pub(crate) fn base_offset(&self) -> Offset {
        self.file.paths().base_offset()
    }

    /// The size of its whole batches in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.file.size()
    }

    /// The last change of its log file, wall clock.
    pub(crate) fn modified_ms(&self) -> i64 {
        self.modified_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn set_modified_ms(&self, now_ms: i64) {
        self.modified_ms.store(now_ms, Ordering::Relaxed);
    }

    /// The current path of one of its files.
    pub(crate) fn path(&self, kind: FileKind) -> PathBuf {
        self.file.paths().path(kind)
    }

    /// Records that its files were renamed to this suffix.
    pub(crate) fn set_suffix(&self, suffix: Suffix) {
        self.file.paths().set_suffix(suffix);
    }

    /// The error of an action on one of its files.
    pub(crate) fn error(
        &self,
        action: &'static str,
        kind: FileKind,
        source: std::io::Error,
    ) -> FileError {
        self.file.paths().error(action, kind, source)
    }

    /// The error of a damaged batch.
    pub(crate) fn corrupt(&self, position: u64, source: BatchError) -> ReadError {
        self.file.corrupt(position, source)
    }

    /// Reads a whole batch whose header is known, and checks its CRC.
    pub(crate) fn read_batch(
        &self,
        position: u64,
        header: &BatchHeader,
    ) -> Result<RecordBatch, ReadError> {
        let end = position + header.size_in_bytes() as u64;
        RecordBatch::parse(self.file.read(position, end)?)
            .and_then(|batch| batch.verify_crc().map(|()| batch))
            .map_err(|source| self.corrupt(position, source))
    }

    /// The first batch that ends at or after `target`, and its position.
    pub(crate) fn locate(
        &self,
        target: Offset,
        limit: u64,
    ) -> Result<Option<(u64, BatchHeader)>, ReadError> {
        let mut walk = self.walk_to(target, limit)?;
        while let Some((position, header)) = self.step(&mut walk)? {
            if header.last_offset() >= target {
                return Ok(Some((position, header)));
            }
        }
        Ok(None)
    }

    /// A walk from a batch at or before the one that contains `target`.
    pub(crate) fn walk_to(
        &self,
        target: Offset,
        limit: u64,
    ) -> Result<HeaderWalk<E::File>, ReadError> {
        let file = self.file.open()?;
        match self.batch_before(target) {
            Ok(None) => {}
            Ok(Some(entry)) => {
                let mut walk = HeaderWalk::new(Arc::clone(&file), entry.position, limit);
                if matches!(walk.next(), Ok(Some((_, header))) if header.last_offset() == entry.last_offset)
                {
                    walk.rewind(entry.position, self.base_offset());
                    return Ok(walk);
                }
                tracing::warn!(path = %self.path(FileKind::OffsetIndex).display(), ?entry, "an index entry does not point to a batch; searching the segment from its start");
            }
            Err(error) => {
                tracing::warn!(%error, "an index cannot be read; searching the segment from its start");
            }
        }
        Ok(HeaderWalk::new(file, 0, limit).with_next_offset(self.base_offset()))
    }

    /// A walk from `position`, which must be a batch boundary.
    pub(crate) fn walk(&self, position: u64, limit: u64) -> Result<HeaderWalk<E::File>, ReadError> {
        Ok(
            HeaderWalk::new(self.file.open()?, position, limit)
                .with_next_offset(self.base_offset()),
        )
    }

    /// One step of a walk through this segment.
    pub(crate) fn step(
        &self,
        walk: &mut HeaderWalk<E::File>,
    ) -> Result<Option<(u64, BatchHeader)>, ReadError> {
        walk.next().map_err(|error| match error {
            WalkError::Io(source) => self.error("read", FileKind::Log, source).into(),
            WalkError::NoBatch { position, source } => self.corrupt(position, source),
        })
    }

    /// The greatest timestamp, and the last offset of the first batch that has it.
    pub(crate) fn largest_timestamp(
        &self,
        phase: Phase,
    ) -> Result<Option<TimestampOffset>, ReadError> {
        if let Largest::Known(known) = *self.largest.lock() {
            return Ok(known);
        }
        let found = self.find_largest_timestamp(phase)?;
        // A concurrent append may have set a newer value; it has computed this one first.
        let mut largest = self.largest.lock();
        if let Largest::Known(known) = *largest {
            return Ok(known);
        }
        *largest = Largest::Known(found);
        Ok(found)
    }

    fn find_largest_timestamp(&self, phase: Phase) -> Result<Option<TimestampOffset>, ReadError> {
        let limit = self.size();
        let last = self.last_indexed_time().unwrap_or_else(|error| {
            tracing::warn!(%error, "an index cannot be read; searching the segment from its start");
            None
        });
        let last = match last {
            Some(entry) if self.has_timestamp(entry, limit)? => Some(entry),
            _ => None,
        };
        if phase == Phase::Sealed && last.is_some() {
            return Ok(last);
        }
        let mut largest = last;
        let start = last.map_or(self.base_offset(), |entry| entry.last_offset);
        let Some((position, _)) = self.locate(start, limit)? else {
            return Ok(largest);
        };
        let mut walk = self.walk(position, limit)?;
        while let Some((_, header)) = self.step(&mut walk)? {
            newer_of(&mut largest, &header);
        }
        Ok(largest)
    }

    /// Whether the entry is correct: the batch that ends at its offset has its timestamp.
    pub(crate) fn has_timestamp(
        &self,
        entry: TimestampOffset,
        limit: u64,
    ) -> Result<bool, ReadError> {
        let batch = self.locate(entry.last_offset, limit)?;
        Ok(batch.is_some_and(|(_, header)| {
            header.last_offset() == entry.last_offset
                && header.max_timestamp_ms == entry.timestamp_ms
        }))
    }

    /// Sets the result of [`largest_timestamp`](Self::largest_timestamp).
    pub(crate) fn set_largest_timestamp(&self, largest: Largest) {
        *self.largest.lock() = largest;
    }
}

/// Updates the greatest timestamp so far with a batch.
pub(crate) fn newer_of(largest: &mut Option<TimestampOffset>, header: &BatchHeader) {
    // The timestamp of records without one is -1.
    if header.max_timestamp_ms >= 0
        && largest.is_none_or(|largest| header.max_timestamp_ms > largest.timestamp_ms)
    {
        *largest = Some(TimestampOffset {
            timestamp_ms: header.max_timestamp_ms,
            last_offset: header.last_offset(),
        });
    }
}
