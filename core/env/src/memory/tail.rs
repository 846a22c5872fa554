//! The growing end of a file in memory.

use std::io;

use bytes::Bytes;
use memmap2::MmapMut;

/// Bytes that grow. A small file uses a vector. A file with a sealed chunk uses a separate mapping, with huge pages if
/// the system has them: touching new memory in small pages costs more than copying a batch into it.
#[derive(Debug)]
pub(super) enum Tail {
    Small(Vec<u8>),
    Chunk { memory: MmapMut, len: usize },
}

impl Tail {
    /// An empty tail with room for `capacity` bytes; bytes that are never written take no memory.
    pub(super) fn chunk(capacity: usize) -> io::Result<Tail> {
        let memory = MmapMut::map_anon(capacity)?;
        // Huge pages are only faster.
        #[cfg(target_os = "linux")]
        let _ = memory.advise(memmap2::Advice::HugePage);
        Ok(Tail::Chunk { memory, len: 0 })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Tail::Small(bytes) => bytes,
            Tail::Chunk { memory, len } => &memory[..*len],
        }
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Tail::Small(bytes) => bytes,
            Tail::Chunk { memory, len } => &mut memory[..*len],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Reserves room for `more` bytes; moves the bytes if needed.
    pub(super) fn reserve(&mut self, more: usize) -> io::Result<()> {
        match self {
            Tail::Small(bytes) => {
                bytes
                    .try_reserve(more)
                    .map_err(|_| io::ErrorKind::OutOfMemory)?;
            }
            Tail::Chunk { memory, len } if memory.len() - *len < more => {
                let mut larger = Tail::chunk((*len + more).next_multiple_of(memory.len()))?;
                larger.push(&memory[..*len]);
                *self = larger;
            }
            Tail::Chunk { .. } => {}
        }
        Ok(())
    }

    /// Appends bytes to reserved room.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        match self {
            Tail::Small(tail) => tail.extend_from_slice(bytes),
            Tail::Chunk { memory, len } => {
                memory[*len..*len + bytes.len()].copy_from_slice(bytes);
                *len += bytes.len();
            }
        }
    }

    /// Appends zeros to reserved room.
    pub(super) fn push_zeros(&mut self, count: usize) {
        match self {
            Tail::Small(tail) => tail.resize(tail.len() + count, 0),
            Tail::Chunk { memory, len } => {
                // Truncated bytes may have been written before.
                memory[*len..*len + count].fill(0);
                *len += count;
            }
        }
    }

    pub(super) fn truncate(&mut self, to: usize) {
        match self {
            Tail::Small(tail) => tail.truncate(to),
            Tail::Chunk { len, .. } => *len = to.min(*len),
        }
    }

    /// The bytes, which are immutable from now on.
    pub(super) fn seal(self) -> Bytes {
        match self {
            Tail::Small(bytes) => Bytes::from(bytes),
            Tail::Chunk { memory, len } => Bytes::from_owner(memory).slice(..len),
        }
    }
}

impl Default for Tail {
    fn default() -> Tail {
        Tail::Small(Vec::new())
    }
}
