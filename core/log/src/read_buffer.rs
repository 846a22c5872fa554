//! Reads the batches of a segment in order, in large reads.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use headwater_env::{Env, File};
use headwater_record::{BatchError, BatchHeader, RecordBatch};

use crate::error::FileError;
use crate::header_walk::check_frame;
use crate::segment::Segment;

/// The size of a read, unless a batch is larger.
const READ_BYTES: usize = 1 << 20;

/// A read buffer over the batches of a segment. Does not check the CRC of batches.
pub(crate) struct ReadBuffer<'a, E: Env> {
    segment: &'a Segment<E>,
    file: Arc<E::File>,
    start: u64,
    bytes: Bytes,
}

impl<'a, E: Env> ReadBuffer<'a, E> {
    pub(crate) fn new(segment: &'a Segment<E>) -> Result<Self, FileError> {
        Ok(Self {
            segment,
            file: segment.file().open()?,
            start: 0,
            bytes: Bytes::new(),
        })
    }

    /// The batch that begins at the position; `None` at the end of the file.
    pub(crate) fn batch_at(
        &mut self,
        position: u64,
    ) -> io::Result<Option<Result<RecordBatch, BatchError>>> {
        let available = self.segment.size() - position;
        if available == 0 {
            return Ok(None);
        }
        let mut parsed = self.parse(position, available);
        // At most two reads: one for the header, one for a batch that is larger than the buffer.
        for _ in 0..2 {
            match parsed {
                Err(BatchError::Truncated { needed, .. }) if needed as u64 <= available => {
                    self.fill(position, needed)?;
                    parsed = self.parse(position, available);
                }
                _ => break,
            }
        }
        Ok(Some(parsed))
    }

    fn fill(&mut self, position: u64, needed: usize) -> io::Result<()> {
        self.bytes = self.file.read_bytes(position, needed.max(READ_BYTES))?;
        self.start = position;
        Ok(())
    }

    fn parse(&self, position: u64, available: u64) -> Result<RecordBatch, BatchError> {
        let here = position
            .checked_sub(self.start)
            .and_then(|skip| self.bytes.get(skip as usize..))
            .map_or(Bytes::new(), |rest| self.bytes.slice_ref(rest));
        let header = check_frame(BatchHeader::parse(&here), available)?;
        let size = header.size_in_bytes();
        if size > here.len() {
            return Err(BatchError::Truncated {
                needed: size,
                available: here.len(),
            });
        }
        RecordBatch::parse(here.slice(..size))
    }
}
