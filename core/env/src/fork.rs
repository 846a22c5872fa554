//! What `fork()` does to a process: how to notice it, and how to keep values and open files from being inherited.
//!
//! A child of `fork()` has the memory of its parent, without the other threads, and shares its open files. So a mutex may be locked for
//! ever, and a lock on an open file has two holders. Values of the whole process live in a [`PerProcess`]; files that carry a lock are
//! opened as [`OwnFile`].
#![allow(
    unsafe_code,
    reason = "hooks of the C library have no safe face, and what they reach must outlive every thread"
)]

use std::cell::UnsafeCell;
use std::fs;
use std::io;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::os::fd::{AsRawFd as _, RawFd};
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

/// How many forks lie between this process and the one that first asked.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// The descriptors of every [`OwnFile`]. Held while a process forks, so that a child closes all of them.
static OWN_FILES: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

/// The guard of [`OWN_FILES`] while a process forks.
static FORKING: Forking = Forking(UnsafeCell::new(None));

struct Forking(UnsafeCell<Option<MutexGuard<'static, Vec<RawFd>>>>);

// SAFETY: only the hooks of a fork touch the cell. `before` puts in the guard of a mutex and the hook behind it takes it out, in the same
// thread: the mutex keeps other forks away in between.
unsafe impl Sync for Forking {}

/// How many forks lie between this process and the one that first asked: two processes with the same memory have different numbers.
/// Only `fork()` of the C library counts.
#[inline]
pub fn forks() -> u32 {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        // SAFETY: the hooks are functions of this library, which is never unloaded. The call fails only without memory.
        unsafe { libc::pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child)) };
    });
    FORKS.load(Ordering::Relaxed)
}

fn own_files() -> MutexGuard<'static, Vec<RawFd>> {
    OWN_FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

unsafe extern "C" fn before() {
    let guard = own_files();
    // SAFETY: see `Forking`.
    unsafe { *FORKING.0.get() = Some(guard) };
}

unsafe extern "C" fn after_in_parent() {
    // SAFETY: see `Forking`.
    drop(unsafe { (*FORKING.0.get()).take() });
}

unsafe extern "C" fn after_in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: see `Forking`.
    let guard = unsafe { (*FORKING.0.get()).take() };
    let Some(mut files) = guard else { return };
    for file in &*files {
        // SAFETY: it belongs to an `OwnFile` of the parent, which is neither used nor dropped in this process.
        unsafe { libc::close(*file) };
    }
    files.clear();
}

/// A file that a child of `fork()` does not inherit: its copy is closed at the fork. So a lock on it has one holder.
#[derive(Debug)]
pub(crate) struct OwnFile {
    file: ManuallyDrop<fs::File>,
    forks: u32,
}

impl OwnFile {
    /// Opens `path`.
    pub(crate) fn open(options: &fs::OpenOptions, path: &Path) -> io::Result<Self> {
        let forks = forks();
        // No fork may come between opening and remembering.
        let mut files = own_files();
        let file = options.open(path)?;
        files.push(file.as_raw_fd());
        Ok(Self {
            file: ManuallyDrop::new(file),
            forks,
        })
    }

    /// The file, in the process that opened it.
    pub(crate) fn get(&self) -> io::Result<&fs::File> {
        if self.forks == forks() {
            Ok(&self.file)
        } else {
            Err(opened_by_the_parent())
        }
    }
}

impl Drop for OwnFile {
    fn drop(&mut self) {
        if self.forks != forks() {
            // Its number may stand for another file by now.
            return;
        }
        let mut files = own_files();
        files.retain(|file| *file != self.file.as_raw_fd());
        // SAFETY: this is the only place that drops it, and `self` ends here.
        unsafe { ManuallyDrop::drop(&mut self.file) };
    }
}

/// Why a child of `fork()` may not change a file.
pub(crate) fn opened_by_the_parent() -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        "it was opened before a fork, and only the parent may use it",
    )
}

/// A value of the process that a child of `fork()` does not inherit: there it is made anew at its first use. That of the parent is left as
/// it is, because a thread that is gone may have been changing it.
#[derive(Debug)]
pub struct PerProcess<T: 'static> {
    made: AtomicPtr<Made<T>>,
    make: fn() -> T,
}

#[derive(Debug)]
struct Made<T> {
    forks: u32,
    value: T,
}

impl<T: Send + Sync> PerProcess<T> {
    /// A value that `make` makes at its first use in each process.
    pub const fn new(make: fn() -> T) -> Self {
        Self {
            made: AtomicPtr::new(ptr::null_mut()),
            make,
        }
    }

    /// The value of this process.
    pub fn get(&self) -> &'static T {
        let forks = forks();
        let mut seen = self.made.load(Ordering::Acquire);
        loop {
            // SAFETY: it is null, or was leaked below, whole, and nothing changes or frees it.
            if let Some(made) = unsafe { seen.as_ref() }
                && made.forks == forks
            {
                return &made.value;
            }
            let value = (self.make)();
            let made = Box::into_raw(Box::new(Made { forks, value }));
            let swapped =
                self.made
                    .compare_exchange(seen, made, Ordering::AcqRel, Ordering::Acquire);
            if let Err(other) = swapped {
                // SAFETY: it came from a box just now, and nobody else has seen it.
                drop(unsafe { Box::from_raw(made) });
                seen = other;
            } else {
                seen = made;
            }
        }
    }
}

impl<T: Send + Sync> Deref for PerProcess<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.get()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::{Env as _, File as _, Lock as _, LockError, OpenMode, RealEnv};

    /// Runs `check` in a child of `fork()`; whether it held.
    fn holds_in_child(check: impl FnOnce() -> bool) -> bool {
        // SAFETY: the child runs `check`, which takes no lock that another thread of the test may hold, and ends without cleaning up.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let held = check();
            // SAFETY: it ends the process.
            unsafe { libc::_exit(i32::from(!held)) };
        }
        let mut status = -1;
        // SAFETY: it waits for our own child, and writes one number.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        status == 0
    }

    #[test]
    fn a_child_makes_its_own_values() {
        static VALUE: PerProcess<AtomicU64> = PerProcess::new(|| AtomicU64::new(7));
        VALUE.store(8, Ordering::SeqCst);
        let before = forks();
        assert!(holds_in_child(
            || forks() == before + 1 && VALUE.load(Ordering::SeqCst) == 7
        ));
        assert_eq!((forks(), VALUE.load(Ordering::SeqCst)), (before, 8));
    }

    #[test]
    fn a_child_has_no_part_in_a_lock_and_changes_no_file_of_its_parent() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join(".lock");
        let held = RealEnv.lock(&path).map_err(io::Error::other)?;
        let file = RealEnv.open_file(&dir.path().join("log"), OpenMode::Create)?;
        file.write_all_at(b"parent", 0)?;
        assert!(holds_in_child(|| {
            let is_refused = matches!(RealEnv.lock(&path), Err(LockError::Held { pid: Some(_) }));
            let changes = [
                file.write_all_at(b"child", 0),
                file.set_len(0),
                file.sync_data(),
            ];
            let in_force = held.is_in_force();
            drop(held);
            is_refused && !in_force && changes.iter().all(Result::is_err)
        }));
        assert_eq!(file.read_bytes(0, 9)?, "parent");
        Ok(())
    }

    #[test]
    fn a_child_that_lives_on_keeps_no_lock() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        let own = OwnFile::open(fs::OpenOptions::new().read(true), dir.path())?;
        own.get()?.lock()?;
        // SAFETY: the child does nothing but wait for its end.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            loop {
                // SAFETY: it waits for a signal.
                unsafe { libc::pause() };
            }
        }
        // As if the parent had died: its file is closed, and nothing else is done.
        // SAFETY: nobody uses it from here on.
        unsafe { libc::close(own.get()?.as_raw_fd()) };
        std::mem::forget(own);
        let other = fs::File::open(dir.path())?;
        let free = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            other.try_lock().is_ok()
        });
        // SAFETY: it is our own child.
        unsafe { libc::kill(pid, libc::SIGKILL) };
        assert!(free);
        Ok(())
    }
}
