//! An environment in memory, for engines without a directory and for benches without a disk.

mod contents;
mod file;
mod tail;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;

use crate::lock::{PathLock, PathLocks};
use crate::tree::{Change, Node, Tree, normal_form};
use crate::{
    DirEntry, Directory, DiskSpace, EntryKind, Env, File as _, FilePool, LockError, Metadata,
    OpenMode, RealEnv,
};

pub use file::MemoryFile;
use file::SharedFile;

/// A tree of files in memory, with the real clock and real randomness. Clones share it; it is dropped with the last of
/// them.
#[derive(Debug, Clone)]
pub struct MemoryEnv {
    tree: Arc<RwLock<Tree<SharedFile>>>,
    locks: PathLocks,
    file_pool: Arc<FilePool>,
}

/// A directory in memory.
#[derive(Debug)]
pub struct MemoryDirectory;

impl Directory for MemoryDirectory {
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl MemoryEnv {
    /// An empty environment.
    pub fn new() -> MemoryEnv {
        MemoryEnv {
            tree: Arc::new(RwLock::new(Tree::new())),
            locks: PathLocks::default(),
            file_pool: Arc::new(FilePool::without_limit()),
        }
    }
}

impl Default for MemoryEnv {
    fn default() -> MemoryEnv {
        MemoryEnv::new()
    }
}

impl Env for MemoryEnv {
    const PADDING_BYTES: u64 = 0;
    type File = MemoryFile;
    type Directory = MemoryDirectory;
    type Lock = PathLock;

    fn wall_clock_ms(&self) -> i64 {
        RealEnv.wall_clock_ms()
    }

    fn monotonic(&self) -> Duration {
        RealEnv.monotonic()
    }

    fn boot_id(&self) -> Option<u128> {
        RealEnv.boot_id()
    }

    fn fill_random(&self, out: &mut [u8]) {
        RealEnv.fill_random(out);
    }

    fn file_pool(&self) -> &FilePool {
        &self.file_pool
    }

    fn open_file(&self, path: &Path, mode: OpenMode) -> io::Result<MemoryFile> {
        let mut tree = self.tree.write();
        let at = tree.find_location(path)?;
        match (tree.at(&at), mode) {
            (Some(Node::Dir(_)), _) => Err(io::ErrorKind::IsADirectory.into()),
            (Some(Node::File(_)), OpenMode::CreateNew) => Err(io::ErrorKind::AlreadyExists.into()),
            (Some(Node::File(file)), _) => Ok(MemoryFile::new(file.clone(), mode)),
            (None, OpenMode::Read | OpenMode::Write) => Err(io::ErrorKind::NotFound.into()),
            (None, OpenMode::Create | OpenMode::CreateNew) => {
                let file = SharedFile::new(self.wall_clock_ms());
                tree.apply(&Change::Link {
                    at,
                    node: Node::File(file.clone()),
                });
                Ok(MemoryFile::new(file, mode))
            }
        }
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut tree = self.tree.write();
        for change in tree.plan_create_dirs(path)? {
            tree.apply(&change);
        }
        Ok(())
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.tree.read().list(path)
    }

    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        match self.tree.read().find(path) {
            Ok(Node::File(file)) => Ok(Some(file.metadata())),
            Ok(Node::Dir(_)) => Ok(Some(Metadata {
                len: 0,
                kind: EntryKind::Dir,
                modified_ms: 0,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut tree = self.tree.write();
        let change = tree.plan_rename(from, to)?;
        tree.apply(&change);
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut tree = self.tree.write();
        let change = tree.plan_remove_file(path)?;
        tree.apply(&change);
        Ok(())
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut tree = self.tree.write();
        for change in tree.plan_remove_all(path)? {
            tree.apply(&change);
        }
        Ok(())
    }

    fn open_dir(&self, path: &Path) -> io::Result<MemoryDirectory> {
        self.tree.read().find_dir(path).map(|_| MemoryDirectory)
    }

    fn sync_disk(&self, _lock: &PathLock) -> io::Result<()> {
        Ok(())
    }

    /// Unlimited: the process runs out of memory first.
    fn disk_space(&self, path: &Path) -> io::Result<DiskSpace> {
        self.tree.read().find(path).map(|_| DiskSpace {
            free_bytes: u64::MAX,
            total_bytes: u64::MAX,
        })
    }

    fn lock(&self, path: &Path) -> Result<PathLock, LockError> {
        let lock = self.locks.take(normal_form(path)?)?;
        let file = self.open_file(path, OpenMode::Create)?;
        file.set_len(0)?;
        file.write_all_at(format!("{}\n", std::process::id()).as_bytes(), 0)?;
        Ok(lock)
    }
}
