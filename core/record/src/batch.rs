//! One whole batch, and an iterator over consecutive batches.

use bytes::Bytes;

use crate::compression::{self, DecompressLimit};
use crate::crc::crc32c;
use crate::error::BatchError;
use crate::header::{BatchHeader, CRC_START, HEADER_LEN, LOG_OVERHEAD};
use crate::records::Records;

/// Exactly one whole batch with its parsed header. The CRC and the records are checked only on request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordBatch {
    bytes: Bytes,
    header: BatchHeader,
}

impl RecordBatch {
    /// Parses exactly one batch.
    pub fn parse(bytes: Bytes) -> Result<Self, BatchError> {
        let header = BatchHeader::parse(&bytes)?;
        let (size, available) = (header.size_in_bytes(), bytes.len());
        if size > available {
            return Err(BatchError::Truncated {
                needed: size,
                available,
            });
        }
        if size < available {
            return Err(BatchError::TrailingBytes { size, available });
        }
        Ok(Self { bytes, header })
    }

    /// Its header.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// Its bytes, header included.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Its bytes, header included.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// Compares the CRC of the bytes with the header's.
    pub fn verify_crc(&self) -> Result<(), BatchError> {
        let (computed, stored) = (crc32c(&self.bytes[CRC_START..]), self.header.crc);
        if computed == stored {
            Ok(())
        } else {
            Err(BatchError::CrcMismatch { stored, computed })
        }
    }

    /// The uncompressed records: a slice of the batch, or the decompressed bytes, at most `limit`.
    pub fn plain_records(&self, limit: DecompressLimit) -> Result<Bytes, BatchError> {
        let compression = self.header.attributes.compression()?;
        let stored = self.bytes.slice(HEADER_LEN..);
        Ok(compression::decompress(compression, &stored, limit)?)
    }

    /// The records, decompressed if necessary.
    pub fn records(&self, limit: DecompressLimit) -> Result<Records, BatchError> {
        Ok(Records::new(self.plain_records(limit)?, self.header))
    }
}

/// Iterates over consecutive batches without copying. Ends silently at a batch that is cut by the end of the bytes, as
/// at the end of a fetch response; ends after the first error.
pub fn batches(bytes: &Bytes) -> Batches {
    Batches {
        bytes: bytes.clone(),
        position: 0,
    }
}

/// The first whole batch with a valid CRC that begins at or after `from`, and its position. Tries every position, so it
/// also finds batches after damaged bytes.
pub fn find_batch(bytes: &Bytes, from: usize) -> Option<(usize, RecordBatch)> {
    (from..bytes.len()).find_map(|position| {
        let header = BatchHeader::parse(&bytes[position..]).ok()?;
        let end = position.checked_add(header.size_in_bytes())?;
        if end > bytes.len() {
            return None;
        }
        let batch = RecordBatch::parse(bytes.slice(position..end)).ok()?;
        batch.verify_crc().ok()?;
        Some((position, batch))
    })
}

/// The iterator that [`batches`] returns.
#[derive(Clone, Debug)]
pub struct Batches {
    bytes: Bytes,
    position: usize,
}

impl Batches {
    /// The position of the next batch; at the end, the number of bytes in whole batches.
    pub fn position(&self) -> usize {
        self.position
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.position..)?;
        let prefix = rest.first_chunk::<LOG_OVERHEAD>()?;
        let header = match BatchHeader::parse(rest) {
            Ok(header) => header,
            Err(BatchError::Truncated { .. }) if BatchHeader::size_from_prefix(prefix).is_ok() => {
                return None;
            }
            Err(error) => {
                self.bytes = Bytes::new();
                return Some(Err(error));
            }
        };
        let size = header.size_in_bytes();
        if size > rest.len() {
            return None;
        }
        let bytes = self.bytes.slice(self.position..self.position + size);
        self.position += size;
        Some(Ok(RecordBatch { bytes, header }))
    }
}
