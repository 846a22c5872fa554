//! `.timeindex`: maps a timestamp to a nearby offset.
//!
//! ```text
//!   file  = entry*                      timestamps and offsets ascending
//!   entry = timestamp       i64 BE      the greatest timestamp of the segment up to that batch
//!           relative_offset u32 BE      last offset of the batch that has it, minus the base offset of the segment
//! ```
//! An entry means: every record with a greater timestamp has a greater offset. The last entry of a sealed segment has
//! its greatest timestamp.

use std::io;
use std::path::Path;

use headwater_env::Env;
use headwater_record::Offset;

use crate::index_file::{IndexEntry, IndexFile, SyncTime};

/// One entry on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    timestamp_ms: i64,
    relative_offset: u32,
}

impl IndexEntry for Entry {
    const LEN: usize = 12;

    fn decode(bytes: &[u8]) -> Self {
        let mut timestamp = [0; 8];
        let mut offset = [0; 4];
        timestamp.copy_from_slice(&bytes[..8]);
        offset.copy_from_slice(&bytes[8..12]);
        Self {
            timestamp_ms: i64::from_be_bytes(timestamp),
            relative_offset: u32::from_be_bytes(offset),
        }
    }

    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.timestamp_ms.to_be_bytes());
        out.extend_from_slice(&self.relative_offset.to_be_bytes());
    }
}

/// A timestamp, and the last offset of the first batch that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimestampOffset {
    pub(crate) timestamp_ms: i64,
    pub(crate) last_offset: Offset,
}

/// The time index of one segment.
#[derive(Debug)]
pub(crate) struct TimeIndex {
    base_offset: Offset,
    file: IndexFile<Entry>,
}

impl TimeIndex {
    /// An index without entries.
    pub(crate) fn empty(base_offset: Offset) -> Self {
        Self {
            base_offset,
            file: IndexFile::empty(),
        }
    }

    /// The index in a file of `len` bytes.
    pub(crate) fn on_disk(base_offset: Offset, len: u64) -> Self {
        Self {
            base_offset,
            file: IndexFile::on_disk(len),
        }
    }

    /// The size of its entries on disk.
    pub(crate) fn size_bytes(&self) -> u64 {
        (self.file.len() * Entry::LEN) as u64
    }

    /// Whether `entries` more entries fit within `segment.index.bytes`. One more is kept free for sealing.
    pub(crate) fn has_room(&self, entries: usize, max_bytes: u32) -> bool {
        self.file.len() + entries < max_bytes as usize / Entry::LEN
    }

    /// The last entry with a timestamp less than `timestamp_ms`. All records up to its offset are older than
    /// `timestamp_ms`.
    pub(crate) fn floor<E: Env>(
        &self,
        env: &E,
        path: &Path,
        timestamp_ms: i64,
    ) -> io::Result<Option<TimestampOffset>> {
        let entry = self
            .file
            .floor(env, path, |entry| entry.timestamp_ms < timestamp_ms)?;
        Ok(entry.map(|entry| self.absolute(entry)))
    }

    /// The last entry.
    pub(crate) fn last<E: Env>(&self, env: &E, path: &Path) -> io::Result<Option<TimestampOffset>> {
        Ok(self.file.last(env, path)?.map(|entry| self.absolute(entry)))
    }

    /// All entries.
    pub(crate) fn entries<E: Env>(&self, env: &E, path: &Path) -> io::Result<Vec<TimestampOffset>> {
        let entries = self.file.entries(env, path)?;
        Ok(entries
            .into_iter()
            .map(|entry| self.absolute(entry))
            .collect())
    }

    /// Loads the entries, so that [`push_if_newer`](Self::push_if_newer) can add to them.
    pub(crate) fn load<E: Env>(&self, env: &E, path: &Path) -> io::Result<()> {
        self.file.load(env, path)
    }

    /// Adds an entry if it is newer than the last, which the caller passes. The index must be in memory.
    pub(crate) fn push_if_newer(
        &self,
        last: Option<TimestampOffset>,
        entry: TimestampOffset,
    ) -> bool {
        let newer = last.is_none_or(|last| {
            entry.timestamp_ms > last.timestamp_ms && entry.last_offset > last.last_offset
        });
        if newer {
            self.file.push(self.relative(entry));
        }
        newer
    }

    /// Replaces all entries.
    pub(crate) fn replace(&self, entries: &[TimestampOffset]) {
        let entries = entries.iter().map(|entry| self.relative(*entry)).collect();
        self.file.replace(entries);
    }

    /// Keeps the entries before `offset`.
    pub(crate) fn truncate_to<E: Env>(
        &self,
        env: &E,
        path: &Path,
        offset: Offset,
    ) -> io::Result<()> {
        let mut entries = self.file.entries(env, path)?;
        let relative = offset - self.base_offset;
        entries
            .truncate(entries.partition_point(|entry| i64::from(entry.relative_offset) < relative));
        self.file.replace(entries);
        Ok(())
    }

    /// Writes the entries that the file does not have, and syncs the file now or leaves that to the caller.
    pub(crate) fn save<E: Env>(&self, env: &E, path: &Path, sync: SyncTime) -> io::Result<()> {
        self.file.save(env, path, sync)
    }

    /// Frees the memory if the file has all entries.
    pub(crate) fn release(&self) {
        self.file.release();
    }

    fn absolute(&self, entry: Entry) -> TimestampOffset {
        TimestampOffset {
            timestamp_ms: entry.timestamp_ms,
            last_offset: self.base_offset + i64::from(entry.relative_offset),
        }
    }

    fn relative(&self, entry: TimestampOffset) -> Entry {
        let relative = entry.last_offset - self.base_offset;
        assert!(
            (0..=i64::from(i32::MAX)).contains(&relative),
            "a segment rolls before its offsets are {relative} past its base"
        );
        Entry {
            timestamp_ms: entry.timestamp_ms,
            relative_offset: relative as u32,
        }
    }
}
