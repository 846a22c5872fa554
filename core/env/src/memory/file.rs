//! A file in memory: its bytes are under one lock, which a reader holds only while it slices or copies.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use parking_lot::RwLock;

use super::contents::Contents;
use crate::{EntryKind, Env as _, File, Metadata, OpenMode, RealEnv};

/// A file, shared by its handles and by the tree. Equality means the same file.
#[derive(Debug, Clone)]
pub(super) struct SharedFile {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    contents: RwLock<Contents>,
    modified_ms: AtomicI64,
}

impl SharedFile {
    pub(super) fn new(now_ms: i64) -> SharedFile {
        let contents = RwLock::new(Contents::default());
        SharedFile {
            inner: Arc::new(Inner {
                contents,
                modified_ms: AtomicI64::new(now_ms),
            }),
        }
    }

    pub(super) fn metadata(&self) -> Metadata {
        Metadata {
            len: self.inner.contents.read().len(),
            kind: EntryKind::File,
            modified_ms: self.inner.modified_ms.load(Ordering::Relaxed),
        }
    }
}

impl PartialEq for SharedFile {
    fn eq(&self, other: &SharedFile) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

/// A file of a [`MemoryEnv`](crate::MemoryEnv).
#[derive(Debug)]
pub struct MemoryFile {
    file: SharedFile,
    writable: bool,
}

impl MemoryFile {
    pub(super) fn new(file: SharedFile, mode: OpenMode) -> MemoryFile {
        MemoryFile {
            file,
            writable: mode != OpenMode::Read,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Contents) -> io::Result<()>) -> io::Result<()> {
        if !self.writable {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the file was opened for reading",
            ));
        }
        change(&mut self.file.inner.contents.write())?;
        self.file
            .inner
            .modified_ms
            .store(RealEnv.wall_clock_ms(), Ordering::Relaxed);
        Ok(())
    }
}

impl File for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.inner.contents.read().len())
    }

    fn read_at(&self, out: &mut [u8], position: u64) -> io::Result<usize> {
        Ok(self.file.inner.contents.read().copy_to(out, position))
    }

    fn read_bytes(&self, position: u64, len: usize) -> io::Result<Bytes> {
        Ok(self.file.inner.contents.read().slice(position, len))
    }

    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.change(|contents| contents.write(&[IoSlice::new(bytes)], position))
    }

    fn write_vectored_at(&self, parts: &[IoSlice<'_>], position: u64) -> io::Result<()> {
        self.change(|contents| contents.write(parts, position))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(|contents| {
            contents.set_len(len);
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn map(&self, _range: Range<u64>) -> io::Result<Option<Bytes>> {
        Ok(None)
    }

    fn is_cached(&self, _position: u64, _len: usize) -> bool {
        true
    }
}
