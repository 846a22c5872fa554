//! One open file, read and written by position.

use std::fmt;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;

/// How a file is opened. Every mode but [`Read`](OpenMode::Read) reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OpenMode {
    /// Reads only; the file must exist.
    Read,
    /// The file must exist.
    Write,
    /// Made, empty, if it does not exist; an existing file keeps its bytes.
    Create,
    /// Made, empty; `AlreadyExists` if the name is taken.
    CreateNew,
}

/// An open file. All access is positional and through `&self`: any number of readers and one writer may work at once, and a reader sees
/// every byte of a write that returned before its read began. Two writers at once need a lock of their own.
///
/// Bytes are durable only after [`sync_data`](File::sync_data); the name of a new file only after
/// [`Env::sync_dir`](crate::Env::sync_dir) of its directory.
#[allow(
    clippy::len_without_is_empty,
    reason = "a file is asked for its length, never whether it is empty"
)]
pub trait File: fmt::Debug + Send + Sync + 'static {
    /// Length in bytes now.
    fn len(&self) -> io::Result<u64>;

    /// Reads into `out` from `position`. May read fewer bytes than asked at any time, as `pread` does; 0 only at or past the end, or for
    /// an empty `out`.
    fn read_at(&self, out: &mut [u8], position: u64) -> io::Result<usize>;

    /// Up to `len` bytes from `position`, fewer only where the file ends (so possibly none). The fast path of reads: memory is not zeroed
    /// first, and not copied where the environment can help it. Allocates `len` bytes: bound it first.
    fn read_bytes(&self, position: u64, len: usize) -> io::Result<Bytes>;

    /// Writes all of `bytes` at `position`; a gap before it reads as zeros. After an error any part of the bytes may have been written.
    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()>;

    /// Writes all of `parts`, one after the other, at `position`: as [`write_all_at`](File::write_all_at) of their concatenation.
    fn write_vectored_at(&self, parts: &[IoSlice<'_>], position: u64) -> io::Result<()>;

    /// Cuts the file, or extends it with zeros that take no disk space.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Whether it still has a name. What is written to a file without one is lost when the file is closed. Always, where nobody else
    /// removes files.
    fn is_linked(&self) -> io::Result<bool> {
        Ok(true)
    }

    /// Whether the path leads to it. What is written to a file that was moved away is not found again. Always, where nobody else moves files.
    fn is_at(&self, _path: &Path) -> io::Result<bool> {
        Ok(true)
    }

    /// Makes the bytes and the length durable. After an error nothing is known of what was written since the last success, and a second
    /// call that succeeds proves nothing about it: the system may have dropped those bytes. Never retry it into a lie.
    fn sync_data(&self) -> io::Result<()>;

    /// These bytes as memory, without reading them first. Only for bytes that are neither written nor cut while the result lives:
    /// cutting a file under a map kills the process. `None` where [`read_bytes`](File::read_bytes) is the better way: the file ends before
    /// them, there are none, too much is mapped already, or the environment keeps its files in memory anyway.
    fn map(&self, range: Range<u64>) -> io::Result<Option<Bytes>>;

    /// Whether all of these bytes are in the system's cache now. What is not is better not looked at in a map: there a disk that cannot
    /// read kills the process, where a read gives an error, and the system reads ahead less.
    fn is_cached(&self, position: u64, len: usize) -> bool;

    /// Fills `out` from `position`, or fails with `UnexpectedEof` when the file ends before.
    fn read_exact_at(&self, mut out: &mut [u8], mut position: u64) -> io::Result<()> {
        while !out.is_empty() {
            match self.read_at(out, position)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => {
                    out = &mut out[read..];
                    position += read as u64;
                }
            }
        }
        Ok(())
    }
}
