//! The log file of a segment: written, read, mapped, cut and synced.

mod map_policy;
mod maps;

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use headwater_env::{Env, File, OpenMode};
use headwater_record::BatchError;

use crate::error::{FileError, ReadError};
use crate::file_name::{FileKind, TEMPORARY_SUFFIX};
use crate::mutants::{self, Mutant};
use crate::pooled_file::PooledFile;
use crate::segment_paths::SegmentPaths;
use maps::{LiveMaps, Maps};

/// The size of a read when a log file is copied.
const COPY_BYTES: u64 = 1 << 20;

/// A log file. Its size is the end of its whole batches; the bytes after it are not read.
///
/// Any number of threads may read. Only the holder of the partition's append lock may write or cut. Mapped bytes are
/// whole batches, and they are never changed or truncated while a map is alive.
#[derive(Debug)]
pub(crate) struct SegmentFile<E: Env> {
    env: E,
    paths: SegmentPaths,
    file: PooledFile<E::File>,
    maps: Maps,
    size: AtomicU64,
}

impl<E: Env> SegmentFile<E> {
    /// Creates an empty file. An existing file of that name is emptied.
    pub(crate) fn create(env: E, paths: SegmentPaths) -> Result<Self, FileError> {
        let file = Self::existing(env, paths, 0);
        file.put(|| create_empty(&file.env, &file.path()))?;
        Ok(file)
    }

    /// A file of this length. Does not open it.
    pub(crate) fn existing(env: E, paths: SegmentPaths, len: u64) -> Self {
        Self {
            env,
            paths,
            file: PooledFile::closed(),
            maps: Maps::default(),
            size: AtomicU64::new(len),
        }
    }

    pub(crate) fn env(&self) -> &E {
        &self.env
    }

    /// The paths of all files of its segment.
    pub(crate) fn paths(&self) -> &SegmentPaths {
        &self.paths
    }

    /// The end of its whole batches.
    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// Sets the end of its whole batches.
    pub(crate) fn set_size(&self, size: u64) {
        self.size.store(size, Ordering::Release);
    }

    /// Opens the file if necessary. It stays open at least as long as the result lives.
    pub(crate) fn open(&self) -> Result<Arc<E::File>, FileError> {
        self.file
            .get(&self.env, || self.path().into_boxed_path())
            .map_err(|source| self.error("open", source))
    }

    /// Opens the file if necessary and keeps it open: its name is about to belong to another file.
    pub(crate) fn keep_open(&self) -> Result<(), FileError> {
        self.open()?;
        self.file.keep_open();
        Ok(())
    }

    /// Closes the file and releases the maps that were not used since the last call.
    pub(crate) fn release_idle(&self, idle: IdleParts) {
        if idle == IdleParts::FileAndMaps {
            self.file.close_if_idle();
        }
        self.maps.release_if_idle();
    }

    /// Reads exactly the bytes `position..end`.
    pub(crate) fn read(&self, position: u64, end: u64) -> Result<Bytes, ReadError> {
        let needed = (end - position) as usize;
        let bytes = self.read_up_to(position, needed)?;
        let available = bytes.len();
        if available < needed {
            return Err(self.corrupt(position, BatchError::Truncated { needed, available }));
        }
        Ok(bytes)
    }

    /// Reads `len` bytes from `position`, or fewer at the end of the file.
    pub(crate) fn read_up_to(&self, position: u64, len: usize) -> Result<Bytes, FileError> {
        self.open()?
            .read_bytes(position, len)
            .map_err(|source| self.error("read", source))
    }

    /// Like [`read`](Self::read), but without a copy if that is faster: for many bytes in the system's cache.
    pub(crate) fn map(&self, position: u64, end: u64) -> Result<Bytes, ReadError> {
        let len = (end - position) as usize;
        let file = self.open()?;
        if map_policy::is_large_enough(len) && file.is_cached(position, len) {
            let map = |range| file.map(range);
            let mapped = self.maps.read(&(position..end), || self.size(), map);
            if let Some(bytes) = mapped.map_err(|source| self.error("map", source))? {
                return Ok(bytes);
            }
        }
        self.read(position, end)
    }

    /// Writes bytes at `position`, which is not before the end of its batches, to the open file. They belong to the
    /// segment after [`set_size`](Self::set_size).
    pub(crate) fn write(
        &self,
        file: &E::File,
        parts: &[IoSlice<'_>],
        position: u64,
    ) -> io::Result<()> {
        let written = file.write_vectored_at(parts, position);
        self.file.note_written();
        written
    }

    /// Truncates the bytes after its batches. No map contains these bytes.
    pub(crate) fn cut_tail(&self) -> Result<(), FileError> {
        self.shorten(self.size())
    }

    /// Truncates the file to `end`. A file with live maps keeps its bytes for them, and a shorter copy replaces it.
    pub(crate) fn cut(&self, end: u64) -> Result<(), FileError> {
        self.maps.cut(end, |live| {
            match live {
                LiveMaps::None => self.shorten(end)?,
                LiveMaps::Some => self.replace(end)?,
            }
            self.set_size(end);
            Ok(())
        })
    }

    /// Syncs a cut. Otherwise a crash could restore the truncated bytes before the records that are appended next;
    /// recovery would not notice if it checks only a later segment.
    pub(crate) fn sync_cut(&self) -> Result<(), FileError> {
        if mutants::is_active(Mutant::CutUnsynced) {
            return Ok(());
        }
        self.sync()
    }

    /// Whether everything written is on disk. Writes of an earlier process are not known to be.
    pub(crate) fn is_synced(&self) -> bool {
        self.file.is_synced()
    }

    /// Syncs everything written.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        self.file
            .sync(&self.env, || self.path().into_boxed_path())
            .map_err(|source| self.error("sync", source))
    }

    /// Records that the file was synced in another way.
    pub(crate) fn note_synced(&self) {
        self.file.note_synced();
    }

    /// The error of an action on this file.
    pub(crate) fn error(&self, action: &'static str, source: io::Error) -> FileError {
        self.paths.error(action, FileKind::Log, source)
    }

    /// The error of a damaged batch.
    pub(crate) fn corrupt(&self, position: u64, source: BatchError) -> ReadError {
        ReadError::Corrupt {
            path: self.path(),
            position,
            source,
        }
    }

    fn path(&self) -> PathBuf {
        self.paths.path(FileKind::Log)
    }

    fn shorten(&self, end: u64) -> Result<(), FileError> {
        let file = self.open()?;
        let cut = file.set_len(end);
        self.file.note_written();
        cut.map_err(|source| self.error("cut", source))
    }

    /// Replaces the file by a copy of its first `end` bytes, which is synced before it gets the name.
    fn replace(&self, end: u64) -> Result<(), FileError> {
        let path = self.path();
        let mut temporary = path.clone().into_os_string();
        temporary.push(TEMPORARY_SUFFIX);
        let temporary = PathBuf::from(temporary);
        let old = self.open()?;
        let replace = || {
            let new = self.env.open_file(&temporary, OpenMode::Create)?;
            copy_start(&*old, &new, end)?;
            new.sync_data()?;
            self.env.rename(&temporary, &path)?;
            self.env.sync_dir(self.paths.dir())?;
            Ok(new)
        };
        let new = replace().map_err(|source| self.error("replace", source))?;
        self.put(|| Ok(new))?;
        self.note_synced();
        Ok(())
    }

    /// Replaces the open file by the one that `make` returns, which then has its name.
    fn put(&self, make: impl FnOnce() -> io::Result<E::File>) -> Result<(), FileError> {
        self.file
            .put(&self.env, make)
            .map_err(|source| self.error("create", source))
    }
}

/// The parts of an idle file that may be released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdleParts {
    Maps,
    FileAndMaps,
}

/// Creates an empty file. A new file exists if and only if this succeeds; an existing file is emptied.
fn create_empty<E: Env>(env: &E, path: &Path) -> io::Result<E::File> {
    match env.open_file(path, OpenMode::CreateNew) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let file = env.open_file(path, OpenMode::Write)?;
            file.set_len(0)?;
            Ok(file)
        }
        created => created,
    }
}

/// Replaces the contents of a file by the first `end` bytes of another.
fn copy_start<F: File>(from: &F, to: &F, end: u64) -> io::Result<()> {
    to.set_len(0)?;
    let mut position = 0;
    while position < end {
        let part = (end - position).min(COPY_BYTES) as usize;
        let bytes = from.read_bytes(position, part)?;
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        to.write_all_at(&bytes, position)?;
        position += bytes.len() as u64;
    }
    Ok(())
}
