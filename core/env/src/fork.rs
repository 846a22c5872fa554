//! Detects `fork()` and protects values and open files from it.
//!
//! A child of `fork()` has the memory of its parent without the other threads, and shares its open files. So a mutex
//! may stay locked for ever, and a lock on an open file has two holders. Values of the process are in a [`PerProcess`];
//! files that carry a lock are opened as [`OwnFile`].
#![allow(
    unsafe_code,
    reason = "fork hooks of the C library have no safe interface, and their data must outlive every thread"
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

/// The number of forks between this process and the first one that called [`forks`].
static FORKS: AtomicU32 = AtomicU32::new(0);

/// The descriptors of every [`OwnFile`]. Locked during a fork, so that a child closes all of them.
static OWN_FILES: Mutex<Vec<RawFd>> = Mutex::new(Vec::new());

/// The guard of [`OWN_FILES`] during a fork.
static FORK_GUARD: ForkGuard = ForkGuard(UnsafeCell::new(None));

struct ForkGuard(UnsafeCell<Option<MutexGuard<'static, Vec<RawFd>>>>);

// SAFETY: only the fork hooks use the cell. `before` stores the guard of a mutex, and the next hook removes it in the
// same thread; the mutex excludes other forks in between.
unsafe impl Sync for ForkGuard {}

/// The number of forks between this process and the first caller; it distinguishes two processes with the same memory.
/// Only `fork()` of the C library is counted.
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
    // SAFETY: see `ForkGuard`.
    unsafe { *FORK_GUARD.0.get() = Some(guard) };
}

unsafe extern "C" fn after_in_parent() {
    // SAFETY: see `ForkGuard`.
    drop(unsafe { (*FORK_GUARD.0.get()).take() });
}

unsafe extern "C" fn after_in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: see `ForkGuard`.
    let guard = unsafe { (*FORK_GUARD.0.get()).take() };
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
        // Opening and registering must not be separated by a fork.
        let mut files = own_files();
        let file = options.open(path)?;
        files.push(file.as_raw_fd());
        Ok(Self {
            file: ManuallyDrop::new(file),
            forks,
        })
    }

    /// The file; an error in a process that did not open it.
    pub(crate) fn get(&self) -> io::Result<&fs::File> {
        if self.forks == forks() {
            Ok(&self.file)
        } else {
            Err(opened_before_fork())
        }
    }
}

impl Drop for OwnFile {
    fn drop(&mut self) {
        if self.forks != forks() {
            // The descriptor may belong to another file by now.
            return;
        }
        let mut files = own_files();
        files.retain(|file| *file != self.file.as_raw_fd());
        // SAFETY: this is the only place that drops it, and `self` ends here.
        unsafe { ManuallyDrop::drop(&mut self.file) };
    }
}

/// The error for a child of `fork()` that changes a file of its parent.
pub(crate) fn opened_before_fork() -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        "it was opened before a fork, and only the parent may use it",
    )
}

/// A value of the process that a child of `fork()` does not inherit: the child creates its own at the first use. The
/// parent's value is neither used nor dropped, because a thread that is gone may have been changing it.
#[derive(Debug)]
pub struct PerProcess<T: 'static> {
    value: AtomicPtr<ProcessValue<T>>,
    make: fn() -> T,
}

#[derive(Debug)]
struct ProcessValue<T> {
    forks: u32,
    value: T,
}

impl<T: Send + Sync> PerProcess<T> {
    /// A value that `make` creates at the first use in each process.
    pub const fn new(make: fn() -> T) -> Self {
        Self {
            value: AtomicPtr::new(ptr::null_mut()),
            make,
        }
    }

    /// The value of this process.
    pub fn get(&self) -> &'static T {
        let forks = forks();
        let mut seen = self.value.load(Ordering::Acquire);
        loop {
            // SAFETY: the pointer is null, or it was leaked below after initialisation and is never changed or freed.
            if let Some(current) = unsafe { seen.as_ref() }
                && current.forks == forks
            {
                return &current.value;
            }
            let value = (self.make)();
            let value = Box::into_raw(Box::new(ProcessValue { forks, value }));
            let swapped =
                self.value
                    .compare_exchange(seen, value, Ordering::AcqRel, Ordering::Acquire);
            if let Err(other) = swapped {
                // SAFETY: it was just created from a box, and no other thread has seen it.
                drop(unsafe { Box::from_raw(value) });
                seen = other;
            } else {
                seen = value;
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

    /// Runs `check` in a child of `fork()`. Returns whether it held.
    fn holds_in_child(check: impl FnOnce() -> bool) -> bool {
        // SAFETY: the child runs `check`, which takes no lock that another thread of the test may hold, and ends
        // without cleaning up.
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
        // As if the parent had died: close its file and do nothing else.
        // SAFETY: the file is not used any more.
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
