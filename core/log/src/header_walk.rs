//! Walks through the batches of a log file, reading headers only.

use std::io;
use std::sync::Arc;

use headwater_env::File;
use headwater_record::{BatchError, BatchHeader, HEADER_LEN, Offset};

/// The size of a read while batches are small.
const BLOCK: usize = 4096;

/// Why a walk cannot continue.
#[derive(Debug)]
pub(crate) enum WalkError {
    Io(io::Error),
    /// There is no whole batch at the position.
    NoBatch {
        position: u64,
        source: BatchError,
    },
}

/// Walks over the batches between two positions, both of which must be batch boundaries. Returns each header with its
/// position. After an error it stays at the same batch.
#[derive(Debug)]
pub(crate) struct HeaderWalk<F> {
    file: Arc<F>,
    position: u64,
    limit: u64,
    block: Vec<u8>,
    block_start: u64,
    last_size: usize,
    /// The lowest offset that the next batch may have.
    next_offset: Offset,
}

impl<F: File> HeaderWalk<F> {
    pub(crate) fn new(file: Arc<F>, position: u64, limit: u64) -> Self {
        Self {
            file,
            position,
            limit,
            block: Vec::new(),
            block_start: position,
            last_size: 0,
            next_offset: Offset::ZERO,
        }
    }

    /// Requires that the first batch begins at `next_offset` or later.
    pub(crate) fn with_next_offset(self, next_offset: Offset) -> Self {
        Self {
            next_offset,
            ..self
        }
    }

    /// Returns to the batch that the walk has just returned.
    pub(crate) fn rewind(&mut self, position: u64, next_offset: Offset) {
        self.position = position;
        self.next_offset = next_offset;
    }

    /// The next header, and the position of its batch.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, BatchHeader)>, WalkError> {
        if self.position >= self.limit {
            return Ok(None);
        }
        let position = self.position;
        let header = self.header().map_err(WalkError::Io)?;
        let header = check_frame(header, self.limit - position)
            .and_then(|header| check_order(header, self.next_offset))
            .map_err(|source| WalkError::NoBatch { position, source })?;
        self.next_offset = header.next_offset();
        self.last_size = header.size_in_bytes();
        self.position += self.last_size as u64;
        Ok(Some((position, header)))
    }

    fn header(&mut self) -> io::Result<Result<BatchHeader, BatchError>> {
        let in_block = (self.position - self.block_start) as usize;
        if self.block.len() < in_block + HEADER_LEN {
            self.fill()?;
        }
        let in_block = (self.position - self.block_start) as usize;
        Ok(BatchHeader::parse(&self.block[in_block..]))
    }

    fn fill(&mut self) -> io::Result<()> {
        let wanted = if self.last_size >= BLOCK {
            HEADER_LEN
        } else {
            BLOCK
        };
        let wanted = wanted.min((self.limit - self.position) as usize);
        self.block.resize(wanted, 0);
        self.block_start = self.position;
        let mut filled = 0;
        while filled < wanted {
            match self
                .file
                .read_at(&mut self.block[filled..], self.position + filled as u64)?
            {
                0 => break,
                read => filled += read,
            }
        }
        self.block.truncate(filled);
        Ok(())
    }
}

/// Checks that offsets ascend. The CRC does not cover the base offset, so this check detects its damage.
fn check_order(header: BatchHeader, next_offset: Offset) -> Result<BatchHeader, BatchError> {
    let records = i64::from(header.last_offset_delta) + 1;
    let ends = header.base_offset.get().checked_add(records).is_some();
    if header.base_offset < next_offset || records < 1 || !ends {
        return Err(BatchError::OffsetOutOfOrder {
            base_offset: header.base_offset,
            expected: next_offset,
        });
    }
    Ok(header)
}

/// Checks what holds for every batch in a log file, apart from the CRC: it ends within the file.
pub(crate) fn check_frame(
    header: Result<BatchHeader, BatchError>,
    available: u64,
) -> Result<BatchHeader, BatchError> {
    let header = header?;
    let size = header.size_in_bytes();
    if size as u64 > available {
        return Err(BatchError::Truncated {
            needed: size,
            available: available as usize,
        });
    }
    Ok(header)
}
