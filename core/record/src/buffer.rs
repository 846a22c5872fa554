//! The buffer in which batches are built. A finished batch borrows it, and it is reused when the batch is dropped.

use bytes::{Bytes, BytesMut};

use crate::encode::SLACK;

/// The maximum number of lent buffers that are reused.
const LENT_MAX: usize = 3;

/// A buffer of initialised bytes, so that reuse needs no zeroing.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: BytesMut,
    lent: Vec<Bytes>,
}

impl Buffer {
    /// The bytes. Bytes that were not written since the last `lend` have no meaning.
    #[inline]
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// The maximum size of a batch in this buffer. Bytes after it may be overwritten.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        self.bytes.len().saturating_sub(SLACK)
    }

    /// Switches to a buffer with at least this room: a returned one, or a new one.
    pub(crate) fn replace(&mut self, room: usize) {
        let len = room.saturating_add(SLACK);
        if !self.take_back(len) {
            self.bytes = BytesMut::zeroed(len);
        }
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

    /// Returns the first `len` bytes. Few bytes are copied, so that a small batch does not keep a large buffer;
    /// otherwise without a copy.
    pub(crate) fn lend(&mut self, len: usize, usual_len: usize) -> Bytes {
        if len * 2 < self.bytes.len() {
            return Bytes::copy_from_slice(&self.bytes[..len]);
        }
        let whole = std::mem::take(&mut self.bytes).freeze();
        let batch = whole.slice(..len);
        // Do not reuse a buffer that grew for one huge record.
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

    #[test]
    fn a_reused_buffer_is_large_enough_and_does_not_change_lent_bytes() {
        let mut buffer = Buffer::default();
        let mut held = Vec::new();
        for round in 0..20_u8 {
            buffer.replace(1_000);
            assert!(buffer.room() >= 1_000);
            buffer.bytes()[..900].fill(round);
            held.push((round, buffer.lend(900, 1_000)));
            if round % 3 == 0 {
                held.remove(0);
            }
            for (round, batch) in &held {
                assert!(batch.len() == 900 && batch.iter().all(|byte| byte == round));
            }
        }
    }
}
