//! A pool of open files. It bounds their number by closing the least recently used ones.
//!
//! The limit of a process for open files and sockets (`ulimit -n`) may be lower than its number of partitions. Log
//! files use at most half of the limit; indexes, checkpoints, connections and the rest of the program share the other
//! half.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::open_files::open_files_max;

/// The greatest size of a pool.
const FILES_MAX: u64 = 1 << 16;
const FILES_MIN: u64 = 8;

/// A file that can be closed and opened again.
pub trait Closable: Send + Sync {
    /// The time of the last use, in opened files ([`FilePool::now`]).
    fn last_used(&self) -> u64;

    /// Whether it is open. Closed files do not count.
    fn is_open(&self) -> bool;

    /// Closes the file unless it is in use. Then it does not count any more.
    fn try_close(&self) -> CloseAttempt;
}

/// The result of an attempt to close a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseAttempt {
    /// The file is closed.
    Closed,
    /// The file stays open.
    InUse,
}

/// The open files of an environment.
pub struct FilePool {
    /// The counted files. Some may have been closed since.
    files: Mutex<Vec<Weak<dyn Closable>>>,
    opens: AtomicU64,
    /// The current limit of the environment for open files.
    limit: fn() -> u64,
}

impl FilePool {
    /// A pool of at most half as many files as this process may open.
    pub(crate) fn of_process() -> FilePool {
        FilePool::with_limit(open_files_max)
    }

    /// A pool of the greatest size.
    pub(crate) fn without_limit() -> FilePool {
        FilePool::with_limit(|| u64::MAX)
    }

    fn with_limit(limit: fn() -> u64) -> FilePool {
        FilePool {
            files: Mutex::default(),
            opens: AtomicU64::new(0),
            limit,
        }
    }

    /// The clock of this pool: the number of files opened so far.
    pub fn now(&self) -> u64 {
        self.opens.load(Ordering::Relaxed)
    }

    /// Counts a file that the caller opens next. First closes others if there are too many.
    pub fn add(&self, file: Weak<dyn Closable>) {
        self.opens.fetch_add(1, Ordering::Relaxed);
        let max = ((self.limit)() / 2).clamp(FILES_MIN, FILES_MAX) as usize;
        let mut files = self.files.lock();
        if files.len() >= max {
            // Close several at once, so that not every open has to search the pool.
            close_oldest(&mut files, max - 1 - max / 32);
        }
        files.push(file);
    }

    /// Closes some of the files, because the system refused to open another.
    pub fn close_some(&self) {
        let mut files = self.files.lock();
        let left = files.len() / 2;
        close_oldest(&mut files, left);
    }
}

impl fmt::Debug for FilePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePool")
            .field("counted", &self.files.lock().len())
            .finish_non_exhaustive()
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
