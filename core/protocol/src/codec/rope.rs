//! A message in pieces: long byte ranges are not copied.

use bytes::{Bytes, BytesMut};

use super::EncodeError;

/// Shorter byte ranges are copied: that is cheaper than another piece.
const SHARED_BYTES_MIN: usize = 4 * 1024;

/// The output of an encoder, with long byte ranges (mostly records) shared instead of copied. Concatenated, the pieces
/// are the bytes that an encoder into one buffer writes.
#[derive(Debug, Default)]
pub struct Rope {
    /// All copied bytes, without gaps.
    pub(super) copied: BytesMut,
    pub(super) shared: SharedRuns,
}

/// The shared ranges between the copied bytes.
#[derive(Debug, Default)]
pub(super) struct SharedRuns {
    /// In order, each with the number of copied bytes before it.
    runs: Vec<(usize, Bytes)>,
    bytes: usize,
}

/// The state of a rope at one time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RopeMark {
    copied: usize,
    runs: usize,
    bytes: usize,
}

impl SharedRuns {
    /// Adds `run` after `position` copied bytes; false if it is too short to share.
    pub(super) fn take(&mut self, position: usize, run: &Bytes) -> bool {
        if run.len() < SHARED_BYTES_MIN {
            return false;
        }
        self.bytes += run.len();
        self.runs.push((position, run.clone()));
        true
    }
}

impl From<BytesMut> for Rope {
    /// A rope of one piece.
    fn from(copied: BytesMut) -> Self {
        Self {
            copied,
            shared: SharedRuns::default(),
        }
    }
}

impl Rope {
    /// The total length of its pieces.
    pub fn len(&self) -> usize {
        self.copied.len() + self.shared.bytes
    }

    /// Whether the rope is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pieces, in order, without empty ones.
    pub fn into_pieces(self) -> impl Iterator<Item = Bytes> {
        let mut copied = self.copied;
        let mut taken = 0;
        let mut pieces = Vec::with_capacity(2 * self.shared.runs.len() + 1);
        for (position, run) in self.shared.runs {
            pieces.push(copied.split_to(position - taken).freeze());
            pieces.push(run);
            taken = position;
        }
        pieces.push(copied.freeze());
        pieces.into_iter().filter(|piece| !piece.is_empty())
    }

    pub(crate) fn mark(&self) -> RopeMark {
        RopeMark {
            copied: self.copied.len(),
            runs: self.shared.runs.len(),
            bytes: self.shared.bytes,
        }
    }

    pub(crate) fn truncate(&mut self, mark: RopeMark) {
        self.copied.truncate(mark.copied);
        self.shared.runs.truncate(mark.runs);
        self.shared.bytes = mark.bytes;
    }

    /// The buffer of copied bytes. For headers, which have no long ranges.
    pub(crate) fn copied_mut(&mut self) -> &mut BytesMut {
        &mut self.copied
    }

    /// Writes the length of all following bytes to the first four bytes, which were reserved for it.
    pub(crate) fn patch_length(&mut self) -> Result<(), EncodeError> {
        const LENGTH_BYTES: usize = size_of::<i32>();
        let length = self.len() - LENGTH_BYTES;
        let value = i32::try_from(length).map_err(|_| EncodeError::TooLong {
            length,
            limit: i32::MAX as usize,
        })?;
        self.copied[..LENGTH_BYTES].copy_from_slice(&value.to_be_bytes());
        Ok(())
    }
}
