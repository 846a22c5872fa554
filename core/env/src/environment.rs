//! The seam.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use crate::{DirEntry, Directory, DiskSpace, File, Lock, LockError, Metadata, OpenMode};

/// Clock, chance and files. A clone is the same world.
///
/// Paths are the caller's to check: nothing here keeps a path inside a data directory. A change of a directory (a file made, renamed,
/// removed) is durable only after [`sync_dir`](Env::sync_dir) of that directory.
pub trait Env: Clone + fmt::Debug + Send + Sync + 'static {
    /// An open file.
    type File: File;
    /// An open directory.
    type Directory: Directory;
    /// A held lock; dropping it lets go.
    type Lock: Lock;
    /// How much of a file is best written first at once, from a multiple of it on: what is written again in such a piece costs less than
    /// what is written first. 0 where it makes no difference.
    const ROOM_BYTES: u64;

    /// Milliseconds since the Unix epoch. May jump either way; never measure a time-out with it.
    fn wall_clock_ms(&self) -> i64;

    /// Time since an arbitrary origin, the same for all clones. Never goes back.
    fn monotonic(&self) -> Duration;

    /// An id of the time since the machine started; `None` if the system has none. While it stays the same, no write is lost, synced or not.
    fn boot_id(&self) -> Option<u128>;

    /// Fills `out` with random bytes.
    fn fill_random(&self, out: &mut [u8]);

    /// Opens a file; a new one is readable and writable by its owner only (0600). A symbolic link is an error.
    fn open_file(&self, path: &Path, mode: OpenMode) -> io::Result<Self::File>;

    /// Makes a directory and those above it where they are missing, for the owner only (0700). Fine if it exists.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// The entries of a directory, sorted by name.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>>;

    /// Facts about a path; `None` if it does not exist. A symbolic link is not followed.
    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>>;

    /// Renames a file or directory, atomically; a file that has the new name is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. Those who have it open can go on reading it.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory and all that is in it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Opens a directory, to sync it when no file descriptor may be left.
    fn open_dir(&self, path: &Path) -> io::Result<Self::Directory>;

    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.open_dir(path)?.sync()
    }

    /// Syncs the whole disk that holds the lock's file: data and names. For many files this takes a fraction of the time of syncing each. Fails
    /// too if a write was lost since the lock was taken; sync each file then, to find out which. `Unsupported` where the system does not
    /// report lost writes.
    fn sync_disk(&self, lock: &Self::Lock) -> io::Result<()>;

    /// The space of the disk that holds `path`.
    fn disk_space(&self, path: &Path) -> io::Result<DiskSpace>;

    /// Takes the one exclusive lock of the directory of `path`, a file that is made if need be and then holds the pid of the owner. Does
    /// not wait. The lock ends when it is dropped and when the process dies, however it dies; a child of `fork()` has no part in it.
    fn lock(&self, path: &Path) -> Result<Self::Lock, LockError>;

    /// Makes a directory as [`create_dir_all`](Env::create_dir_all) does, and durably. Also for one that exists: who made it may have
    /// died before its name was durable, so its name is synced again. Fails where a directory above a new one cannot be synced.
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
                // The directory above belongs to somebody else, who has let us in: it is as durable as he made it.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
                result => result,
            };
        }
        self.create_dir_all(path)?;
        new.into_iter()
            .rev()
            .try_for_each(|dir| self.sync_dir(parent_of(dir)))
    }

    /// The whole of a small file; `None` if it does not exist.
    fn read_file(&self, path: &Path) -> io::Result<Option<Bytes>> {
        let file = match self.open_file(path, OpenMode::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let len = usize::try_from(file.len()?).map_err(|_| io::ErrorKind::FileTooLarge)?;
        file.read_bytes(0, len).map(Some)
    }

    /// Replaces a small file, durably and at once: after a crash it has the old bytes or the new, all of them. Goes by way of
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

/// The directory that holds a path's name.
pub(crate) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        // A relative name of one part; or the root, which holds itself.
        _ if path.has_root() => path,
        _ => Path::new("."),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
