//! What becomes of a broker when somebody removes or replaces its data directory: it is given up. Nothing is written any more, because
//! paths lead to another directory, or to none, and an open file without a name is lost when it is closed.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use headwater_env::Env;
use headwater_log::DataDirectoryError;

use crate::state::State;

/// A produce looks at the directory at most so often: the append itself notices that its file was removed, and what is written into a
/// directory that was only moved is found there.
const PRODUCE_CHECK_INTERVAL_US: u64 = 1_000;

/// The data directory is not the one that was opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the data directory {} was removed or replaced while it was open, and nothing is written to it any more: close the engine, then open it again", path.display())]
pub struct DirectoryLost {
    /// The path that was opened.
    pub path: PathBuf,
}

impl<E: Env> State<E> {
    /// Looks whether the path still leads to the directory that was opened; gives the broker up otherwise.
    pub(crate) fn check_directory(&self) -> Result<(), DirectoryLost> {
        let checked = match &*self.directory.read() {
            Some(directory) => directory.check_in_place(),
            None => Ok(()),
        };
        self.judge(checked)
    }

    /// As [`check_directory`](Self::check_directory), unless it was called a moment ago.
    pub(crate) fn check_directory_if_due(&self) -> Result<(), DirectoryLost> {
        let now_us = self.env.monotonic().as_micros() as u64;
        let last_us = self.directory_checked_us.load(Ordering::Relaxed);
        if now_us.saturating_sub(last_us) < PRODUCE_CHECK_INTERVAL_US {
            return Ok(());
        }
        self.directory_checked_us.store(now_us, Ordering::Relaxed);
        self.check_directory()
    }

    /// As [`check_directory`](Self::check_directory), and looks whether the directory was emptied.
    pub(crate) fn check_files(&self) -> Result<(), DirectoryLost> {
        let checked = match &*self.directory.read() {
            Some(directory) => directory.check_not_emptied(),
            None => Ok(()),
        };
        self.judge(checked)
    }

    fn judge(&self, checked: Result<(), DataDirectoryError>) -> Result<(), DirectoryLost> {
        if let Err(DataDirectoryError::Replaced { path }) = checked {
            self.give_up(DirectoryLost { path });
        }
        self.lost.get().cloned().map_or(Ok(()), Err)
    }

    /// Closes without writing anything.
    fn give_up(&self, lost: DirectoryLost) {
        let lost = self.lost.get_or_init(|| lost);
        if !self.begin_close() {
            return;
        }
        tracing::error!(path = %lost.path.display(), "the data directory was removed or replaced while it was open; nothing is written to it any more");
        self.closing.notify_one();
        self.close_groups();
        for partition in self.topics.partitions() {
            partition.retire();
            partition.log().abandon();
        }
        drop(self.directory.write().take());
    }
}
