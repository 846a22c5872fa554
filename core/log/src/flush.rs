//! Making records durable: one fsync for all who wait (group commit), outside the append lock.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use headwater_env::Env;
use headwater_record::Offset;
use parking_lot::{Condvar, Mutex};

use crate::error::{FileError, FlushError};
use crate::index_file::SyncTime;
use crate::mutants::{self, Mutant};
use crate::partition_log::PartitionLog;
use crate::segment::Segment;
use crate::view::View;

/// Who syncs, and how far it has come.
#[derive(Debug)]
pub(crate) struct Flusher {
    /// Is someone syncing?
    busy: Mutex<bool>,
    idle: Condvar,
    /// First offset not known to be fsynced.
    durable_end: AtomicI64,
    /// Base offsets of the sealed segments whose indexes are not on disk.
    unsaved: Mutex<BTreeSet<Offset>>,
    /// Monotonic milliseconds of the last sync.
    last_flush_ms: AtomicU64,
    /// Stops all syncs, because the files are about to be removed.
    abandoned: AtomicBool,
}

/// The right to sync and to move the recovery point: one at a time.
pub(crate) struct FlushTurn<'a> {
    flusher: &'a Flusher,
}

impl Flusher {
    pub(crate) fn new(recovery_point: Offset, now: Duration) -> Self {
        Self {
            busy: Mutex::new(false),
            idle: Condvar::new(),
            durable_end: AtomicI64::new(recovery_point.get()),
            unsaved: Mutex::new(BTreeSet::new()),
            last_flush_ms: AtomicU64::new(now.as_millis() as u64),
            abandoned: AtomicBool::new(false),
        }
    }

    /// First offset not known to be fsynced.
    pub(crate) fn durable_end(&self) -> Offset {
        Offset::new(self.durable_end.load(Ordering::Acquire))
    }

    /// Waits for a sync at work and lets no other begin.
    pub(crate) fn abandon(&self) {
        let _turn = self.turn();
        self.abandoned.store(true, Ordering::Release);
    }

    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }

    /// Where recovery must begin after a crash: all before it is durable, indexes too.
    pub(crate) fn recovery_point(&self) -> Offset {
        let unsaved = self.unsaved.lock().first().copied();
        self.durable_end().min(unsaved.unwrap_or(Offset::MAX))
    }

    /// A segment was sealed: its indexes are to be saved.
    pub(crate) fn has_sealed(&self, base_offset: Offset) {
        self.unsaved.lock().insert(base_offset);
    }

    /// Forgets the sealed segments that are not within these, because they are gone or active again.
    pub(crate) fn keep_sealed(&self, from: Offset, upper: Offset) {
        self.unsaved
            .lock()
            .retain(|base_offset| (from..upper).contains(base_offset));
    }

    /// Waits for the right to sync.
    pub(crate) fn turn(&self) -> FlushTurn<'_> {
        let mut busy = self.busy.lock();
        while *busy {
            self.idle.wait(&mut busy);
        }
        *busy = true;
        FlushTurn { flusher: self }
    }

    /// The right to sync, or `None` after someone else has made everything before `offset` durable, or has tried.
    fn turn_unless_flushed(&self, offset: Offset) -> Option<FlushTurn<'_>> {
        let mut busy = self.busy.lock();
        while self.durable_end() < offset {
            if !*busy {
                *busy = true;
                return Some(FlushTurn { flusher: self });
            }
            self.idle.wait(&mut busy);
        }
        None
    }
}

impl FlushTurn<'_> {
    /// Moves the end of what is durable.
    pub(crate) fn set_durable_end(&self, offset: Offset) {
        self.flusher
            .durable_end
            .store(offset.get(), Ordering::Release);
    }

    /// Nothing from the offset on is durable: the log was cut there.
    pub(crate) fn cut_to(&self, offset: Offset) {
        self.set_durable_end(self.flusher.durable_end().min(offset));
    }
}

impl Drop for FlushTurn<'_> {
    fn drop(&mut self) {
        *self.flusher.busy.lock() = false;
        self.flusher.idle.notify_all();
    }
}

impl<E: Env> PartitionLog<E> {
    /// Makes everything appended so far durable, and the indexes of sealed segments too; returns the new recovery point. Fails after a
    /// failed sync, whether or not there is anything to do.
    pub fn flush(&self) -> Result<Offset, FlushError> {
        if let Some(poisoned) = self.poisoned() {
            return Err(poisoned.into());
        }
        if self.recovery_point() < self.log_end_offset() {
            let end = self.log_end_offset();
            let turn = self.flusher.turn();
            if self.recovery_point() < end {
                self.sync(&turn)?;
            }
        }
        Ok(self.recovery_point())
    }

    /// Returns when everything before `offset` is durable. Callers share an fsync: one of them does it, for all that was appended when it
    /// began; the others wait. After a failed fsync the partition is read-only: it is never tried again.
    pub fn wait_flushed(&self, offset: Offset) -> Result<(), FlushError> {
        loop {
            if self.flusher.durable_end() >= offset {
                return Ok(());
            }
            if let Some(poisoned) = self.poisoned() {
                return Err(poisoned.into());
            }
            let offset = offset.min(self.log_end_offset());
            match self.flusher.turn_unless_flushed(offset) {
                None => return Ok(()),
                Some(turn) => self.sync(&turn)?,
            }
        }
    }

    /// Flushes when `flush.messages` or `flush.ms` say so, or when a sealed segment waits for it; returns whether it did.
    pub fn flush_if_due(&self) -> Result<bool, FlushError> {
        let config = self.config_now();
        let view = self.view();
        let unflushed = (view.log_end_offset - self.recovery_point()) as u64;
        if unflushed == 0 || self.poison.get().is_some() {
            return Ok(false);
        }
        let now_ms = self.env.monotonic().as_millis() as u64;
        let waited_ms = now_ms.saturating_sub(self.flusher.last_flush_ms.load(Ordering::Relaxed));
        let has_unflushed_seal = self.recovery_point() < view.segments.active().base_offset();
        let is_due = unflushed >= config.flush_messages
            || waited_ms >= config.flush_ms
            || has_unflushed_seal;
        if is_due {
            self.flush()?;
        }
        Ok(is_due)
    }

    /// Syncs everything that is in the log now and not yet known to be on disk.
    pub(crate) fn sync(&self, turn: &FlushTurn<'_>) -> Result<(), FlushError> {
        if let Some(poisoned) = self.poisoned() {
            return Err(poisoned.into());
        }
        let view = self.view();
        if self.flusher.is_abandoned() {
            turn.set_durable_end(view.log_end_offset);
            return Ok(());
        }
        let first = view.segments.floor(self.recovery_point()).unwrap_or(0);
        for index in first..view.segments.list().len() {
            self.sync_segment(&view, index)?;
            let segment = &view.segments.list()[index];
            if !view.segments.is_active(index) && save_indexes(segment) {
                self.flusher.unsaved.lock().remove(&segment.base_offset());
            }
        }
        self.sync_directory()
            .map_err(|error| self.flush_error(error))?;
        turn.set_durable_end(view.log_end_offset.max(self.flusher.durable_end()));
        let now_ms = self.env.monotonic().as_millis() as u64;
        self.flusher.last_flush_ms.store(now_ms, Ordering::Relaxed);
        Ok(())
    }

    fn sync_segment(&self, view: &View<E>, index: usize) -> Result<(), FlushError> {
        let segment = &view.segments.list()[index];
        if segment.is_synced() || mutants::is_active(Mutant::SkipFsync) {
            return Ok(());
        }
        match segment.sync() {
            Ok(()) => Ok(()),
            // Retention took the segment away meanwhile: nobody needs it to be durable.
            Err(error) if self.is_gone(segment.base_offset()) => {
                tracing::debug!(%error, "a segment was deleted before it was synced");
                Ok(())
            }
            Err(error) => {
                let error = self.sync_error(error);
                Err(self.flush_error(error))
            }
        }
    }

    /// What a flush ends with after a failed sync.
    fn flush_error(&self, error: FileError) -> FlushError {
        match self.poisoned() {
            Some(poisoned) => poisoned.into(),
            None => FlushError::File(error),
        }
    }

    fn is_gone(&self, base_offset: Offset) -> bool {
        self.view.read().segments.list()[0].base_offset() > base_offset
    }
}

/// Writes the indexes of a sealed segment, which recovery will not read again once the recovery point has passed it. If that fails, for
/// lack of space perhaps, its records are durable all the same; the next flush tries again.
fn save_indexes<E: Env>(segment: &Segment<E>) -> bool {
    match segment.save_indexes(SyncTime::Now) {
        Ok(()) => {
            segment.release_indexes();
            true
        }
        Err(error) => {
            tracing::warn!(%error, "indexes could not be written; after a crash the segment would be read again");
            false
        }
    }
}
