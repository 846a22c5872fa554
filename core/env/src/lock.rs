//! Lock errors, and the locks of environments without other processes.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use thiserror::Error;

/// Why [`Env::lock`](crate::Env::lock) failed.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another process, or another owner in this process, holds it.
    #[error("the lock is held by {}", holder(*pid))]
    Held {
        /// The process id in the lock file; `None` if the owner has not written it yet.
        pid: Option<u32>,
    },
    /// The lock file could not be opened, locked or written.
    #[error("the lock file cannot be used: {0}")]
    Io(#[from] io::Error),
}

/// A held lock.
pub trait Lock: fmt::Debug + Send + Sync + 'static {
    /// Whether the lock still protects the directory at its path: neither the directory nor (where it matters) the lock
    /// file was removed or replaced.
    fn is_in_force(&self) -> bool;
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    )
}

/// The locks of one in-memory environment, by path.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathLocks {
    held: Arc<Mutex<HashSet<String>>>,
}

impl PathLocks {
    /// Takes the lock of a normalised path.
    pub(crate) fn take(&self, path: String) -> Result<PathLock, LockError> {
        if self.held.lock().insert(path.clone()) {
            Ok(PathLock {
                locks: self.clone(),
                path,
            })
        } else {
            Err(LockError::Held {
                pid: Some(std::process::id()),
            })
        }
    }
}

/// A lock held in a [`MemoryEnv`](crate::MemoryEnv) or a [`SimEnv`](crate::SimEnv).
#[derive(Debug)]
pub struct PathLock {
    locks: PathLocks,
    path: String,
}

impl Lock for PathLock {
    /// Always true: there are no other processes, and the path is the lock.
    fn is_in_force(&self) -> bool {
        true
    }
}

impl Drop for PathLock {
    fn drop(&mut self) {
        self.locks.held.lock().remove(&self.path);
    }
}
