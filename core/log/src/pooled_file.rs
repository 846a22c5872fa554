//! A file that is opened on use, and closed when it is idle or too many files are open.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use headwater_env::{Closable, CloseAttempt, Env, File, FilePool, OpenMode, is_out_of_files};
use parking_lot::Mutex;

/// A file that is opened on first use and counted in the pool of its environment.
///
/// Invariant: the file is synced before it is closed, because the system reports a failed write only through an open
/// descriptor. If the sync before closing fails, the next call of [`sync`](Self::sync) reports it.
#[derive(Debug)]
pub(crate) struct PooledFile<F> {
    shared: Arc<SharedSlot<F>>,
}

#[derive(Debug)]
struct SharedSlot<F> {
    slot: Mutex<Slot<F>>,
    last_used: AtomicU64,
}

#[derive(Debug)]
struct Slot<F> {
    file: Option<Arc<F>>,
    /// Whether the pool counts the file as open.
    is_counted: bool,
    is_used: bool,
    is_kept: bool,
    state: SyncState,
    sync_error: Option<io::Error>,
}

/// The durability of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SyncState {
    /// Nothing was written since this process first opened it; whether it is on disk is unknown.
    Unknown,
    /// Written but not synced.
    Unsynced,
    /// Completely on disk.
    Synced,
}

impl<F: File> PooledFile<F> {
    pub(crate) fn closed() -> Self {
        let slot = Slot {
            file: None,
            is_counted: false,
            is_used: false,
            is_kept: false,
            state: SyncState::Unknown,
            sync_error: None,
        };
        let shared = SharedSlot {
            slot: Mutex::new(slot),
            last_used: AtomicU64::new(0),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Opens the file if necessary. It stays open at least as long as the result lives.
    pub(crate) fn get<E: Env<File = F>>(
        &self,
        env: &E,
        path: impl FnOnce() -> Box<Path>,
    ) -> io::Result<Arc<F>> {
        let mut slot = self.shared.slot.lock();
        self.open(env.file_pool(), &mut slot, || {
            let path = path();
            let open = || env.open_file(&path, OpenMode::Write);
            match open() {
                Err(error) if is_out_of_files(&error) => {
                    env.file_pool().close_some();
                    open()
                }
                opened => opened,
            }
        })
    }

    /// Replaces the file by the one that `make` returns, which is open.
    pub(crate) fn put<E: Env<File = F>>(
        &self,
        env: &E,
        make: impl FnOnce() -> io::Result<F>,
    ) -> io::Result<()> {
        let mut slot = self.shared.slot.lock();
        slot.file = None;
        self.open(env.file_pool(), &mut slot, make)?;
        slot.is_kept = false;
        slot.state = SyncState::Unknown;
        Ok(())
    }

    fn open(
        &self,
        pool: &FilePool,
        slot: &mut Slot<F>,
        open: impl FnOnce() -> io::Result<F>,
    ) -> io::Result<Arc<F>> {
        slot.is_used = true;
        self.shared.last_used.store(pool.now(), Ordering::Relaxed);
        if let Some(file) = &slot.file {
            return Ok(Arc::clone(file));
        }
        if !slot.is_counted {
            let shared: Weak<SharedSlot<F>> = Arc::downgrade(&self.shared);
            pool.add(shared);
            slot.is_counted = true;
        }
        let file = Arc::new(open()?);
        slot.file = Some(Arc::clone(&file));
        Ok(file)
    }

    /// Records a write or a truncation. The caller still holds the file, so it was not closed meanwhile.
    pub(crate) fn note_written(&self) {
        self.shared.slot.lock().state = SyncState::Unsynced;
    }

    /// Syncs everything that was written. Also fails if the sync before closing the file failed.
    pub(crate) fn sync<E: Env<File = F>>(
        &self,
        env: &E,
        path: impl FnOnce() -> Box<Path>,
    ) -> io::Result<()> {
        if let Some(error) = self.shared.slot.lock().sync_error.take() {
            return Err(error);
        }
        if self.is_synced() {
            return Ok(());
        }
        let file = self.get(env, path)?;
        // Before the sync: a write during the sync is not known to be synced.
        self.note_synced();
        let synced = file.sync_data();
        if synced.is_err() {
            self.note_written();
        }
        synced
    }

    /// Whether everything written is known to be on disk.
    pub(crate) fn is_synced(&self) -> bool {
        let slot = self.shared.slot.lock();
        slot.state == SyncState::Synced && slot.sync_error.is_none()
    }

    /// Records that everything written is on disk.
    pub(crate) fn note_synced(&self) {
        self.shared.slot.lock().state = SyncState::Synced;
    }

    /// Keeps an open file open as long as this object lives.
    pub(crate) fn keep_open(&self) {
        self.shared.slot.lock().is_kept = true;
    }

    /// Closes the file unless it was used since the last call.
    pub(crate) fn close_if_idle(&self) {
        let was_used = std::mem::take(&mut self.shared.slot.lock().is_used);
        if !was_used && let Some(mut slot) = self.shared.slot.try_lock() {
            slot.close();
        }
    }
}

impl<F: File> Slot<F> {
    /// Closes the file unless it is in use.
    fn close(&mut self) -> CloseAttempt {
        let Some(file) = &self.file else {
            return CloseAttempt::Closed;
        };
        if self.is_kept || Arc::strong_count(file) > 1 {
            return CloseAttempt::InUse;
        }
        if self.state == SyncState::Unsynced {
            if let Err(error) = file.sync_data() {
                self.sync_error = Some(error);
                return CloseAttempt::InUse;
            }
            self.state = SyncState::Synced;
        }
        self.file = None;
        CloseAttempt::Closed
    }
}

impl<F: File> Closable for SharedSlot<F> {
    fn last_used(&self) -> u64 {
        self.last_used.load(Ordering::Relaxed)
    }

    fn is_open(&self) -> bool {
        // The thread that opens a file holds the file's lock and waits for the list of open files: do not wait for that
        // thread here.
        self.slot.try_lock().is_none_or(|mut slot| {
            slot.is_counted = slot.file.is_some();
            slot.is_counted
        })
    }

    fn try_close(&self) -> CloseAttempt {
        let Some(mut slot) = self.slot.try_lock() else {
            return CloseAttempt::InUse;
        };
        let closed = slot.close();
        slot.is_counted = closed == CloseAttempt::InUse;
        closed
    }
}

#[cfg(test)]
mod tests {
    use headwater_env::{Fault, Operation, SimEnv, Times};

    use super::*;

    fn path() -> Box<Path> {
        Path::new("/0.log").into()
    }

    fn written(env: &SimEnv) -> PooledFile<headwater_env::SimFile> {
        let pooled = PooledFile::closed();
        let make = || env.open_file(&path(), OpenMode::CreateNew);
        pooled.put(env, make).unwrap();
        let file = pooled.get(env, path).unwrap();
        file.write_all_at(b"batch", 0).unwrap();
        pooled.note_written();
        pooled
    }

    #[test]
    fn idle_files_are_synced_and_closed() {
        let env = SimEnv::new(1);
        let pooled = written(&env);
        let held = pooled.get(&env, path).unwrap();
        assert_eq!(pooled.shared.try_close(), CloseAttempt::InUse);
        drop(held);
        assert_eq!(pooled.shared.try_close(), CloseAttempt::Closed);
        assert_eq!(env.calls(Operation::Sync), 1);
        let opened = env.calls(Operation::Open);
        pooled.sync(&env, path).unwrap();
        assert_eq!(env.calls(Operation::Sync), 1, "it is on the disk already");
        assert_eq!(env.calls(Operation::Open), opened);
        pooled.get(&env, path).unwrap();
        assert_eq!(env.calls(Operation::Open), opened + 1);
    }

    #[test]
    fn the_next_sync_reports_a_failed_sync_on_closing() {
        let env = SimEnv::new(1);
        let pooled = written(&env);
        env.inject(Fault {
            operation: Operation::Sync,
            nth: 0,
            times: Times::Once,
            error: io::ErrorKind::Other,
        });
        assert_eq!(pooled.shared.try_close(), CloseAttempt::InUse);
        assert!(!pooled.is_synced());
        pooled.sync(&env, path).unwrap_err();
    }

    #[test]
    fn files_that_are_kept_open_stay_open() {
        let env = SimEnv::new(1);
        let pooled = written(&env);
        pooled.keep_open();
        pooled.close_if_idle();
        pooled.close_if_idle();
        assert_eq!(pooled.shared.try_close(), CloseAttempt::InUse);
    }
}
