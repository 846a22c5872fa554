//! A message in pieces: long runs of bytes stay where they are.

use bytes::{Bytes, BytesMut};

use super::EncodeError;

/// A run of bytes shorter than this is copied between its neighbours: that costs less than one more piece.
const SHARED_BYTES_MIN: usize = 4 * 1024;

/// What an encoder wrote, with the long runs of bytes (records, above all) shared and not copied. The pieces, one behind the other, are
/// the bytes that an encoder into one buffer writes.
#[derive(Debug, Default)]
pub struct Rope {
    /// All that was copied, without gaps.
    pub(super) copied: BytesMut,
    pub(super) shared: SharedRuns,
}

/// Runs that belong between the bytes that were copied.
#[derive(Debug, Default)]
pub(super) struct SharedRuns {
    /// In order; each with how many copied bytes stand before it.
    runs: Vec<(usize, Bytes)>,
    bytes: usize,
}

/// How far a rope was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RopeMark {
    copied: usize,
    runs: usize,
    bytes: usize,
}

impl SharedRuns {
    /// Takes `run` behind `position` copied bytes; false if it is so short that it should be copied too.
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
    /// One piece.
    fn from(copied: BytesMut) -> Self {
        Self {
            copied,
            shared: SharedRuns::default(),
        }
    }
}

impl Rope {
    /// How many bytes its pieces have together.
    pub fn len(&self) -> usize {
        self.copied.len() + self.shared.bytes
    }

    /// Is nothing in it?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pieces, in order; none is empty.
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

    /// The buffer of what is copied. For headers, which have no long runs.
    pub(crate) fn copied_mut(&mut self) -> &mut BytesMut {
        &mut self.copied
    }

    /// Puts the length of all that follows into the first four bytes, which were kept free for it.
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
