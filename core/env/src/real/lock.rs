//! The lock of a data directory: `flock` on the directory and on its lock file between processes, a list of what is held inside this one.
//!
//! The directory cannot be unlinked while it is in use without being noticed, so its lock keeps others out when somebody removes the lock
//! file. Some network file systems do not lock directories: there the lock file alone counts, and [`Lock::is_in_force`] says whether it
//! still has its name. Some turn `flock` into a lock of the whole process, which a second owner in the same process would get too; the
//! list stops that.

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

/// Device and inode: one file, whatever path leads to it.
type FileId = (u64, u64);

/// The directories that this process has locked.
static HELD: PerProcess<Mutex<HashSet<FileId>>> = PerProcess::new(Mutex::default);

/// A held lock. The file stays, with the pid in it, when the lock goes.
#[derive(Debug)]
pub struct RealLock {
    file: Named,
    directory: Named,
    /// Whether the file system locks directories.
    locks_directory: bool,
    _entry: HeldEntry,
}

/// An open file or directory and the name that it was opened by.
#[derive(Debug)]
struct Named {
    path: PathBuf,
    open: OwnFile,
    id: FileId,
}

/// A line in the list of what this process holds, struck out on drop.
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
        let directory = Named::open(
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
        let file = Named::open(options.mode(FILE_MODE).custom_flags(NO_FOLLOW), path)?;
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
        self.directory.has_its_name() && (self.locks_directory || self.file.has_its_name())
    }
}

impl RealLock {
    /// Syncs the file system of the lock's file. Linux tells of what was lost on it since the file was opened, from 5.8 on.
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
        // A child that did not come from `fork()` may have copies of the files, which must not keep the lock. If this fails, it goes
        // with the last of them.
        for named in [&self.file, &self.directory] {
            let _ = named.open.get().map(fs::File::unlock);
        }
    }
}

impl Named {
    fn open(options: &fs::OpenOptions, path: &Path) -> io::Result<Self> {
        let open = OwnFile::open(options, path)?;
        let id = id(&open.get()?.metadata()?);
        Ok(Self {
            path: path.to_path_buf(),
            open,
            id,
        })
    }

    /// Whether its name still leads to it, in the process that opened it. The number of an open file is not given to another one.
    fn has_its_name(&self) -> bool {
        self.open.get().is_ok() && fs::metadata(&self.path).is_ok_and(|found| id(&found) == self.id)
    }
}

impl HeldEntry {
    fn add(id: FileId) -> Option<HeldEntry> {
        let forks = forks();
        // Made only where the directory was free: dropping an entry strikes out its line.
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
