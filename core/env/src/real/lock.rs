//! The lock of a data directory. Between processes it is an `flock` on the directory and on its lock file; inside the
//! process it is a list of held directories.
//!
//! The directory cannot be removed unnoticed while it is in use, so its lock holds even if the lock file is removed.
//! Some network file systems do not lock directories: there only the lock file counts, and [`Lock::is_in_force`] checks
//! that it still has its name. Others turn `flock` into a lock of the whole process, which a second owner in the same
//! process would also get; the list prevents that.

use std::collections::HashSet;
use std::fs::{self, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process;

use parking_lot::Mutex;

use super::{FILE_MODE, NO_FOLLOW};
use crate::fork::{OwnFile, PerProcess, forks};
use crate::{Lock, LockError};

/// Device and inode: identifies a file independently of its path.
type FileId = (u64, u64);

/// The directories that this process has locked.
static HELD: PerProcess<Mutex<HashSet<FileId>>> = PerProcess::new(Mutex::default);

/// A held lock. After its release the file stays, with the process id in it.
#[derive(Debug)]
pub struct RealLock {
    file: NamedFile,
    directory: NamedFile,
    /// Whether the file system locks directories.
    locks_directory: bool,
    _entry: HeldEntry,
}

/// An open file or directory, and the path that it was opened with.
#[derive(Debug)]
struct NamedFile {
    path: PathBuf,
    open: OwnFile,
    id: FileId,
}

/// An entry in the process's list of locks, removed on drop.
#[derive(Debug)]
struct HeldEntry {
    id: FileId,
    forks: u32,
}

impl RealLock {
    pub(super) fn take(path: &Path) -> Result<RealLock, LockError> {
        let held = || LockError::Held {
            pid: read_pid(path),
        };
        let directory = NamedFile::open(
            fs::OpenOptions::new().read(true),
            crate::environment::parent_of(path),
        )?;
        let entry = HeldEntry::add(directory.id).ok_or_else(held)?;
        let locks_directory = match directory.open.get()?.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => return Err(held()),
            Err(TryLockError::Error(_)) => false,
        };
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = NamedFile::open(options.mode(FILE_MODE).custom_flags(NO_FOLLOW), path)?;
        match file.open.get()?.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held()),
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
        write_pid(file.open.get()?)?;
        Ok(RealLock {
            file,
            directory,
            locks_directory,
            _entry: entry,
        })
    }
}

impl Lock for RealLock {
    fn is_in_force(&self) -> bool {
        self.directory.is_at_its_path() && (self.locks_directory || self.file.is_at_its_path())
    }
}

impl RealLock {
    /// Syncs the file system of the lock file. Linux reports writes lost since the file was opened, from 5.8 on.
    #[cfg(target_os = "linux")]
    pub(super) fn sync_disk(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(self.file.open.get()?)?)
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn sync_disk(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Drop for RealLock {
    fn drop(&mut self) {
        // Children that were not created with `fork()` may have copies of the descriptors, which must not keep the
        // lock. If the unlock fails, the lock ends with the last copy.
        for file in [&self.file, &self.directory] {
            let _ = file.open.get().map(fs::File::unlock);
        }
    }
}

impl NamedFile {
    fn open(options: &fs::OpenOptions, path: &Path) -> io::Result<Self> {
        let open = OwnFile::open(options, path)?;
        let id = id(&open.get()?.metadata()?);
        Ok(Self {
            path: path.to_path_buf(),
            open,
            id,
        })
    }

    /// Whether the path still leads to the file, in the process that opened it. The inode of an open file is not
    /// reused.
    fn is_at_its_path(&self) -> bool {
        self.open.get().is_ok() && fs::metadata(&self.path).is_ok_and(|found| id(&found) == self.id)
    }
}

impl HeldEntry {
    fn add(id: FileId) -> Option<HeldEntry> {
        let forks = forks();
        // Only create an entry if the directory was free: dropping an entry removes its line.
        HELD.lock().insert(id).then(|| HeldEntry { id, forks })
    }
}

impl Drop for HeldEntry {
    fn drop(&mut self) {
        if self.forks == forks() {
            HELD.lock().remove(&self.id);
        }
    }
}

fn id(found: &fs::Metadata) -> FileId {
    (found.dev(), found.ino())
}

fn write_pid(file: &fs::File) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all_at(format!("{}\n", process::id()).as_bytes(), 0)
}

fn read_pid(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}
