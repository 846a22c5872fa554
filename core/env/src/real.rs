//! Signatures first.
use crate::{DirEntry, Env, File, LockError, Metadata, OpenMode};
use bytes::Bytes;
use std::io::{self, IoSlice};
use std::path::Path;
use std::time::Duration;

/// Environment.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealEnv;
/// File.
#[derive(Debug)]
pub struct RealFile {}
/// Lock.
#[derive(Debug)]
pub struct RealLock {}

impl Env for RealEnv {
    type File = RealFile;
    type Lock = RealLock;
    fn wall_clock_ms(&self) -> i64 {
        todo!()
    }
    fn monotonic(&self) -> Duration {
        todo!()
    }
    fn fill_random(&self, _out: &mut [u8]) {
        todo!()
    }
    fn open_file(&self, _path: &Path, _mode: OpenMode) -> io::Result<Self::File> {
        todo!()
    }
    fn create_dir_all(&self, _path: &Path) -> io::Result<()> {
        todo!()
    }
    fn read_dir(&self, _path: &Path) -> io::Result<Vec<DirEntry>> {
        todo!()
    }
    fn metadata(&self, _path: &Path) -> io::Result<Option<Metadata>> {
        todo!()
    }
    fn rename(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        todo!()
    }
    fn remove_file(&self, _path: &Path) -> io::Result<()> {
        todo!()
    }
    fn remove_dir_all(&self, _path: &Path) -> io::Result<()> {
        todo!()
    }
    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        todo!()
    }
    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        todo!()
    }
    fn lock(&self, _path: &Path) -> Result<Self::Lock, LockError> {
        todo!()
    }
}

impl File for RealFile {
    fn len(&self) -> io::Result<u64> {
        todo!()
    }
    fn read_at(&self, _out: &mut [u8], _position: u64) -> io::Result<usize> {
        todo!()
    }
    fn read_bytes(&self, _position: u64, _len: usize) -> io::Result<Bytes> {
        todo!()
    }
    fn write_all_at(&self, _bytes: &[u8], _position: u64) -> io::Result<()> {
        todo!()
    }
    fn write_vectored_at(&self, _parts: &[IoSlice<'_>], _position: u64) -> io::Result<()> {
        todo!()
    }
    fn set_len(&self, _len: u64) -> io::Result<()> {
        todo!()
    }
    fn sync_data(&self) -> io::Result<()> {
        todo!()
    }
    fn map(&self, _len: u64) -> io::Result<Option<Bytes>> {
        todo!()
    }
}
