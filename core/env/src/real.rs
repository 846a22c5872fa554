//! The operating system's clock, randomness and files.

mod behind;
mod file;
mod lock;
mod map;

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;
use rustix::rand::GetRandomFlags;
use rustix::time::{ClockId, clock_gettime};

use crate::{
    DirEntry, Directory, DiskSpace, EntryKind, Env, FilePool, LockError, Metadata, OpenMode,
    PerProcess,
};

pub use behind::{FilePlace, file_behind};
pub use file::RealFile;
pub use lock::RealLock;

/// The real environment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RealEnv;

/// A directory of the file system.
#[derive(Debug)]
pub struct RealDirectory(fs::File);

impl Directory for RealDirectory {
    fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }
}

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// Symbolic links are not opened, because they may lead outside the data directory.
const NO_FOLLOW: i32 = OFlags::NOFOLLOW.bits().cast_signed();

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
static FILE_POOL: PerProcess<FilePool> = PerProcess::new(FilePool::of_process);

impl Env for RealEnv {
    const PADDING_BYTES: u64 = 128 << 10;
    type File = RealFile;
    type Directory = RealDirectory;
    type Lock = RealLock;

    #[inline]
    fn wall_clock_ms(&self) -> i64 {
        // Each sent record reads the clock; `SystemTime` is slower.
        let now = clock_gettime(ClockId::Realtime);
        now.tv_sec * 1_000 + now.tv_nsec / 1_000_000
    }

    fn monotonic(&self) -> Duration {
        ORIGIN.elapsed()
    }

    fn boot_id(&self) -> Option<u128> {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        u128::from_str_radix(&text.trim().replace('-', ""), 16).ok()
    }

    fn fill_random(&self, mut out: &mut [u8]) {
        while !out.is_empty() {
            match rustix::rand::getrandom(&mut *out, GetRandomFlags::empty()) {
                Ok(filled) => out = &mut out[filled..],
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => unreachable!(
                    "getrandom with a valid buffer and no flags fails only when interrupted: {error}"
                ),
            }
        }
    }

    fn file_pool(&self) -> &FilePool {
        FILE_POOL.get()
    }

    fn open_file(&self, path: &Path, mode: OpenMode) -> io::Result<RealFile> {
        let mut options = fs::OpenOptions::new();
        options.read(true).mode(FILE_MODE).custom_flags(NO_FOLLOW);
        match mode {
            OpenMode::Read => &mut options,
            OpenMode::Write => options.write(true),
            OpenMode::Create => options.write(true).create(true).truncate(false),
            OpenMode::CreateNew => options.write(true).create_new(true),
        };
        options.open(path).map(RealFile::new)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(DIRECTORY_MODE)
            .create(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if let Ok(name) = entry.file_name().into_string() {
                entries.push(DirEntry {
                    name,
                    kind: entry_kind(kind),
                });
            }
        }
        entries.sort_unstable();
        Ok(entries)
    }

    fn metadata(&self, path: &Path) -> io::Result<Option<Metadata>> {
        match fs::symlink_metadata(path) {
            Ok(found) => Ok(Some(Metadata {
                len: found.len(),
                kind: entry_kind(found.file_type()),
                modified_ms: epoch_ms(found.modified()?),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn open_dir(&self, path: &Path) -> io::Result<RealDirectory> {
        fs::File::open(path).map(RealDirectory)
    }

    fn sync_disk(&self, lock: &RealLock) -> io::Result<()> {
        lock.sync_disk()
    }

    fn disk_space(&self, path: &Path) -> io::Result<DiskSpace> {
        let disk = rustix::fs::statvfs(path)?;
        Ok(DiskSpace {
            free_bytes: disk.f_bavail.saturating_mul(disk.f_frsize),
            total_bytes: disk.f_blocks.saturating_mul(disk.f_frsize),
        })
    }

    fn lock(&self, path: &Path) -> Result<RealLock, LockError> {
        RealLock::take(path)
    }
}

fn entry_kind(kind: fs::FileType) -> EntryKind {
    if kind.is_symlink() {
        EntryKind::Link
    } else if kind.is_dir() {
        EntryKind::Dir
    } else {
        EntryKind::File
    }
}

fn epoch_ms(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_millis() as i64,
        Err(before) => -(before.duration().as_millis() as i64),
    }
}
