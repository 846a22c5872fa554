//! Where decompressed bytes go: memory that grows with what has come out, up to a limit.

use std::io::Read;

use super::{Compression, DecompressError, DecompressLimit};

/// Bytes that a block decoder writes into, never more than the limit.
pub(super) struct Output {
    codec: Compression,
    limit: usize,
    /// Zeroed beyond `len`, so that room is made once.
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

    /// What has come out, and after it room for `most` bytes or what the limit leaves, whichever is less.
    pub(super) fn split(&mut self, most: usize) -> (&[u8], &mut [u8]) {
        let end = self.len + most.min(self.limit - self.len);
        if end > self.bytes.len() {
            let grown = end.max(self.bytes.len().saturating_mul(2)).min(self.limit);
            self.bytes.resize(grown, 0);
        }
        let (done, rest) = self.bytes.split_at_mut(self.len);
        (done, &mut rest[..end - self.len])
    }

    /// As [`split`](Self::split), or an error where the limit leaves less than `len`.
    pub(super) fn room(&mut self, len: usize) -> Result<&mut [u8], DecompressError> {
        if len > self.limit - self.len {
            return Err(self.limit_exceeded());
        }
        Ok(self.split(len).1)
    }

    /// Counts bytes that were written into the room.
    pub(super) fn advance(&mut self, len: usize) {
        self.len += len;
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), DecompressError> {
        self.room(bytes.len())?.copy_from_slice(bytes);
        self.advance(bytes.len());
        Ok(())
    }

    /// What has come out.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        // A batch lives as long as a view of it: do not keep much more than it needs.
        if self.bytes.capacity() > 2 * self.len {
            self.bytes.shrink_to_fit();
        }
        self.bytes
    }
}

/// The least memory that a stream is decompressed into.
const ROOM_MIN: usize = 1024;

/// Reads a stream decoder to its end or one byte beyond the limit, which is an error.
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
        // Doubled by hand, so that the last time takes no more than the limit.
        plain.reserve_exact(plain.len().min(most - plain.len()));
    }
}
