//! Serialises cleanings, and lets other operations cancel the running one.

use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_record::Offset;
use parking_lot::{Mutex, MutexGuard};

/// Allows one cleaning at a time, and ends it early when another operation needs the log. Remembers where the last
/// cleaning ended.
#[derive(Debug)]
pub(crate) struct CleanerTurn {
    busy: Mutex<()>,
    /// The number of operations that wait for the cleaning to end or exclude cleanings.
    pauses: AtomicUsize,
    checkpoint: Mutex<Option<Offset>>,
}

/// Excludes cleanings until it is dropped.
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

    /// Waits until no other cleaning runs.
    pub(crate) fn begin(&self) -> MutexGuard<'_, ()> {
        self.busy.lock()
    }

    /// Stops the running cleaning at its next batch and waits for its end. Call it before taking the append lock.
    pub(crate) fn pause(&self) -> Pause<'_> {
        self.pauses.fetch_add(1, Ordering::SeqCst);
        Pause {
            turn: self,
            _busy: self.busy.lock(),
        }
    }

    /// Whether an operation waits for the cleaning to end.
    pub(crate) fn is_to_stop(&self) -> bool {
        self.pauses.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn checkpoint(&self) -> Option<Offset> {
        *self.checkpoint.lock()
    }

    pub(crate) fn set_checkpoint(&self, offset: Offset) {
        *self.checkpoint.lock() = Some(offset);
    }

    /// Lowers the end of the last cleaning to the offset, after a truncation.
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
