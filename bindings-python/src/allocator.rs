//! The allocator of the extension module: mimalloc, which keeps freed memory for a while.
#![expect(unsafe_code, reason = "mimalloc's options are set by a C function")]

use std::ffi::{c_int, c_long};

// With glibc's allocator two Python threads are slower than one; mimalloc's default version 3 crashes embedders.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

unsafe extern "C" {
    /// Sets an option of mimalloc, unless the environment has set it. mimalloc's threads may read the option meanwhile.
    safe fn mi_option_set_default(option: c_int, value: c_long);
}

/// `mi_option_purge_delay` of mimalloc 2.
const PURGE_DELAY: c_int = 15;

/// The minimum time that freed memory stays with the process. mimalloc's default of 10 ms is too short for tables that
/// are read in one thread and dropped in another: the system would get the memory back just before the next table needs
/// it, and clear each page before returning it.
const KEEP_FREED_MS: c_long = 1_000;

/// Sets that time; `MIMALLOC_PURGE_DELAY` in the environment overrides it.
pub(crate) fn keep_freed_memory() {
    mi_option_set_default(PURGE_DELAY, KEEP_FREED_MS);
}
