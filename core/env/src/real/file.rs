//! Files with plain positional system calls. The copy to and from the page cache dominates; alternatives were not
//! faster.

use std::fs;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::io::Errno;

use super::map;
use crate::File;
use crate::fork::{forks, opened_before_fork};

/// A file of the operating system. A child of `fork()` may read files of its parent, but not change them.
#[derive(Debug)]
pub struct RealFile {
    file: Arc<fs::File>,
    forks: u32,
}

/// The maximum number of parts of one `pwritev` (`IOV_MAX`).
const PARTS_MAX: usize = 1024;

impl RealFile {
    pub(super) fn new(file: fs::File) -> RealFile {
        RealFile {
            file: Arc::new(file),
            forks: forks(),
        }
    }

    /// The file, for changes.
    fn to_change(&self) -> io::Result<&fs::File> {
        if self.forks == forks() {
            Ok(&self.file)
        } else {
            Err(opened_before_fork())
        }
    }

    /// Calls `pwritev` until everything is written.
    fn write_parts(&self, mut parts: &mut [IoSlice<'_>], mut position: u64) -> io::Result<()> {
        let file = self.to_change()?;
        IoSlice::advance_slices(&mut parts, 0);
        while !parts.is_empty() {
            match rustix::io::pwritev(file, &parts[..parts.len().min(PARTS_MAX)], position) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    IoSlice::advance_slices(&mut parts, written);
                    position += written as u64;
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl File for RealFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, out: &mut [u8], position: u64) -> io::Result<usize> {
        loop {
            match self.file.read_at(out, position) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn read_bytes(&self, position: u64, len: usize) -> io::Result<Bytes> {
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            // The vector may have more capacity than requested: then this reads further, and the excess is truncated
            // below.
            let next = position + bytes.len() as u64;
            match rustix::io::pread(&self.file, spare_capacity(&mut bytes), next) {
                Ok(0) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        bytes.truncate(len);
        Ok(Bytes::from(bytes))
    }

    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.to_change()?.write_all_at(bytes, position)
    }

    fn write_vectored_at(&self, parts: &[IoSlice<'_>], position: u64) -> io::Result<()> {
        // A log writes a patched header and the rest of its batch: a few parts, copied to the stack so that they can be
        // advanced.
        const FEW: usize = 8;
        if parts.len() <= FEW {
            let mut few = [IoSlice::new(&[]); FEW];
            few[..parts.len()].copy_from_slice(parts);
            self.write_parts(&mut few[..parts.len()], position)
        } else {
            self.write_parts(&mut parts.to_vec(), position)
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.to_change()?.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.to_change()?.sync_data()
    }

    fn is_linked(&self) -> io::Result<bool> {
        Ok(rustix::fs::fstat(&self.file)?.st_nlink > 0)
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        let here = rustix::fs::fstat(&self.file)?;
        match rustix::fs::lstat(path) {
            Ok(there) => Ok((here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn map(&self, range: Range<u64>) -> io::Result<Option<Bytes>> {
        if range.is_empty() || self.len()? < range.end {
            return Ok(None);
        }
        let len = usize::try_from(range.end - range.start);
        let len = len.map_err(|_| io::ErrorKind::FileTooLarge)?;
        map::bytes(&self.file, range.start, len)
    }

    fn is_cached(&self, position: u64, len: usize) -> bool {
        map::is_cached(&self.file, position, len)
    }
}
