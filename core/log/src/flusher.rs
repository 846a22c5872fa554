//! Serialises the syncs of a log, and tracks how far it is durable.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use headwater_record::Offset;
use parking_lot::{Condvar, Mutex};

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

    /// Whether syncs are refused.
    pub(crate) fn is_abandoned(&self) -> bool {
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

    /// Drops a registered segment, whose indexes are on disk.
    pub(crate) fn has_saved(&self, base_offset: Offset) {
        self.unsaved.lock().remove(&base_offset);
    }

    /// The milliseconds since the last sync.
    pub(crate) fn waited_ms(&self, now: Duration) -> u64 {
        let last_ms = self.last_flush_ms.load(Ordering::Relaxed);
        (now.as_millis() as u64).saturating_sub(last_ms)
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
    pub(crate) fn turn_unless_flushed(&self, offset: Offset) -> Option<FlushTurn<'_>> {
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
    /// Sets the end of the durable records.
    pub(crate) fn set_durable_end(&self, offset: Offset) {
        self.flusher
            .durable_end
            .store(offset.get(), Ordering::Release);
    }

    /// Records a sync of everything before `offset`.
    pub(crate) fn has_synced(&self, offset: Offset, now: Duration) {
        self.set_durable_end(offset.max(self.flusher.durable_end()));
        let now_ms = now.as_millis() as u64;
        self.flusher.last_flush_ms.store(now_ms, Ordering::Relaxed);
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
