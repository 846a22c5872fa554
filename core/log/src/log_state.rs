//! The state of a log that needs no append lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use headwater_env::Env;
use headwater_record::Offset;
use parking_lot::RwLock;

use crate::config::LogConfig;
use crate::error::FileError;
use crate::flusher::Flusher;
use crate::gaps::Gaps;
use crate::leader_epoch_file::LeaderEpochFile;
use crate::leader_epochs::LeaderEpochs;
use crate::log_directory::LogDirectory;
use crate::published_view::PublishedView;
use crate::removals::Removals;

/// The state of a log that the append lock does not guard. It has no access to that lock, so its methods may run with
/// the lock held.
#[derive(Debug)]
pub(crate) struct LogState<E: Env> {
    directory: LogDirectory<E>,
    config: RwLock<Arc<LogConfig>>,
    view: PublishedView<E>,
    flusher: Flusher,
    epochs: LeaderEpochFile,
    removals: Removals<E>,
    /// Whether compaction may have left gaps.
    may_have_gaps: AtomicBool,
}

impl<E: Env> LogState<E> {
    pub(crate) fn new(
        directory: LogDirectory<E>,
        config: LogConfig,
        gaps: Gaps,
        view: PublishedView<E>,
        flusher: Flusher,
        epochs: LeaderEpochFile,
    ) -> Self {
        Self {
            directory,
            config: RwLock::new(Arc::new(config)),
            view,
            flusher,
            epochs,
            removals: Removals::none(),
            may_have_gaps: AtomicBool::new(gaps == Gaps::Allowed),
        }
    }

    pub(crate) fn env(&self) -> &E {
        self.directory.env()
    }

    pub(crate) fn directory(&self) -> &LogDirectory<E> {
        &self.directory
    }

    pub(crate) fn view(&self) -> &PublishedView<E> {
        &self.view
    }

    pub(crate) fn flusher(&self) -> &Flusher {
        &self.flusher
    }

    pub(crate) fn epochs(&self) -> &LeaderEpochFile {
        &self.epochs
    }

    pub(crate) fn removals(&self) -> &Removals<E> {
        &self.removals
    }

    pub(crate) fn log_end_offset(&self) -> Offset {
        self.view.log_end_offset()
    }

    /// The current configuration.
    pub(crate) fn config(&self) -> Arc<LogConfig> {
        Arc::clone(&self.config.read())
    }

    /// Changes the configuration from the next operation on.
    pub(crate) fn update_config(&self, config: LogConfig) {
        if config.cleanup_policy.compact {
            self.may_have_gaps.store(true, Ordering::SeqCst);
        }
        *self.config.write() = Arc::new(config);
    }

    /// The meaning of missing offsets in this log.
    pub(crate) fn gaps(&self) -> Gaps {
        if self.may_have_gaps.load(Ordering::SeqCst) {
            Gaps::Allowed
        } else {
            Gaps::Damage
        }
    }

    /// Changes the leader epochs, and writes their file if `change` returns true. Nothing changes after an error.
    pub(crate) fn change_epochs(
        &self,
        change: impl FnOnce(&mut LeaderEpochs) -> bool,
    ) -> Result<(), FileError> {
        self.epochs.change(&self.directory, change)
    }

    /// Renames the files of all segments that left the view to `.deleted`, durably. After an error the next call
    /// continues.
    pub(crate) fn finish_removals(&self) -> Result<(), FileError> {
        let delay = Duration::from_millis(self.config().file_delete_delay_ms);
        self.removals.finish(&self.directory, delay)
    }
}
