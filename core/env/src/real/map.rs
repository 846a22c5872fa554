//! Files as memory. The only `unsafe` of this crate.
#![allow(
    unsafe_code,
    reason = "mapping a file is unsafe: others may change it; see below"
)]

use std::fs;
use std::io;

use bytes::Bytes;
use memmap2::MmapOptions;

/// The first `len` bytes of a file that has at least so many.
pub(super) fn first_bytes(file: &fs::File, len: usize) -> io::Result<Bytes> {
    // SAFETY: the bytes of a map must not change or vanish while it is alive. `File::map` is only for files that are never written or cut
    // again (sealed segments; a deleted one is unlinked, which keeps its pages until the map goes), in a directory that is locked against
    // other processes of ours and closed to other users (0700).
    let map = unsafe { MmapOptions::new().len(len).map(file)? };
    Ok(Bytes::from_owner(map))
}
