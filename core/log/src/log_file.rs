//! The log file of a segment: opened when it is needed, closed when nobody has used it for a while.

use std::io;
use std::path::Path;
use std::sync::Arc;

use headwater_env::{Env, OpenMode};
use parking_lot::Mutex;

/// A file that is opened at the first use. Thousands of segments would need more descriptors than a process may have.
#[derive(Debug)]
pub(crate) struct LogFile<F> {
    slot: Mutex<Slot<F>>,
}

#[derive(Debug)]
struct Slot<F> {
    file: Option<Arc<F>>,
    used: bool,
    kept: bool,
}

impl<F> LogFile<F> {
    pub(crate) fn closed() -> Self {
        Self {
            slot: Mutex::new(Slot {
                file: None,
                used: false,
                kept: false,
            }),
        }
    }

    /// The open file; it stays open at least as long as the result lives.
    pub(crate) fn get<E: Env<File = F>>(
        &self,
        env: &E,
        path: impl FnOnce() -> Box<Path>,
    ) -> io::Result<Arc<F>> {
        let mut slot = self.slot.lock();
        slot.used = true;
        if let Some(file) = &slot.file {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(env.open_file(&path(), OpenMode::Write)?);
        slot.file = Some(Arc::clone(&file));
        Ok(file)
    }

    /// Puts in a file that was just made.
    pub(crate) fn put(&self, file: F) {
        *self.slot.lock() = Slot {
            file: Some(Arc::new(file)),
            used: true,
            kept: false,
        };
    }

    /// Keeps the file open, if it is, as long as this lives.
    pub(crate) fn keep_open(&self) {
        self.slot.lock().kept = true;
    }

    /// Closes the file unless it was used since the last call. Only for a file whose every byte is known to be on disk: a failed write
    /// back is reported to those who had the file open.
    pub(crate) fn close_if_idle(&self) {
        let mut slot = self.slot.lock();
        if !slot.used && !slot.kept {
            slot.file = None;
        }
        slot.used = false;
    }
}
