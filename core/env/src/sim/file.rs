//! A file of the simulated disk.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::SimEnv;
use super::disk::FileId;
use super::fault::Operation;
use crate::{Env as _, File, OpenMode};

/// A file of a [`SimEnv`].
#[derive(Debug)]
pub struct SimFile {
    env: SimEnv,
    id: FileId,
    /// The path it was opened with, for the history.
    path: PathBuf,
    writable: bool,
}

/// The memory of a map, as an owner for `Bytes`.
struct Map(Arc<Vec<u8>>);

impl AsRef<[u8]> for Map {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl SimFile {
    pub(super) fn new(env: SimEnv, id: FileId, path: PathBuf, mode: OpenMode) -> SimFile {
        SimFile {
            env,
            id,
            path,
            writable: mode != OpenMode::Read,
        }
    }

    fn check_writable(&self) -> io::Result<()> {
        if self.writable {
            Ok(())
        } else {
            Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the file was opened for reading",
            ))
        }
    }

    fn write(&self, bytes: Vec<u8>, position: u64) -> io::Result<()> {
        self.check_writable()?;
        if bytes.is_empty() {
            return Ok(());
        }
        let now_ms = self.env.wall_clock_ms();
        self.env
            .disk()
            .write(self.id, &self.path, bytes, position, now_ms)
    }
}

/// The part of `bytes` that a read of `len` bytes from `position` returns.
fn window(bytes: &[u8], position: u64, len: usize) -> &[u8] {
    let from = usize::try_from(position)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    &bytes[from..from + len.min(bytes.len() - from)]
}

impl File for SimFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.env.disk().file(self.id).live.len() as u64)
    }

    fn read_at(&self, out: &mut [u8], position: u64) -> io::Result<usize> {
        let mut disk = self.env.disk();
        disk.pass(Operation::Read, &self.path)?;
        let mut len = out.len();
        if disk.short_reads && len > 1 {
            len = 1 + disk.random.below(len);
        }
        let read = window(&disk.file(self.id).live, position, len);
        out[..read.len()].copy_from_slice(read);
        Ok(read.len())
    }

    fn read_bytes(&self, position: u64, len: usize) -> io::Result<Bytes> {
        let mut disk = self.env.disk();
        disk.pass(Operation::Read, &self.path)?;
        Ok(Bytes::copy_from_slice(window(
            &disk.file(self.id).live,
            position,
            len,
        )))
    }

    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.write(bytes.to_vec(), position)
    }

    fn write_vectored_at(&self, parts: &[IoSlice<'_>], position: u64) -> io::Result<()> {
        self.write(
            parts.iter().flat_map(|part| part.iter().copied()).collect(),
            position,
        )
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check_writable()?;
        let now_ms = self.env.wall_clock_ms();
        self.env.disk().set_len(self.id, &self.path, len, now_ms)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.env.disk().sync(self.id, &self.path)
    }

    fn map(&self, range: Range<u64>) -> io::Result<Option<Bytes>> {
        let mut disk = self.env.disk();
        disk.pass(Operation::Read, &self.path)?;
        if range.is_empty() || (disk.file(self.id).live.len() as u64) < range.end {
            return Ok(None);
        }
        let first_bytes = Bytes::from_owner(Map(disk.file_mut(self.id).map(range.end)));
        Ok(Some(first_bytes.slice(range.start as usize..)))
    }

    fn is_linked(&self) -> io::Result<bool> {
        Ok(self.env.disk().is_linked(self.id, &self.path))
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        Ok(self.env.disk().is_at(self.id, path))
    }

    fn is_cached(&self, _position: u64, _len: usize) -> bool {
        true
    }
}
