//! The environment trait.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use crate::{DirEntry, Directory, DiskSpace, File, FilePool, Lock, LockError, Metadata, OpenMode};

/// Clock, randomness and files. Clones share their state.
///
/// Callers validate paths: nothing here confines a path to a data directory. A change of a directory (a file created,
/// renamed or removed) is durable after [`sync_dir`](Env::sync_dir) of that directory.
pub trait Env: Clone + fmt::Debug + Send + Sync + 'static {
    /// An open file.
    type File: File;
    /// An open directory.
    type Directory: Directory;
    /// A held lock, released when dropped.
    type Lock: Lock;
    /// The preferred unit for extending a file: first writes in pieces of this size, at multiples of it, make later
    /// overwrites cheaper. 0 if there is no preference.
    const PADDING_BYTES: u64;

    /// Milliseconds since the Unix epoch. May jump in both directions; do not measure time-outs with it.
    fn wall_clock_ms(&self) -> i64;

    /// The time since an arbitrary origin, shared by all clones. Never goes back.
    fn monotonic(&self) -> Duration;

    /// An id of the current boot of the machine; `None` if the system has none. Writes are not lost within one boot,
    /// synced or not.
    fn boot_id(&self) -> Option<u128>;

    /// Fills `out` with random bytes.
    fn fill_random(&self, out: &mut [u8]);

    /// The pool of open files, shared by everything that runs in this environment.
    fn file_pool(&self) -> &FilePool;

    /// Opens a file. A new file is accessible by its owner only (0600). A symbolic link is an error.
    fn open_file(&self, path: &Path, mode: OpenMode) -> io::Result<Self::File>;

    /// Creates a directory and its missing parents, for the owner only (0700). Existing directories are not an error.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// The entries of a directory, sorted by name.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>>;

    /// The metadata of a path; `None` if it does not exist. Symbolic links are not followed.
    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>>;

    /// Renames a file or directory atomically; an existing file is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. Processes that have it open can still read it.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory with its contents.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Opens a directory, so that it can be synced later without another file descriptor.
    fn open_dir(&self, path: &Path) -> io::Result<Self::Directory>;

    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.open_dir(path)?.sync()
    }

    /// Syncs the whole file system of the lock file: data and names. For many files this is much faster than syncing
    /// each of them. Fails also if a write was lost since the lock was taken; sync each file then to find the one.
    /// `Unsupported` if the system does not report lost writes.
    fn sync_disk(&self, lock: &Self::Lock) -> io::Result<()>;

    /// The space of the file system of `path`.
    fn disk_space(&self, path: &Path) -> io::Result<DiskSpace>;

    /// Takes the exclusive lock of the directory of `path`: a file that is created if needed and contains the owner's
    /// process id. Does not wait. The lock is released when it is dropped and when the process dies. A child of
    /// `fork()` does not hold it.
    fn lock(&self, path: &Path) -> Result<Self::Lock, LockError>;

    /// Creates a directory like [`create_dir_all`](Env::create_dir_all), durably. An existing directory is synced too,
    /// because its creator may have died before its name was durable. Fails if a parent of a new directory cannot be
    /// synced.
    fn create_dir_durably(&self, path: &Path) -> io::Result<()> {
        let mut new = Vec::new();
        for dir in path.ancestors().filter(|dir| !dir.as_os_str().is_empty()) {
            if self.metadata(dir)?.is_some() {
                break;
            }
            new.push(dir);
        }
        if new.is_empty() {
            return match self.sync_dir(parent_of(path)) {
                // The parent belongs to another user, who is responsible for its durability.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
                result => result,
            };
        }
        self.create_dir_all(path)?;
        new.into_iter()
            .rev()
            .try_for_each(|dir| self.sync_dir(parent_of(dir)))
    }

    /// Reads a small file; `None` if it does not exist.
    fn read_file(&self, path: &Path) -> io::Result<Option<Bytes>> {
        let file = match self.open_file(path, OpenMode::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let len = usize::try_from(file.len()?).map_err(|_| io::ErrorKind::FileTooLarge)?;
        file.read_bytes(0, len).map(Some)
    }

    /// Replaces a small file durably and atomically: after a crash it has either the old or the new bytes. Uses
    /// `<path>.tmp`, which a crash may leave behind and the next call overwrites.
    fn replace_file(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let temporary = with_suffix(path, ".tmp");
        let file = self.open_file(&temporary, OpenMode::Create)?;
        file.set_len(0)?;
        file.write_all_at(bytes, 0)?;
        file.sync_data()?;
        drop(file);
        self.rename(&temporary, path)?;
        self.sync_dir(parent_of(path))
    }
}

/// The directory that contains a path's name.
pub(crate) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        // A relative path of one component, or the root, which is its own parent.
        _ if path.has_root() => path,
        _ => Path::new("."),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
