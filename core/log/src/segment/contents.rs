//! The log file of a segment and its bytes: opened, read, mapped, cut, synced.

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

/// Fewer bytes than this are copied in less time than a map takes.
const MAP_BYTES_MIN: usize = 64 << 10;
/// Bytes of a log file that are copied at once.
const COPY_BYTES: u64 = 1 << 20;

impl<E: Env> Segment<E> {
    /// The open log file.
    pub(crate) fn file(&self) -> Result<Arc<E::File>, FileError> {
        self.file
            .get(&self.env, || self.path(FileKind::Log).into_boxed_path())
            .map_err(|source| self.error("open", FileKind::Log, source))
    }

    /// Puts in the place of the log file one that `make` makes, which then has its name.
    pub(super) fn put_file(
        &self,
        make: impl FnOnce() -> io::Result<E::File>,
    ) -> Result<(), FileError> {
        self.file
            .put(make)
            .map_err(|source| self.error("create", FileKind::Log, source))
    }

    /// Something was written through the log file, or cut off it.
    pub(crate) fn note_written(&self, _still_open: &E::File) {
        self.file.note_written();
    }

    /// Whether all that was written to the log file is on the disk; what an earlier process wrote is not known to be.
    pub(crate) fn is_synced(&self) -> bool {
        self.file.is_synced()
    }

    /// Puts the log file on the disk.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        self.file
            .sync(&self.env, || self.path(FileKind::Log).into_boxed_path())
            .map_err(|source| self.error("sync", FileKind::Log, source))
    }

    /// The log file was put on the disk in another way.
    pub(crate) fn note_synced(&self) {
        self.file.note_synced();
    }

    /// Opens the log file if need be and keeps it open from now on: its name is about to mean another file.
    pub(crate) fn keep_open(&self) -> Result<(), FileError> {
        self.file()?;
        self.file.keep_open();
        Ok(())
    }

    /// Closes the log file if nobody has used it since the last call.
    pub(crate) fn close_if_idle(&self) {
        self.file.close_if_idle();
    }

    /// As [`read_bytes`](Self::read_bytes), and without copying where that pays: many bytes that are in the system's cache.
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

    /// Ends the log file at `end`. A file of which maps are alive keeps its bytes for them, and a shorter one takes its name.
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

    /// Puts a cut on the disk: what was cut must not be found behind what is appended next, which may be in another segment that alone is
    /// checked after a crash.
    pub(crate) fn sync_cut(&self) -> Result<(), FileError> {
        if mutants::is_active(Mutant::CutUnsynced) {
            return Ok(());
        }
        self.sync()
    }

    /// Puts a file of the first `end` bytes in the place of the log file. It is on disk before it is there under that name.
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

    /// Exactly the bytes of `position..end`.
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

    /// A whole batch whose header is known, its CRC checked.
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
