//! A simulated environment for tests: its disk loses, tears and fails like a real one, tests control its clock, and one
//! seed determines all random choices.

mod clock;
mod contents;
mod disk;
mod fault;
mod file;
mod random;
mod survival;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

use crate::lock::{PathLock, PathLocks};
use crate::tree::{Node, normal_form};
use crate::{
    DirEntry, Directory, DiskSpace, EntryKind, Env, File as _, FilePool, LockError, Metadata,
    OpenMode,
};

use clock::Clock;
use disk::Disk;
use fault::no_descriptor;
pub use fault::{Boundary, Fault, Operation, Times};
pub use file::SimFile;

/// A simulated machine. Clones are the same machine.
///
/// Each call that changes the disk is a *boundary*, counted from 0. To test a crash at a boundary, set
/// [`crash_at`](SimEnv::crash_at), run the script until calls fail, and start machines from the remaining disk, each
/// with its own seed:
///
/// ```
/// use headwater_env::{Env, File, OpenMode, SimEnv};
/// use std::path::Path;
///
/// let machine = SimEnv::new(1);
/// machine.crash_at(2); // 0: the file is made, 1: its name is made durable, 2: the write
/// let file = machine.open_file(Path::new("a"), OpenMode::CreateNew)?;
/// machine.sync_dir(Path::new(""))?;
/// assert!(file.write_all_at(b"words", 0).is_err());
/// for seed in 0..100 {
///     let rebooted = machine.after_power_cut(seed);
///     let found = rebooted.read_file(Path::new("a"))?.expect("its name was durable");
///     assert!(found.len() <= 5); // none, a part, all, or garbage of any of these lengths
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// With one thread, the same seed and calls give the same bytes.
#[derive(Debug, Clone)]
pub struct SimEnv {
    machine: Arc<Machine>,
}

#[derive(Debug)]
struct Machine {
    disk: Mutex<Disk>,
    clock: Clock,
    /// The number of power cuts.
    boots: u128,
    locks: PathLocks,
    file_pool: FilePool,
}

/// An open directory of a simulated machine.
#[derive(Debug)]
pub struct SimDirectory {
    env: SimEnv,
    path: PathBuf,
}

impl Directory for SimDirectory {
    fn sync(&self) -> io::Result<()> {
        self.env.disk().sync_dir(&self.path)
    }
}

impl SimEnv {
    /// A machine with an empty, unlimited disk.
    pub fn new(seed: u64) -> SimEnv {
        SimEnv::start(Disk::new(seed), Clock::new(), 0)
    }

    fn start(disk: Disk, clock: Clock, boots: u128) -> SimEnv {
        let machine = Machine {
            disk: Mutex::new(disk),
            clock,
            boots,
            locks: PathLocks::default(),
            file_pool: FilePool::without_limit(),
        };
        SimEnv {
            machine: Arc::new(machine),
        }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.machine.disk.lock()
    }

    /// Cuts the power at this boundary: the call and every later one fail.
    pub fn crash_at(&self, boundary: u64) {
        self.disk().script.crash_at = Some(boundary);
    }

    /// Whether the power has been cut.
    pub fn has_crashed(&self) -> bool {
        self.disk().script.crashed
    }

    /// The machine that starts after a power cut, now or at the crash: unsynced changes survive at random, complete or
    /// torn.
    #[must_use]
    pub fn after_power_cut(&self, seed: u64) -> SimEnv {
        let disk = self.disk().after_power_cut(seed);
        let boots = self.machine.boots + 1;
        SimEnv::start(disk, Clock::booted_at(self.wall_clock_ms()), boots)
    }

    /// The machine after the process was killed, now or at the crash: all completed calls, and possibly a part of the
    /// interrupted one.
    #[must_use]
    pub fn after_kill(&self, seed: u64) -> SimEnv {
        let disk = self.disk().after_kill(seed);
        let clock = Clock::booted_at(self.wall_clock_ms());
        SimEnv::start(disk, clock, self.machine.boots)
    }

    /// The boundaries so far, in order.
    pub fn history(&self) -> Vec<Boundary> {
        self.disk().script.history.clone()
    }

    /// The number of calls of a kind.
    pub fn calls(&self, operation: Operation) -> u64 {
        self.disk().script.calls(operation)
    }

    /// Makes a later call fail.
    pub fn inject(&self, fault: Fault) {
        self.disk().script.arm(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.disk().script.disarm();
    }

    /// Sets whether the process is out of file descriptors: calls that need one fail with `EMFILE`; open files keep
    /// working.
    pub fn set_out_of_files(&self, out: bool) {
        let script = &mut self.disk().script;
        script.out_of_files = out;
        script.out_of_files_at = None;
    }

    /// Runs the process out of file descriptors at this boundary, until [`SimEnv::set_out_of_files`] changes it.
    pub fn set_out_of_files_at(&self, boundary: u64) {
        self.disk().script.out_of_files_at = Some(boundary);
    }

    /// Limits the bytes of all files. A write beyond the limit writes the part that fits and fails with `StorageFull`.
    /// `None` for no limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.disk().capacity = bytes;
    }

    /// The disk space of all files in bytes; holes take none.
    pub fn used_bytes(&self) -> u64 {
        self.disk().used
    }

    /// Sets whether `read_at` may return fewer bytes at random.
    pub fn set_short_reads(&self, short: bool) {
        self.disk().short_reads = short;
    }

    /// Sets the wall clock, but not the monotonic clock.
    pub fn set_wall_clock_ms(&self, ms: i64) {
        self.machine.clock.set_wall_ms(ms);
    }

    /// Moves the wall clock in either direction, but not the monotonic clock.
    pub fn jump_wall_clock_ms(&self, by_ms: i64) {
        self.machine.clock.jump_wall_ms(by_ms);
    }

    /// Advances both clocks.
    pub fn advance(&self, by: Duration) {
        self.machine.clock.advance(by);
    }

    /// The live bytes of all files, by path without a leading `/`.
    pub fn image(&self) -> BTreeMap<String, Bytes> {
        self.disk().image()
    }
}

impl Env for SimEnv {
    /// Small, so that short logs are padded too.
    const PADDING_BYTES: u64 = 256;
    type File = SimFile;
    type Directory = SimDirectory;
    type Lock = PathLock;

    fn wall_clock_ms(&self) -> i64 {
        self.machine.clock.wall_ms()
    }

    fn monotonic(&self) -> Duration {
        self.machine.clock.monotonic()
    }

    fn boot_id(&self) -> Option<u128> {
        Some(self.machine.boots)
    }

    fn fill_random(&self, out: &mut [u8]) {
        self.disk().random.fill(out);
    }

    fn file_pool(&self) -> &FilePool {
        &self.machine.file_pool
    }

    fn open_file(&self, path: &Path, mode: OpenMode) -> io::Result<SimFile> {
        let now_ms = self.wall_clock_ms();
        let mut disk = self.disk();
        let at = disk.live.find_location(path)?;
        let id = match (disk.live.at(&at).cloned(), mode) {
            (Some(Node::Dir(_)), _) => return Err(io::ErrorKind::IsADirectory.into()),
            (Some(Node::File(_)), OpenMode::CreateNew) => {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            (None, OpenMode::Read | OpenMode::Write) => return Err(io::ErrorKind::NotFound.into()),
            (None, OpenMode::Create | OpenMode::CreateNew) => disk.create(path, at, now_ms)?,
            (Some(Node::File(id)), _) => {
                disk.pass(Operation::Open, path)?;
                id
            }
        };
        Ok(SimFile::new(self.clone(), id, path.to_owned(), mode))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let changes = disk.live.plan_create_dirs(path)?;
        if changes.is_empty() {
            Ok(())
        } else {
            disk.change(Operation::Create, path, changes)
        }
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut disk = self.disk();
        disk.pass(Operation::Read, path)?;
        if disk.script.out_of_files {
            return Err(no_descriptor());
        }
        disk.live.list(path)
    }

    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        let disk = self.disk();
        match disk.live.find(path) {
            Ok(Node::Dir(_)) => Ok(Some(Metadata {
                len: 0,
                kind: EntryKind::Dir,
                modified_ms: 0,
            })),
            Ok(Node::File(id)) => {
                let file = disk.file(id);
                let len = file.live.len() as u64;
                Ok(Some(Metadata {
                    len,
                    kind: EntryKind::File,
                    modified_ms: file.modified_ms,
                }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let change = disk.live.plan_rename(from, to)?;
        disk.change(Operation::Rename, from, vec![change])
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let change = disk.live.plan_remove_file(path)?;
        disk.change(Operation::Remove, path, vec![change])
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let changes = disk.live.plan_remove_all(path)?;
        if disk.script.out_of_files {
            return Err(no_descriptor());
        }
        disk.change(Operation::Remove, path, changes)
    }

    fn open_dir(&self, path: &Path) -> io::Result<SimDirectory> {
        let disk = self.disk();
        disk.live.find_dir(path)?;
        if disk.script.out_of_files {
            return Err(no_descriptor());
        }
        drop(disk);
        Ok(SimDirectory {
            env: self.clone(),
            path: path.to_owned(),
        })
    }

    fn sync_disk(&self, _lock: &PathLock) -> io::Result<()> {
        self.disk().sync_all()
    }

    fn disk_space(&self, path: &Path) -> io::Result<DiskSpace> {
        let disk = self.disk();
        disk.live.find(path)?;
        let total_bytes = disk.capacity.unwrap_or(u64::MAX);
        Ok(DiskSpace {
            free_bytes: disk
                .capacity
                .map_or(u64::MAX, |capacity| capacity.saturating_sub(disk.used)),
            total_bytes,
        })
    }

    fn lock(&self, path: &Path) -> Result<PathLock, LockError> {
        let lock = self.machine.locks.take(normal_form(path)?)?;
        let file = self.open_file(path, OpenMode::Create)?;
        file.set_len(0)?;
        // The same number in every run.
        file.write_all_at(b"1\n", 0)?;
        Ok(lock)
    }
}
