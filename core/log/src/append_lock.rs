//! The append lock, which orders the changes of a log, and the state that it guards.

use headwater_env::Env;
use headwater_record::Offset;
use parking_lot::{Mutex, MutexGuard};

use crate::active_segment::ActiveSegment;
use crate::cleaner::turn::Pause;
use crate::error::ChangeError;
use crate::log_state::LogState;
use crate::producer_state::ProducerStates;
use crate::published_view::PublishToken;
use crate::view::LogView;

/// The state that only the holder of the append lock may use.
#[derive(Debug)]
pub(crate) struct AppendState<E: Env> {
    producers: ProducerStates,
    active: ActiveSegment<E>,
    lifecycle: Lifecycle,
    /// Whether there are changes that a clean shutdown would still have to write.
    is_changed: bool,
    truncation: Option<PendingTruncation>,
    publish_token: PublishToken,
}

/// Whether a log may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lifecycle {
    Open,
    Closed,
}

/// Whether the files of an opened log agree with its checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FilesOnDisk {
    /// As a clean shutdown leaves them.
    Complete,
    /// A clean shutdown must write them again.
    Changed,
}

/// A truncation that readers see and that is not complete on disk. It must be completed before any other change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PendingTruncation {
    pub(crate) log_end_offset: Offset,
    /// The new end position of the active segment's file.
    pub(crate) position: u64,
}

impl<E: Env> AppendState<E> {
    pub(crate) fn new(
        producers: ProducerStates,
        active: ActiveSegment<E>,
        files: FilesOnDisk,
        publish_token: PublishToken,
    ) -> Self {
        Self {
            producers,
            active,
            lifecycle: Lifecycle::Open,
            is_changed: files == FilesOnDisk::Changed,
            truncation: None,
            publish_token,
        }
    }
}

/// The held append lock, with the state of the log. Cleanings, which take the append lock, must be paused before it;
/// everything in [`LogState`] is locked after it.
pub(crate) struct AppendLock<'a, E: Env> {
    log: &'a LogState<E>,
    state: MutexGuard<'a, AppendState<E>>,
    /// Ends after the lock is released.
    _pause: Option<Pause<'a>>,
}

impl<'a, E: Env> AppendLock<'a, E> {
    /// Waits for the lock. A pause of the cleaner lasts as long as the lock.
    pub(crate) fn wait(
        log: &'a LogState<E>,
        state: &'a Mutex<AppendState<E>>,
        pause: Option<Pause<'a>>,
    ) -> Self {
        Self {
            log,
            state: state.lock(),
            _pause: pause,
        }
    }

    /// Takes the lock if it is free.
    pub(crate) fn try_take(log: &'a LogState<E>, state: &'a Mutex<AppendState<E>>) -> Option<Self> {
        Some(Self {
            log,
            state: state.try_lock()?,
            _pause: None,
        })
    }

    /// The state that needs no lock.
    pub(crate) fn log(&self) -> &'a LogState<E> {
        self.log
    }

    pub(crate) fn active(&self) -> &ActiveSegment<E> {
        &self.state.active
    }

    pub(crate) fn active_mut(&mut self) -> &mut ActiveSegment<E> {
        &mut self.state.active
    }

    /// Another segment takes the appends. It must be the active one of the view.
    pub(crate) fn set_active(&mut self, active: ActiveSegment<E>) {
        self.state.active = active;
    }

    pub(crate) fn producers(&self) -> &ProducerStates {
        &self.state.producers
    }

    pub(crate) fn producers_mut(&mut self) -> &mut ProducerStates {
        &mut self.state.producers
    }

    /// Publishes the next state to readers.
    pub(crate) fn publish(&mut self, change: impl FnOnce(&mut LogView<E>)) {
        let token = &mut self.state.publish_token;
        self.log.view().publish(token, change);
    }

    /// Publishes the first unstable offset to readers. Call it before publishing the records of new transactions.
    pub(crate) fn publish_first_unstable(&mut self) {
        let first = self.state.producers.first_unstable_offset();
        let token = &mut self.state.publish_token;
        self.log.view().publish_first_unstable(token, first);
    }

    /// Whether the log was closed or abandoned.
    pub(crate) fn is_closed(&self) -> bool {
        self.state.lifecycle == Lifecycle::Closed
    }

    /// Refuses changes from now on.
    pub(crate) fn close(&mut self) {
        self.state.lifecycle = Lifecycle::Closed;
    }

    /// Checks that the log may be changed.
    pub(crate) fn check_open(&self) -> Result<(), ChangeError> {
        match self.log.directory().poisoned() {
            Some(poisoned) => Err(poisoned.into()),
            None if self.is_closed() => Err(ChangeError::Closed),
            None => Ok(()),
        }
    }

    /// Whether a clean shutdown must write something.
    pub(crate) fn is_changed(&self) -> bool {
        self.state.is_changed
    }

    /// Records that a clean shutdown must write something.
    pub(crate) fn note_change(&mut self) {
        self.state.is_changed = true;
    }

    /// Records that everything is written.
    pub(crate) fn note_saved(&mut self) {
        self.state.is_changed = false;
    }

    pub(crate) fn truncation(&self) -> Option<PendingTruncation> {
        self.state.truncation
    }

    pub(crate) fn set_truncation(&mut self, truncation: Option<PendingTruncation>) {
        self.state.truncation = truncation;
    }
}
