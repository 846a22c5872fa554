//! Who may clean, and who may stop him.

use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_record::Offset;
use parking_lot::{Mutex, MutexGuard};

/// One cleaning at a time, which ends early when somebody wants the log for himself; and where the last one ended.
#[derive(Debug)]
pub(crate) struct CleanerTurn {
    busy: Mutex<()>,
    /// How many wait for the cleaning to end, or work where none may be.
    pauses: AtomicUsize,
    checkpoint: Mutex<Option<Offset>>,
}

/// No cleaning runs, and none begins, until this is dropped.
pub(crate) struct Pause<'a> {
    turn: &'a CleanerTurn,
    _busy: MutexGuard<'a, ()>,
}

impl CleanerTurn {
    pub(crate) fn new(checkpoint: Option<Offset>) -> Self {
        Self {
            busy: Mutex::new(()),
            pauses: AtomicUsize::new(0),
            checkpoint: Mutex::new(checkpoint),
        }
    }

    /// Waits for the right to clean.
    pub(crate) fn begin(&self) -> MutexGuard<'_, ()> {
        self.busy.lock()
    }

    /// Stops a cleaning at its next batch and waits for it. Taken before the append lock.
    pub(crate) fn pause(&self) -> Pause<'_> {
        self.pauses.fetch_add(1, Ordering::SeqCst);
        Pause {
            turn: self,
            _busy: self.busy.lock(),
        }
    }

    /// Is somebody waiting for the cleaning to end?
    pub(crate) fn is_to_stop(&self) -> bool {
        self.pauses.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn checkpoint(&self) -> Option<Offset> {
        *self.checkpoint.lock()
    }

    pub(crate) fn set_checkpoint(&self, offset: Offset) {
        *self.checkpoint.lock() = Some(offset);
    }

    /// Nothing from the offset on has been cleaned: the log was cut there.
    pub(crate) fn cut_to(&self, offset: Offset) {
        let mut checkpoint = self.checkpoint.lock();
        *checkpoint = checkpoint.map(|cleaned_to| cleaned_to.min(offset));
    }
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.turn.pauses.fetch_sub(1, Ordering::SeqCst);
    }
}
