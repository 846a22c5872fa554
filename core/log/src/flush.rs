//! Makes records durable: one fsync for all callers that wait (group commit), outside the append lock.

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

/// Serialises syncs and tracks their progress.
#[derive(Debug)]
pub(crate) struct Flusher {
    /// Whether a sync is running.
    busy: Mutex<bool>,
    idle: Condvar,
    /// The first offset that is not known to be fsynced.
    durable_end: AtomicI64,
    /// Base offsets of the sealed segments whose indexes are not on disk.
    unsaved: Mutex<BTreeSet<Offset>>,
    /// The time of the last sync, in monotonic milliseconds.
    last_flush_ms: AtomicU64,
    /// Refuses all syncs, because the files are about to be removed.
    abandoned: AtomicBool,
}

/// The right to sync and to move the recovery point. At most one exists at a time.
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

    /// The first offset that is not known to be fsynced.
    pub(crate) fn durable_end(&self) -> Offset {
        Offset::new(self.durable_end.load(Ordering::Acquire))
    }

    /// Waits for the running sync and refuses any later one.
    pub(crate) fn abandon(&self) {
        let _turn = self.turn();
        self.abandoned.store(true, Ordering::Release);
    }

    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }

    /// The offset where recovery starts after a crash: everything before it is durable, including indexes.
    pub(crate) fn recovery_point(&self) -> Offset {
        let unsaved = self.unsaved.lock().first().copied();
        self.durable_end().min(unsaved.unwrap_or(Offset::MAX))
    }

    /// Registers a sealed segment, whose indexes the next flush saves.
    pub(crate) fn has_sealed(&self, base_offset: Offset) {
        self.unsaved.lock().insert(base_offset);
    }

    /// Drops the registered segments outside this range: they were removed or are active again.
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

    /// The right to sync; `None` if another thread has meanwhile made everything before `offset` durable, or failed to.
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
    /// Raises the end of the durable records.
    pub(crate) fn set_durable_end(&self, offset: Offset) {
        self.flusher
            .durable_end
            .store(offset.get(), Ordering::Release);
    }

    /// Lowers the end of the durable records to the offset, after a truncation.
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
    /// Makes everything appended so far durable, and the indexes of sealed segments. Returns the new recovery point.
    /// After a failed sync it always fails, even with nothing to flush.
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

    /// Returns when everything before `offset` is durable. Callers share an fsync: one of them syncs everything
    /// appended so far, the others wait. After a failed fsync the partition is read-only, and no fsync is tried again.
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

    /// Flushes if `flush.messages` or `flush.ms` require it, or if a sealed segment waits for it. Returns whether it
    /// flushed.
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

    /// Syncs everything that is in the log now and may not be on disk.
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
            // Retention removed the segment during the sync, so it need not be durable.
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

    /// The error of a flush after a failed sync.
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

/// Writes the indexes of a sealed segment; recovery does not read the segment again once the recovery point has passed
/// it. If the write fails, for lack of space for example, the records are durable all the same, and the next flush
/// tries again.
fn save_indexes<E: Env>(segment: &Segment<E>) -> bool {
    match segment.save_indexes(SyncTime::Now) {
        Ok(()) => {
            segment.release_indexes();
            true
        }
        Err(error) => {
            tracing::warn!(%error, "the indexes of a segment could not be written; after a crash recovery would read the segment again");
            false
        }
    }
}
