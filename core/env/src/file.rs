//! An open file with positional access.

use std::fmt;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;

/// How a file is opened. All modes except [`Read`](OpenMode::Read) allow reading and writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OpenMode {
    /// Read only; the file must exist.
    Read,
    /// The file must exist.
    Write,
    /// Creates an empty file if it does not exist; an existing file keeps its bytes.
    Create,
    /// Creates an empty file; `AlreadyExists` if the name exists.
    CreateNew,
}

/// An open file. All access is positional and through `&self`: any number of readers and one writer may work
/// concurrently, and a reader sees every byte of a write that returned before the read started. Concurrent writers need
/// their own lock.
///
/// Bytes are durable after [`sync_data`](File::sync_data); the name of a new file is durable after
/// [`Env::sync_dir`](crate::Env::sync_dir) of its directory.
#[allow(
    clippy::len_without_is_empty,
    reason = "callers need the length, never whether a file is empty"
)]
pub trait File: fmt::Debug + Send + Sync + 'static {
    /// The current length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Reads into `out` from `position`. May read fewer bytes at any time, like `pread`; 0 only at or past the end, or
    /// if `out` is empty.
    fn read_at(&self, out: &mut [u8], position: u64) -> io::Result<usize>;

    /// Reads up to `len` bytes from `position`, fewer only at the end of the file (possibly none). The fast way to
    /// read: memory is not zeroed first, and not copied if the environment can avoid it. Allocates `len` bytes, so
    /// callers bound it.
    fn read_bytes(&self, position: u64, len: usize) -> io::Result<Bytes>;

    /// Writes all of `bytes` at `position`; a gap before it reads as zeros. After an error any part of the bytes may
    /// have been written.
    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()>;

    /// Writes all of `parts` at `position`, like [`write_all_at`](File::write_all_at) of their concatenation.
    fn write_vectored_at(&self, parts: &[IoSlice<'_>], position: u64) -> io::Result<()>;

    /// Truncates the file, or extends it with zeros that take no disk space.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Whether the file still has a name. Bytes in a file without a name are lost when it is closed. Always true in
    /// environments without other processes.
    fn is_linked(&self) -> io::Result<bool> {
        Ok(true)
    }

    /// Whether the path leads to this file. A file that was moved away is not found again. Always true in environments
    /// without other processes.
    fn is_at(&self, _path: &Path) -> io::Result<bool> {
        Ok(true)
    }

    /// Makes the bytes and the length durable. After an error the state of all writes since the last success is
    /// unknown, and a later success proves nothing about them: the system may have dropped those bytes. Do not retry.
    fn sync_data(&self) -> io::Result<()>;

    /// Maps these bytes without reading them first. They must neither be written nor truncated while the result exists:
    /// truncating a file under a map kills the process. `None` if [`read_bytes`](File::read_bytes) is better: the range
    /// is empty or past the end, too much is mapped already, or the environment keeps its files in memory.
    fn map(&self, range: Range<u64>) -> io::Result<Option<Bytes>>;

    /// Whether all of these bytes are in the page cache. Other bytes should not be read through a map: a disk error
    /// would kill the process instead of returning an error, and the system reads ahead less.
    fn is_cached(&self, position: u64, len: usize) -> bool;

    /// Fills `out` from `position`; `UnexpectedEof` if the file ends before.
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
