//! The directory of one log, and whether the log may still be written.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use headwater_env::{Env, is_out_of_files};
use parking_lot::Mutex;

use crate::error::{FileError, Poisoned};
use crate::mutants::{self, Mutant};

/// A log's directory. Syncs its names if they have changed, and remembers a failure after which nothing may be written.
#[derive(Debug)]
pub(crate) struct LogDirectory<E: Env> {
    env: E,
    path: Arc<Path>,
    /// Whether names in the directory have changed since it was last synced.
    is_changed: Mutex<bool>,
    /// Set when the log refuses writes after a failure: the reason.
    poison: OnceLock<String>,
}

impl<E: Env> LogDirectory<E> {
    /// An existing directory, with names that may not be on disk.
    pub(crate) fn new(env: E, path: Arc<Path>) -> Self {
        Self {
            env,
            path,
            is_changed: Mutex::new(true),
            poison: OnceLock::new(),
        }
    }

    pub(crate) fn env(&self) -> &E {
        &self.env
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path, for a segment that keeps it.
    pub(crate) fn shared_path(&self) -> Arc<Path> {
        Arc::clone(&self.path)
    }

    /// The path of a file in it.
    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// Records that a name has changed.
    pub(crate) fn note_change(&self) {
        *self.is_changed.lock() = true;
    }

    /// Records that all names are on disk.
    pub(crate) fn note_synced(&self) {
        *self.is_changed.lock() = false;
    }

    /// Syncs the directory if names in it have changed.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        // Hold the lock during the sync: a caller that finds nothing to do relies on a completed sync.
        let mut is_changed = self.is_changed.lock();
        if !*is_changed || mutants::is_active(Mutant::SkipDirectorySync) {
            return Ok(());
        }
        if let Err(source) = self.env.sync_dir(&self.path) {
            return Err(self.sync_error(FileError::new("sync", &*self.path, source)));
        }
        *is_changed = false;
        Ok(())
    }

    /// Removes a file by its name, until the next sync not durably.
    pub(crate) fn remove(&self, name: impl AsRef<Path>) -> Result<(), FileError> {
        let path = self.join(name);
        self.env
            .remove_file(&path)
            .map_err(|source| FileError::new("remove", path, source))?;
        self.note_change();
        Ok(())
    }

    /// The reason why the log refuses writes, if it does.
    pub(crate) fn poisoned(&self) -> Option<Poisoned> {
        if mutants::is_active(Mutant::IgnorePoison) {
            return None;
        }
        self.poison.get().map(|reason| self.poisoned_for(reason))
    }

    /// Refuses all writes from now on.
    pub(crate) fn poison(&self, reason: &FileError) -> Poisoned {
        let reason = self.poison.get_or_init(|| {
            tracing::error!(partition = %self.path.display(), %reason, "the partition is read-only until it is opened again");
            reason.to_string()
        });
        self.poisoned_for(reason)
    }

    /// Refuses writes after a failed sync, unless the file could not be opened, in which case no sync was attempted.
    pub(crate) fn sync_error(&self, error: FileError) -> FileError {
        if !is_out_of_files(&error.source) {
            self.poison(&error);
        }
        error
    }

    fn poisoned_for(&self, reason: &str) -> Poisoned {
        Poisoned {
            directory: self.path.to_path_buf(),
            reason: reason.to_owned(),
        }
    }
}
