//! Signatures first.
use crate::{DirEntry, Env, File, LockError, Metadata, OpenMode};
use bytes::Bytes;
use std::io::{self, IoSlice};
use std::path::Path;
use std::time::Duration;

/// Environment.
#[derive(Debug, Clone, Default)]
pub struct SimEnv {}
/// File.
#[derive(Debug)]
pub struct SimFile {}
/// Lock.
#[derive(Debug)]
pub struct SimLock {}

impl Env for SimEnv {
    type File = SimFile;
    type Lock = SimLock;
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

impl File for SimFile {
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

/// What a boundary was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary {
    /// What was asked.
    pub operation: Operation,
    /// Of which path.
    pub path: std::path::PathBuf,
}
/// The calls that can be failed and crashed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Opening or making a file.
    Open,
    /// A write of bytes.
    Write,
    /// `set_len`.
    SetLen,
    /// `sync_data`.
    Sync,
    /// `sync_dir`.
    SyncDir,
    /// `rename`.
    Rename,
    /// `remove_file`, `remove_dir_all`.
    Remove,
}
/// How often a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// One call fails, later ones work.
    Once,
    /// That call and all later ones of the kind fail.
    Forever,
}
/// A call to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Which kind of call.
    pub operation: Operation,
    /// Counted from now, 0 is the next one.
    pub nth: u64,
    /// Once or for ever.
    pub times: Times,
    /// The error it gives.
    pub error: io::ErrorKind,
}
impl SimEnv {
    /// An empty disk.
    pub fn new(_seed: u64) -> SimEnv {
        todo!()
    }
}
