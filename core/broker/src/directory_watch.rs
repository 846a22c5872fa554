//! Closes the broker if its data directory is removed or replaced. After that nothing is written: paths lead to another
//! directory or to none, and an unlinked open file is lost when it is closed.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use headwater_env::Env;
use headwater_log::DataDirectoryError;

use crate::groups::Groups;
use crate::partitions::Partitions;

/// Produce requests check the directory at most this often. The append itself detects that its file was removed, and
/// writes to a directory that was only moved are not lost.
const PRODUCE_CHECK_INTERVAL_US: u64 = 1_000;

/// The data directory is not the one that was opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the data directory {} was removed or replaced while it was open, and nothing is written to it any more: close the engine, then open it again", path.display())]
pub struct DirectoryLost {
    /// The path that was opened.
    pub path: PathBuf,
}

/// Checks the data directory of an open broker.
#[derive(Debug)]
pub(crate) struct DirectoryWatch<E: Env> {
    partitions: Arc<Partitions<E>>,
    groups: Arc<Groups<E>>,
    lost: OnceLock<DirectoryLost>,
    /// When the directory was checked last, in microseconds of the monotonic clock.
    checked_us: AtomicU64,
}

impl<E: Env> DirectoryWatch<E> {
    /// A watch of the directory of `partitions`.
    pub(crate) fn new(partitions: Arc<Partitions<E>>, groups: Arc<Groups<E>>) -> Self {
        Self {
            partitions,
            groups,
            lost: OnceLock::new(),
            checked_us: AtomicU64::new(0),
        }
    }

    /// Returns an error if the broker was closed because its directory was removed or replaced.
    pub(crate) fn check_lost(&self) -> Result<(), DirectoryLost> {
        self.lost.get().cloned().map_or(Ok(()), Err)
    }

    /// Checks that the path still leads to the directory that was opened; otherwise closes the broker.
    pub(crate) fn check_directory(&self) -> Result<(), DirectoryLost> {
        let checked = match &*self.partitions.directory() {
            Some(directory) => directory.check_in_place(),
            None => Ok(()),
        };
        self.close_if_lost(checked)
    }

    /// Like [`check_directory`](Self::check_directory), unless the last check was recent.
    pub(crate) fn check_directory_if_due(&self) -> Result<(), DirectoryLost> {
        let now_us = self.partitions.env.monotonic().as_micros() as u64;
        let last_us = self.checked_us.load(Ordering::Relaxed);
        if now_us.saturating_sub(last_us) < PRODUCE_CHECK_INTERVAL_US {
            return Ok(());
        }
        self.checked_us.store(now_us, Ordering::Relaxed);
        self.check_directory()
    }

    /// Like [`check_directory`](Self::check_directory), and also checks that the files exist.
    pub(crate) fn check_files(&self) -> Result<(), DirectoryLost> {
        let checked = match &*self.partitions.directory() {
            Some(directory) => directory.check_not_emptied(),
            None => Ok(()),
        };
        self.close_if_lost(checked)
    }

    fn close_if_lost(&self, checked: Result<(), DataDirectoryError>) -> Result<(), DirectoryLost> {
        if let Err(DataDirectoryError::Replaced { path }) = checked {
            self.close_lost(DirectoryLost { path });
        }
        self.check_lost()
    }

    /// Closes without writing.
    fn close_lost(&self, lost: DirectoryLost) {
        let lost = self.lost.get_or_init(|| lost);
        if !self.partitions.lifecycle.begin_close() {
            return;
        }
        tracing::error!(path = %lost.path.display(), "the data directory was removed or replaced while it was open; nothing is written to it any more");
        self.groups.close();
        for partition in self.partitions.all() {
            partition.retire();
            partition.log().abandon();
        }
        drop(self.partitions.take_directory());
    }
}
