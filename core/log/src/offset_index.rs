//! `.index`: maps an offset to a nearby position in the log file.
//!
//! ```text
//!   file  = entry*                      ascending
//!   entry = relative_offset u32 BE      last offset of a batch, minus the base offset of the segment
//!           position        u32 BE      position of that batch
//! ```
//! There is about one entry for every `index.interval.bytes` of log, so a lookup finds a batch at or before the
//! requested one.

use std::io;
use std::path::Path;

use headwater_env::Env;
use headwater_record::Offset;

use crate::index_file::{IndexEntry, IndexFile, SyncTime};

/// One entry on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    relative_offset: u32,
    position: u32,
}

impl IndexEntry for Entry {
    const LEN: usize = 8;

    fn decode(bytes: &[u8]) -> Self {
        let word = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        Self {
            relative_offset: word(0),
            position: word(4),
        }
    }

    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.relative_offset.to_be_bytes());
        out.extend_from_slice(&self.position.to_be_bytes());
    }
}

/// The entry of a batch: its last offset and its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffsetPosition {
    pub(crate) last_offset: Offset,
    pub(crate) position: u64,
}

/// The offset index of one segment.
#[derive(Debug)]
pub(crate) struct OffsetIndex {
    base_offset: Offset,
    file: IndexFile<Entry>,
}

impl OffsetIndex {
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

    /// Whether `entries` more entries fit within `segment.index.bytes`.
    pub(crate) fn has_room(&self, entries: usize, max_bytes: u32) -> bool {
        self.file.len() + entries <= max_bytes as usize / Entry::LEN
    }

    /// The last indexed batch that ends at or before `offset`.
    pub(crate) fn floor<E: Env>(
        &self,
        env: &E,
        path: &Path,
        offset: Offset,
    ) -> io::Result<Option<OffsetPosition>> {
        let relative = offset - self.base_offset;
        let entry = self.file.floor(env, path, |entry| {
            i64::from(entry.relative_offset) <= relative
        })?;
        Ok(entry.map(|entry| self.absolute(entry)))
    }

    /// The last indexed batch.
    pub(crate) fn last<E: Env>(&self, env: &E, path: &Path) -> io::Result<Option<OffsetPosition>> {
        Ok(self.file.last(env, path)?.map(|entry| self.absolute(entry)))
    }

    /// All indexed batches.
    pub(crate) fn entries<E: Env>(&self, env: &E, path: &Path) -> io::Result<Vec<OffsetPosition>> {
        let entries = self.file.entries(env, path)?;
        Ok(entries
            .into_iter()
            .map(|entry| self.absolute(entry))
            .collect())
    }

    /// Loads the entries, so that [`push`](Self::push) can add to them.
    pub(crate) fn load<E: Env>(&self, env: &E, path: &Path) -> io::Result<()> {
        self.file.load(env, path)
    }

    /// Adds a batch that follows all others.
    pub(crate) fn push(&self, batch: OffsetPosition) {
        self.file.push(self.relative(batch));
    }

    /// Replaces all entries.
    pub(crate) fn replace(&self, batches: &[OffsetPosition]) {
        let entries = batches.iter().map(|batch| self.relative(*batch)).collect();
        self.file.replace(entries);
    }

    /// Keeps the batches that end before `offset`.
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

    fn absolute(&self, entry: Entry) -> OffsetPosition {
        OffsetPosition {
            last_offset: self.base_offset + i64::from(entry.relative_offset),
            position: u64::from(entry.position),
        }
    }

    fn relative(&self, batch: OffsetPosition) -> Entry {
        let relative = batch.last_offset - self.base_offset;
        assert!(
            (0..=i64::from(i32::MAX)).contains(&relative),
            "a segment rolls before its offsets are {relative} past its base"
        );
        assert!(
            u32::try_from(batch.position).is_ok(),
            "a segment rolls before its position reaches {}",
            batch.position
        );
        Entry {
            relative_offset: relative as u32,
            position: batch.position as u32,
        }
    }
}
