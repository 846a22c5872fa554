//! Memory-mapped files.
#![allow(
    unsafe_code,
    reason = "mapping a file is unsafe: others may change it; see below. One call of the system has no safe face"
)]

use std::fs;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use memmap2::{Mmap, MmapOptions};

use super::behind;

/// The number of mapped bytes of the process.
static MAPPED: AtomicUsize = AtomicUsize::new(0);

/// The limit for mapped bytes: a quarter of the machine's memory. The pages belong to the page cache and can be
/// evicted, but they count as memory of the process, and need page tables.
static MAPPED_MAX: LazyLock<usize> = LazyLock::new(|| {
    let system = rustix::system::sysinfo();
    (system.totalram as usize).saturating_mul(system.mem_unit as usize) / 4
});

/// A map, which is counted in [`MAPPED`].
struct CountedMap {
    map: Mmap,
}

impl AsRef<[u8]> for CountedMap {
    fn as_ref(&self) -> &[u8] {
        &self.map
    }
}

impl Drop for CountedMap {
    fn drop(&mut self) {
        behind::unregister(&self.map);
        MAPPED.fetch_sub(self.map.len(), Ordering::Relaxed);
    }
}

/// Maps `len` bytes (at least one) from `position`. The file must contain them. `None` if too much is mapped already.
pub(super) fn bytes(file: &Arc<fs::File>, position: u64, len: usize) -> io::Result<Option<Bytes>> {
    if MAPPED.fetch_add(len, Ordering::Relaxed) + len > *MAPPED_MAX {
        MAPPED.fetch_sub(len, Ordering::Relaxed);
        return Ok(None);
    }
    // SAFETY: the bytes of a map must not change or vanish while it exists. `File::map` requires that they are neither
    // written nor truncated (complete batches of a segment; a deleted file is unlinked, which keeps its pages until it
    // is unmapped). The directory is locked against other processes of ours and closed to other users (0700).
    let map = unsafe { MmapOptions::new().offset(position).len(len).map(&**file) };
    let map = map.inspect_err(|_| {
        MAPPED.fetch_sub(len, Ordering::Relaxed);
    })?;
    behind::register(&map, file, position);
    Ok(Some(Bytes::from_owner(CountedMap { map })))
}

/// Whether all of these bytes (at least one) are in the page cache.
#[cfg(target_os = "linux")]
pub(super) fn is_cached(file: &fs::File, position: u64, len: usize) -> bool {
    use std::os::fd::AsRawFd as _;

    /// `struct cachestat_range`.
    #[repr(C)]
    struct Range {
        offset: u64,
        len: u64,
    }

    /// `struct cachestat`, in pages.
    #[repr(C)]
    #[derive(Default)]
    struct Pages {
        cached: u64,
        dirty: u64,
        under_writeback: u64,
        evicted: u64,
        recently_evicted: u64,
    }

    /// The same number on every architecture.
    const CACHESTAT: libc::c_long = 451;

    if len == 0 {
        return false;
    }
    let range = Range {
        offset: position,
        len: len as u64,
    };
    let mut pages = Pages::default();
    let no_flags: libc::c_uint = 0;
    // SAFETY: `cachestat(2)` reads a range and writes five counts to valid memory. A kernel before 6.5 refuses the
    // call.
    let result = unsafe {
        libc::syscall(
            CACHESTAT,
            file.as_raw_fd(),
            &raw const range,
            &raw mut pages,
            no_flags,
        )
    };
    let page = rustix::param::page_size() as u64;
    let wanted = (position + len as u64).div_ceil(page) - position / page;
    result == 0 && pages.cached == wanted
}

/// Other systems do not report it.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_cached(_: &fs::File, _: u64, _: usize) -> bool {
    false
}
