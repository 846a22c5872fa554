//! The memory that batches are built in, lent out with a finished batch and taken back when that is dropped.

use bytes::{Bytes, BytesMut};

use crate::encode::SLACK;

/// Copies between two places are fastest when their addresses agree in this many low values: a line of the processor's cache.
const LINE: usize = 64;
/// How many buffers may be out at once and still come back.
const LENT_MAX: usize = 3;

/// A buffer whose bytes are all initialised, so that nothing is zeroed again when it comes back.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: BytesMut,
    /// Where the batch begins in it.
    start: usize,
    /// What the address of the next batch leaves when divided by a line.
    phase: usize,
    lent: Vec<Bytes>,
}

impl Buffer {
    /// The bytes; what is in them beyond what was written since `lend` is of no meaning.
    #[inline]
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..]
    }

    /// How long a batch may grow here: what is behind it is overwritten at will.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        self.bytes.len().saturating_sub(self.start + SLACK)
    }

    /// Asks that the next batch begin as far from a line of the cache as `position` does.
    pub(crate) fn align(&mut self, position: u64) {
        self.phase = (position % LINE as u64) as usize;
    }

    /// Takes one with this room at least instead: one that comes back, or a new one.
    pub(crate) fn replace(&mut self, room: usize) {
        let len = room.saturating_add(LINE + SLACK);
        if !self.take_back(len) {
            self.bytes = BytesMut::zeroed(len);
        }
        let address = self.bytes.as_ptr().addr();
        self.start = self.phase.wrapping_sub(address) % LINE;
    }

    fn take_back(&mut self, len: usize) -> bool {
        let Some(index) = self
            .lent
            .iter()
            .position(|lent| lent.len() >= len && lent.is_unique())
        else {
            return false;
        };
        match self.lent.swap_remove(index).try_into_mut() {
            Ok(bytes) => {
                self.bytes = bytes;
                true
            }
            Err(_) => false,
        }
    }

    /// Hands out the first `len` bytes: copied where they are few, so that a small batch does not hold a large
    /// buffer, else without a copy.
    pub(crate) fn lend(&mut self, len: usize, usual_len: usize) -> Bytes {
        let range = self.start..self.start + len;
        if len * 2 < self.bytes.len() {
            return Bytes::copy_from_slice(&self.bytes[range]);
        }
        self.start = 0;
        let whole = std::mem::take(&mut self.bytes).freeze();
        let batch = whole.slice(range);
        // A buffer that grew for one huge record is not worth keeping.
        if whole.len() <= usual_len.saturating_mul(2) {
            if self.lent.len() == LENT_MAX {
                self.lent.remove(0);
            }
            self.lent.push(whole);
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_batch_lies_in_memory_as_it_will_lie_in_the_file(positions in proptest::collection::vec(any::<u64>(), 1..20), len in 600usize..1_000) {
            let mut buffer = Buffer::default();
            for position in positions {
                buffer.align(position);
                buffer.replace(1_000);
                prop_assert!(buffer.room() >= 1_000);
                buffer.bytes()[..len].fill(7);
                let batch = buffer.lend(len, 1_000);
                prop_assert_eq!(batch.as_ptr().addr() as u64 % 64, position % 64);
                prop_assert!(batch.len() == len && batch.iter().all(|byte| *byte == 7));
            }
        }
    }
}
