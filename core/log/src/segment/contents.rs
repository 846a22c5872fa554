//! The bytes of a segment's log file: open, read, map, truncate, sync.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use headwater_env::{Env, File, OpenMode};
use headwater_record::{BatchError, BatchHeader, RecordBatch};

use super::Segment;
use crate::error::{FileError, ReadError};
use crate::file_name::{FileKind, TEMPORARY_SUFFIX};
use crate::mapped::Alive;
use crate::mutants::{self, Mutant};

/// Copying fewer bytes than this is faster than mapping them.
const MAP_BYTES_MIN: usize = 64 << 10;
/// The size of a read when a log file is copied.
const COPY_BYTES: u64 = 1 << 20;

impl<E: Env> Segment<E> {
    /// The open log file.
    pub(crate) fn file(&self) -> Result<Arc<E::File>, FileError> {
        self.file
            .get(&self.env, || self.path(FileKind::Log).into_boxed_path())
            .map_err(|source| self.error("open", FileKind::Log, source))
    }

    /// Replaces the log file by the one that `make` returns, which then has its name.
    pub(super) fn put_file(
        &self,
        make: impl FnOnce() -> io::Result<E::File>,
    ) -> Result<(), FileError> {
        self.file
            .put(make)
            .map_err(|source| self.error("create", FileKind::Log, source))
    }

    /// Records a write to the log file or its truncation.
    pub(crate) fn note_written(&self, _still_open: &E::File) {
        self.file.note_written();
    }

    /// Whether everything written to the log file is on disk. Writes of an earlier process are not known to be.
    pub(crate) fn is_synced(&self) -> bool {
        self.file.is_synced()
    }

    /// Syncs the log file.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        self.file
            .sync(&self.env, || self.path(FileKind::Log).into_boxed_path())
            .map_err(|source| self.error("sync", FileKind::Log, source))
    }

    /// Records that the log file was synced in another way.
    pub(crate) fn note_synced(&self) {
        self.file.note_synced();
    }

    /// Opens the log file if necessary and keeps it open: its name is about to belong to another file.
    pub(crate) fn keep_open(&self) -> Result<(), FileError> {
        self.file()?;
        self.file.keep_open();
        Ok(())
    }

    /// Closes the log file if it was not used since the last call.
    pub(crate) fn close_if_idle(&self) {
        self.file.close_if_idle();
    }

    /// Like [`read_bytes`](Self::read_bytes), but without a copy if that is faster: for many bytes in the system's
    /// cache.
    pub(crate) fn fetch_bytes(&self, position: u64, end: u64) -> Result<Bytes, ReadError> {
        let len = (end - position) as usize;
        let file = self.file()?;
        if len >= MAP_BYTES_MIN && file.is_cached(position, len) {
            let map = |range| file.map(range);
            let mapped = self.maps.read(position..end, || self.size(), map);
            if let Some(bytes) =
                mapped.map_err(|source| self.error("map", FileKind::Log, source))?
            {
                return Ok(bytes);
            }
        }
        self.read_bytes(position, end)
    }

    /// Truncates the log file to `end`. A file with live maps keeps its bytes for them, and a shorter copy replaces it.
    pub(crate) fn cut_file(&self, end: u64) -> Result<(), FileError> {
        self.maps.cut(end, |alive| {
            match alive {
                Alive::No => {
                    let file = self.file()?;
                    let cut = file.set_len(end);
                    self.note_written(&file);
                    cut.map_err(|source| self.error("cut", FileKind::Log, source))?;
                }
                Alive::Yes => self.replace_file(end)?,
            }
            self.set_size(end);
            Ok(())
        })
    }

    /// Syncs a truncation. Otherwise a crash could restore the truncated bytes before the records that are appended
    /// next; recovery would not notice if it checks only a later segment.
    pub(crate) fn sync_cut(&self) -> Result<(), FileError> {
        if mutants::is_active(Mutant::CutUnsynced) {
            return Ok(());
        }
        self.sync()
    }

    /// Replaces the log file by a copy of its first `end` bytes, which is synced before it gets the name.
    fn replace_file(&self, end: u64) -> Result<(), FileError> {
        let path = self.path(FileKind::Log);
        let mut temporary = path.clone().into_os_string();
        temporary.push(TEMPORARY_SUFFIX);
        let temporary = PathBuf::from(temporary);
        let old = self.file()?;
        let replace = || {
            let new = self.env.open_file(&temporary, OpenMode::Create)?;
            new.set_len(0)?;
            let mut position = 0;
            while position < end {
                let part = (end - position).min(COPY_BYTES) as usize;
                let bytes = old.read_bytes(position, part)?;
                if bytes.is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                new.write_all_at(&bytes, position)?;
                position += bytes.len() as u64;
            }
            new.sync_data()?;
            self.env.rename(&temporary, &path)?;
            self.env.sync_dir(&self.dir)?;
            Ok(new)
        };
        let new = replace().map_err(|source| self.error("replace", FileKind::Log, source))?;
        self.put_file(|| Ok(new))?;
        self.note_synced();
        Ok(())
    }

    /// Reads exactly the bytes `position..end`.
    pub(crate) fn read_bytes(&self, position: u64, end: u64) -> Result<Bytes, ReadError> {
        let needed = (end - position) as usize;
        let bytes = self
            .file()?
            .read_bytes(position, needed)
            .map_err(|source| self.error("read", FileKind::Log, source))?;
        let available = bytes.len();
        if available < needed {
            return Err(self.corrupt(position, BatchError::Truncated { needed, available }));
        }
        Ok(bytes)
    }

    /// Reads a whole batch whose header is known, and checks its CRC.
    pub(crate) fn read_batch(
        &self,
        position: u64,
        header: &BatchHeader,
    ) -> Result<RecordBatch, ReadError> {
        let bytes = self.read_bytes(position, position + header.size_in_bytes() as u64)?;
        RecordBatch::parse(bytes)
            .and_then(|batch| batch.verify_crc().map(|()| batch))
            .map_err(|source| self.corrupt(position, source))
    }
}
