//! The allocator of the native half: mimalloc, which keeps freed memory for a while.
#![expect(unsafe_code, reason = "mimalloc's options are set by a C function")]

use std::ffi::{c_int, c_long};

// Two Python threads on glibc's allocator are slower than one; mimalloc's default version 3 crashes embedders.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

unsafe extern "C" {
    /// Gives an option of mimalloc a value, unless the environment gave it one. Its threads may read the option meanwhile.
    safe fn mi_option_set_default(option: c_int, value: c_long);
}

/// `mi_option_purge_delay` of mimalloc 2.
const PURGE_DELAY: c_int = 15;

/// How long freed memory stays with the process, at least. mimalloc's own 10 ms are too short for tables that are read in one thread and
/// dropped in another: what the next one needs has just gone back to the system, which clears each page before it gives it out again.
const KEEP_FREED_MS: c_long = 1_000;

/// Sets that time; `MIMALLOC_PURGE_DELAY` in the environment overrules it.
pub(crate) fn keep_freed_memory() {
    mi_option_set_default(PURGE_DELAY, KEEP_FREED_MS);
}
