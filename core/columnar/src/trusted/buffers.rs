//! The buffers of views.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_buffer::Buffer;
use bytes::Bytes;

/// The bytes of some records, as a range of a buffer for views.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    pub(super) plain: &'a [u8],
    pub(super) index: u32,
    pub(super) base: u32,
    pub(super) source: u64,
}

impl<'a> Block<'a> {
    /// The bytes of the records.
    pub(crate) fn plain(&self) -> &'a [u8] {
        self.plain
    }
}

/// The buffers of one table, in the order of the views' buffer index.
#[derive(Debug)]
pub(crate) struct Buffers {
    pub(super) bytes: Vec<Bytes>,
    /// A process-wide unique number of this object.
    pub(super) source: u64,
}

impl Default for Buffers {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            bytes: Vec::new(),
            source: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl Buffers {
    /// Adds a buffer and returns its index. Views limit it to `i32::MAX` bytes.
    pub(crate) fn add(&mut self, bytes: Bytes) -> Option<u32> {
        let index = u32::try_from(self.bytes.len()).ok()?;
        i32::try_from(bytes.len()).ok()?;
        self.bytes.push(bytes);
        Some(index)
    }

    /// A range of a buffer.
    pub(crate) fn block(&self, index: u32, range: Range<usize>) -> Option<Block<'_>> {
        let base = range.start as u32;
        Some(Block {
            plain: self.bytes.get(index as usize)?.get(range)?,
            index,
            base,
            source: self.source,
        })
    }

    pub(super) fn to_arrow(&self) -> Arc<[Buffer]> {
        self.bytes.iter().cloned().map(Buffer::from).collect()
    }
}
