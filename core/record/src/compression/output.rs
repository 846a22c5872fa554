//! The destination of decompressed bytes: memory that grows with the output, up to a limit.

use std::io::Read;

use super::{Compression, DecompressError, DecompressLimit};

/// The output of a block decoder. Never exceeds the limit.
pub(super) struct Output {
    codec: Compression,
    limit: usize,
    /// Zeroed beyond `len`, so that space is initialised only once.
    bytes: Vec<u8>,
    len: usize,
}

impl Output {
    pub(super) fn new(codec: Compression, limit: DecompressLimit) -> Self {
        Self {
            codec,
            limit: limit.get(),
            bytes: Vec::new(),
            len: 0,
        }
    }

    pub(super) fn limit_exceeded(&self) -> DecompressError {
        DecompressError::TooLarge {
            codec: self.codec,
            limit: self.limit,
        }
    }

    /// The output so far, and space after it: `most` bytes, or less if the limit is reached.
    pub(super) fn split(&mut self, most: usize) -> (&[u8], &mut [u8]) {
        let end = self.len + most.min(self.limit - self.len);
        if end > self.bytes.len() {
            let grown = end.max(self.bytes.len().saturating_mul(2)).min(self.limit);
            self.bytes.resize(grown, 0);
        }
        let (done, rest) = self.bytes.split_at_mut(self.len);
        (done, &mut rest[..end - self.len])
    }

    /// Like [`split`](Self::split), but fails if the limit leaves less than `len`.
    pub(super) fn room(&mut self, len: usize) -> Result<&mut [u8], DecompressError> {
        if len > self.limit - self.len {
            return Err(self.limit_exceeded());
        }
        Ok(self.split(len).1)
    }

    /// Counts bytes that were written into the space.
    pub(super) fn advance(&mut self, len: usize) {
        self.len += len;
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), DecompressError> {
        self.room(bytes.len())?.copy_from_slice(bytes);
        self.advance(bytes.len());
        Ok(())
    }

    /// The output so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        // Views may keep a batch for long: do not keep much more memory than it needs.
        if self.bytes.capacity() > 2 * self.len {
            self.bytes.shrink_to_fit();
        }
        self.bytes
    }
}

/// The smallest output buffer for a stream.
const ROOM_MIN: usize = 1024;

/// Reads a stream decoder to its end. Fails if the output exceeds the limit.
pub(super) fn read_all(
    codec: Compression,
    limit: DecompressLimit,
    mut reader: impl Read,
    expected: usize,
) -> Result<Vec<u8>, DecompressError> {
    let most = limit.get() + 1;
    let mut plain = Vec::with_capacity(expected.min(most).max(ROOM_MIN));
    loop {
        let room = plain.capacity() - plain.len();
        let read = reader.by_ref().take(room as u64).read_to_end(&mut plain);
        if plain.len() >= most {
            return Err(DecompressError::TooLarge {
                codec,
                limit: limit.get(),
            });
        }
        if read.map_err(|error| DecompressError::damaged(codec, error))? < room {
            return Ok(plain);
        }
        // Grow by doubling, but never beyond the limit.
        plain.reserve_exact(plain.len().min(most - plain.len()));
    }
}
