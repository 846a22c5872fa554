//! The indexes of a segment.

use std::io;
use std::path::Path;

use headwater_env::Env;
use headwater_record::Offset;

use super::Segment;
use crate::error::FileError;
use crate::file_name::FileKind;
use crate::index_file::SyncTime;
use crate::offset_index::OffsetPosition;
use crate::time_index::TimestampOffset;
use crate::transaction_index::AbortedTransaction;

/// Reads.
impl<E: Env> Segment<E> {
    /// The last indexed batch that ends at or before `offset`.
    pub(super) fn batch_before(&self, offset: Offset) -> Result<Option<OffsetPosition>, FileError> {
        self.on_index("read", FileKind::OffsetIndex, |env, path| {
            self.offset_index.floor(env, path, offset)
        })
    }

    /// The last indexed batch.
    pub(crate) fn last_indexed_batch(&self) -> Result<Option<OffsetPosition>, FileError> {
        self.on_index("read", FileKind::OffsetIndex, |env, path| {
            self.offset_index.last(env, path)
        })
    }

    /// All entries of the offset index.
    pub(crate) fn indexed_batches(&self) -> Result<Vec<OffsetPosition>, FileError> {
        self.on_index("read", FileKind::OffsetIndex, |env, path| {
            self.offset_index.entries(env, path)
        })
    }

    /// The last entry of the time index with a timestamp less than `timestamp_ms`. All records up to its offset are
    /// older.
    pub(crate) fn time_before(
        &self,
        timestamp_ms: i64,
    ) -> Result<Option<TimestampOffset>, FileError> {
        self.on_index("read", FileKind::TimeIndex, |env, path| {
            self.time_index.floor(env, path, timestamp_ms)
        })
    }

    /// The last entry of the time index.
    pub(crate) fn last_indexed_time(&self) -> Result<Option<TimestampOffset>, FileError> {
        self.on_index("read", FileKind::TimeIndex, |env, path| {
            self.time_index.last(env, path)
        })
    }

    /// All entries of the time index.
    pub(crate) fn indexed_times(&self) -> Result<Vec<TimestampOffset>, FileError> {
        self.on_index("read", FileKind::TimeIndex, |env, path| {
            self.time_index.entries(env, path)
        })
    }

    /// The transactions whose abort marker is in the segment.
    pub(crate) fn aborted_transactions(&self) -> Result<Vec<AbortedTransaction>, FileError> {
        self.on_index("read", FileKind::TransactionIndex, |env, path| {
            self.transaction_index.entries(env, path)
        })
    }

    /// Adds those of its aborted transactions that overlap `from..upper`. Returns whether later segments have no more.
    pub(crate) fn collect_aborted(
        &self,
        from: Offset,
        upper: Offset,
        aborted: &mut Vec<AbortedTransaction>,
    ) -> Result<bool, FileError> {
        self.on_index("read", FileKind::TransactionIndex, |env, path| {
            self.transaction_index
                .collect(env, path, from, upper, aborted)
        })
    }

    /// The sizes of the offset index and the time index in bytes.
    pub(crate) fn index_sizes(&self) -> (u64, u64) {
        (self.offset_index.size_bytes(), self.time_index.size_bytes())
    }

    /// Whether the offset index and the time index may take this number of entries each.
    pub(crate) fn has_index_space(&self, entries: usize, max_bytes: u32) -> bool {
        self.offset_index.has_room(entries, max_bytes)
            && self.time_index.has_room(entries, max_bytes)
    }

    /// Uses the file of an index. An error names the action and the file.
    fn on_index<T>(
        &self,
        action: &'static str,
        kind: FileKind,
        operation: impl FnOnce(&E, &Path) -> io::Result<T>,
    ) -> Result<T, FileError> {
        let result = operation(self.env(), &self.path(kind));
        result.map_err(|source| self.error(action, kind, source))
    }
}

/// Changes.
impl<E: Env> Segment<E> {
    /// Adds a batch to the offset index.
    pub(crate) fn index_batch(&self, batch: OffsetPosition) {
        self.offset_index.push(batch);
    }

    /// Adds an entry to the time index if it is newer than `last`. Returns whether it did.
    pub(crate) fn index_time(&self, last: Option<TimestampOffset>, entry: TimestampOffset) -> bool {
        self.time_index.push_if_newer(last, entry)
    }

    /// Adds an aborted transaction to its index.
    pub(crate) fn index_aborted(&self, aborted: AbortedTransaction) {
        self.transaction_index.push(aborted);
    }

    /// Replaces all entries of the offset index and the time index.
    pub(crate) fn replace_indexes(&self, batches: &[OffsetPosition], times: &[TimestampOffset]) {
        self.offset_index.replace(batches);
        self.time_index.replace(times);
    }

    /// Replaces all entries of the transaction index.
    pub(crate) fn replace_aborted(&self, aborted: Vec<AbortedTransaction>) {
        self.transaction_index.replace(aborted);
    }

    /// Removes the entries of records from `offset` on.
    pub(crate) fn truncate_indexes(&self, offset: Offset) -> Result<(), FileError> {
        self.on_index("cut", FileKind::OffsetIndex, |env, path| {
            self.offset_index.truncate_to(env, path, offset)
        })?;
        self.on_index("cut", FileKind::TimeIndex, |env, path| {
            self.time_index.truncate_to(env, path, offset)
        })?;
        self.on_index("cut", FileKind::TransactionIndex, |env, path| {
            self.transaction_index.truncate_to(env, path, offset)
        })
    }

    /// Writes the indexes, and syncs them now or leaves that to the caller.
    pub(crate) fn save_indexes(&self, sync: SyncTime) -> Result<(), FileError> {
        self.on_index("write", FileKind::OffsetIndex, |env, path| {
            self.offset_index.save(env, path, sync)
        })?;
        self.on_index("write", FileKind::TimeIndex, |env, path| {
            self.time_index.save(env, path, sync)
        })?;
        self.on_index("write", FileKind::TransactionIndex, |env, path| {
            self.transaction_index.save(env, path, sync)
        })
    }

    /// Frees the memory of indexes that are on disk.
    pub(crate) fn release_indexes(&self) {
        self.offset_index.release();
        self.time_index.release();
        self.transaction_index.release();
    }

    /// Loads the indexes into memory, so that they can grow.
    pub(crate) fn load_indexes(&self) -> Result<(), FileError> {
        self.on_index("read", FileKind::OffsetIndex, |env, path| {
            self.offset_index.load(env, path)
        })?;
        self.on_index("read", FileKind::TimeIndex, |env, path| {
            self.time_index.load(env, path)
        })?;
        self.on_index("read", FileKind::TransactionIndex, |env, path| {
            self.transaction_index.load(env, path)
        })
    }
}
