//! The process-wide pool of open log files. It bounds their number by closing the least recently used ones.
//!
//! The limit of a process for open files and sockets (`ulimit -n`) may be lower than its number of partitions. Log
//! files use at most half of the limit; indexes, checkpoints, connections and the rest of the program share the other
//! half.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use headwater_env::{PerProcess, open_files_max};
use parking_lot::Mutex;

/// The size of the pool if the process has no limit, or a very high one.
const FILES_MAX: u64 = 1 << 16;
const FILES_MIN: u64 = 8;

/// A file that can be closed and opened again.
pub(crate) trait Closable: Send + Sync {
    /// The time of the last use, in opened files ([`OpenFiles::now`]).
    fn last_used(&self) -> u64;

    /// Whether it is open. Closed files do not count.
    fn is_open(&self) -> bool;

    /// Closes the file unless it is in use. Then it does not count any more.
    fn try_close(&self) -> CloseAttempt;
}

/// The result of an attempt to close a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseAttempt {
    Closed,
    InUse,
}

/// The open files of a process.
#[derive(Default)]
pub(crate) struct OpenFiles {
    /// The counted files. Some may have been closed since.
    files: Mutex<Vec<Weak<dyn Closable>>>,
    opens: AtomicU64,
}

static OPEN_FILES: PerProcess<OpenFiles> = PerProcess::new(OpenFiles::default);

impl OpenFiles {
    /// The pool of this process.
    pub(crate) fn of_process() -> &'static Self {
        OPEN_FILES.get()
    }

    /// The clock of this pool: the number of files opened so far.
    pub(crate) fn now(&self) -> u64 {
        self.opens.load(Ordering::Relaxed)
    }

    /// Counts a file that the caller opens next. First closes others if there are too many.
    pub(crate) fn add(&self, file: Weak<dyn Closable>) {
        self.opens.fetch_add(1, Ordering::Relaxed);
        let max = (open_files_max() / 2).clamp(FILES_MIN, FILES_MAX) as usize;
        let mut files = self.files.lock();
        if files.len() >= max {
            // Close several at once, so that not every open has to search the pool.
            close_oldest(&mut files, max - 1 - max / 32);
        }
        files.push(file);
    }

    /// Closes some of the files, because the system refused to open another.
    pub(crate) fn close_some(&self) {
        let mut files = self.files.lock();
        let left = files.len() / 2;
        close_oldest(&mut files, left);
    }
}

/// Closes the least recently used files until `left` are open.
fn close_oldest(files: &mut Vec<Weak<dyn Closable>>, left: usize) {
    let mut by_use: Vec<(u64, Arc<dyn Closable>)> = files
        .drain(..)
        .filter_map(|file| file.upgrade())
        .filter(|file| file.is_open())
        .map(|file| (file.last_used(), file))
        .collect();
    by_use.sort_by_key(|(last_used, _)| *last_used);
    let mut surplus = by_use.len().saturating_sub(left);
    for (_, file) in by_use {
        if surplus > 0 && file.try_close() == CloseAttempt::Closed {
            surplus -= 1;
        } else {
            files.push(Arc::downgrade(&file));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    struct FakeFile {
        last_used: u64,
        is_busy: bool,
        is_open: AtomicBool,
    }

    impl Closable for FakeFile {
        fn last_used(&self) -> u64 {
            self.last_used
        }

        fn is_open(&self) -> bool {
            self.is_open.load(Ordering::Relaxed)
        }

        fn try_close(&self) -> CloseAttempt {
            if self.is_busy {
                return CloseAttempt::InUse;
            }
            self.is_open.store(false, Ordering::Relaxed);
            CloseAttempt::Closed
        }
    }

    #[test]
    fn the_least_recently_used_idle_files_are_closed() {
        let file = |(last_used, is_busy, is_open)| {
            Arc::new(FakeFile {
                last_used,
                is_busy,
                is_open: AtomicBool::new(is_open),
            })
        };
        let states = [
            (5, false, true),
            (1, true, true),
            (2, false, true),
            (3, false, true),
            (9, false, true),
            (0, false, false),
        ];
        let files = states.map(file);
        let mut counted: Vec<Weak<dyn Closable>> = files
            .iter()
            .map(|file| -> Weak<dyn Closable> { Arc::downgrade(file) as _ })
            .collect();
        counted.push(Arc::downgrade(&file((7, false, true))) as Weak<dyn Closable>);
        close_oldest(&mut counted, 3);
        let open = files.each_ref().map(|file| file.is_open());
        assert_eq!(open, [true, true, false, false, true, false]);
        assert_eq!(counted.len(), 3, "closed and dropped files do not count");
    }
}
