//! The lock of a data directory: `flock` between processes, a list of what is held inside this one.
//!
//! `flock` alone would do on a local disk. Some network file systems turn it into a lock of the whole process, which a second owner in
//! the same process would get too; the list stops that.

use std::collections::HashSet;
use std::fs::{self, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process;
use std::sync::LazyLock;

use parking_lot::Mutex;

use super::{FILE_MODE, NO_FOLLOW};
use crate::LockError;

/// Device and inode: one file, whatever path leads to it.
type FileId = (u64, u64);

static HELD: LazyLock<Mutex<HashSet<FileId>>> = LazyLock::new(Mutex::default);

/// A held lock. The file stays, with the pid in it, when the lock goes.
#[derive(Debug)]
pub struct RealLock {
    file: fs::File,
    entry: HeldEntry,
}

/// A line in the list of what this process holds, struck out on drop.
#[derive(Debug)]
struct HeldEntry {
    id: FileId,
    owner: u32,
}

impl RealLock {
    pub(super) fn take(path: &Path) -> Result<RealLock, LockError> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .custom_flags(NO_FOLLOW)
            .open(path)?;
        let Some(entry) = HeldEntry::add(&file)? else {
            return Err(LockError::Held {
                pid: read_pid(&file),
            });
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    pid: read_pid(&file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
        let lock = RealLock { file, entry };
        lock.file.set_len(0)?;
        lock.file
            .write_all_at(format!("{}\n", lock.entry.owner).as_bytes(), 0)?;
        Ok(lock)
    }
}

impl RealLock {
    /// Syncs the file system of the lock's file. Linux tells of what was lost on it since the file was opened, from 5.8 on.
    #[cfg(target_os = "linux")]
    pub(super) fn sync_disk(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.file)?)
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn sync_disk(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Drop for RealLock {
    fn drop(&mut self) {
        // A forked child shares this lock. When it lets go of its copy the parent must keep the lock; when the parent lets go, the copy in a
        // child that lives on must not keep it.
        if self.entry.owner == process::id() {
            // If this fails the lock goes with the last copy of the file.
            let _ = self.file.unlock();
        }
    }
}

impl HeldEntry {
    fn add(file: &fs::File) -> io::Result<Option<HeldEntry>> {
        let found = file.metadata()?;
        let id = (found.dev(), found.ino());
        Ok(HELD.lock().insert(id).then(|| HeldEntry {
            id,
            owner: process::id(),
        }))
    }
}

impl Drop for HeldEntry {
    fn drop(&mut self) {
        HELD.lock().remove(&self.id);
    }
}

fn read_pid(file: &fs::File) -> Option<u32> {
    let mut text = [0; 16];
    let read = file.read_at(&mut text, 0).ok()?;
    std::str::from_utf8(&text[..read]).ok()?.trim().parse().ok()
}
