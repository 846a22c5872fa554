//! Validated batches.

use bytes::{Bytes, BytesMut};

use crate::batch::RecordBatch;
use crate::compression::{
    CompressError, Compression, CompressionLevel, Compressor, DecompressLimit,
};
use crate::error::BatchError;
use crate::header::{BatchHeader, HEADER_LEN, LOG_OVERHEAD, seal};

/// The reason why records could not be compressed again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecompressError {
    /// The records could not be read.
    #[error(transparent)]
    Unreadable(#[from] BatchError),
    /// The codec failed.
    #[error(transparent)]
    Compress(#[from] CompressError),
    /// The new batch would exceed the maximum size of a batch.
    #[error(
        "the batch would have {size} bytes, more than a record batch can hold: send smaller batches"
    )]
    TooLarge {
        /// The size that it would have.
        size: usize,
    },
}

/// Whole batches that [`validate`](crate::validate) has checked. Later code relies on that.
#[derive(Clone, Debug)]
pub struct ValidatedBatches {
    bytes: Bytes,
    first: BatchHeader,
    rest: Vec<BatchHeader>,
}

impl ValidatedBatches {
    /// `bytes` must be exactly the batches of these headers, in order.
    pub(crate) fn new(bytes: Bytes, first: BatchHeader, rest: Vec<BatchHeader>) -> Self {
        Self { bytes, first, rest }
    }

    /// Writes the headers at these positions, in order, to the bytes, each with a new CRC.
    pub(crate) fn correct(mut self, positions: &[usize]) -> Self {
        if positions.is_empty() {
            return self;
        }
        let mut bytes = self
            .bytes
            .try_into_mut()
            .unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        let mut positions = positions.iter().peekable();
        let mut position = 0;
        for header in std::iter::once(&mut self.first).chain(&mut self.rest) {
            let end = position + header.size_in_bytes();
            if positions.next_if(|next| **next == position).is_some() {
                header.crc = seal(&mut bytes[position..end], *header);
            }
            position = end;
        }
        Self {
            bytes: bytes.freeze(),
            ..self
        }
    }

    /// The same batches with the records compressed by this codec (a topic's `compression.type`). Batches with this
    /// codec, and control batches, are unchanged.
    pub fn recompressed(
        self,
        codec: Compression,
        level: CompressionLevel,
        limit: DecompressLimit,
    ) -> Result<Self, RecompressError> {
        let keeps = |header: &BatchHeader| {
            header.attributes.is_control()
                || header
                    .attributes
                    .compression()
                    .is_ok_and(|has| has == codec)
        };
        if self.headers().all(keeps) {
            return Ok(self);
        }
        let mut compressor = Compressor::new(codec, level);
        let mut bytes = Vec::new();
        let mut headers = Vec::with_capacity(self.batch_count());
        for (header, batch) in self.iter() {
            let start = bytes.len();
            let mut header = *header;
            if keeps(&header) {
                bytes.extend_from_slice(&batch);
            } else {
                let plain = RecordBatch::parse(batch)?.plain_records(limit)?;
                bytes.resize(start + HEADER_LEN, 0);
                compressor.compress_onto(&plain, &mut bytes)?;
                let size = bytes.len() - start;
                header.batch_length = i32::try_from(size - LOG_OVERHEAD)
                    .map_err(|_| RecompressError::TooLarge { size })?;
                header.attributes = header.attributes.with_compression(codec);
                header.crc = seal(&mut bytes[start..], header);
            }
            headers.push(header);
        }
        let first = headers.remove(0);
        Ok(Self::new(Bytes::from(bytes), first, headers))
    }
    /// All bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Takes all bytes. If they are not shared, offsets can be patched in place.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// The headers, in order; there is at least one.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = &BatchHeader> + Clone {
        Headers {
            first: Some(&self.first),
            rest: self.rest.iter(),
        }
    }

    /// Each header with the bytes of its batch.
    pub fn iter(&self) -> impl Iterator<Item = (&BatchHeader, Bytes)> {
        let mut position = 0;
        self.headers().map(move |header| {
            let start = position;
            position += header.size_in_bytes();
            (header, self.bytes.slice(start..position))
        })
    }

    /// The header of the first batch.
    pub fn first(&self) -> &BatchHeader {
        &self.first
    }

    /// The header of the last batch.
    pub fn last(&self) -> &BatchHeader {
        self.rest.last().unwrap_or(&self.first)
    }

    /// The number of batches, at least one.
    pub fn batch_count(&self) -> usize {
        1 + self.rest.len()
    }

    /// The size of all batches.
    pub fn size_in_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The number of records in all batches.
    pub fn record_count(&self) -> u64 {
        self.headers()
            .map(|header| u64::from(header.record_count.cast_unsigned()))
            .sum()
    }

    /// The greatest timestamp of all batches.
    pub fn max_timestamp_ms(&self) -> i64 {
        self.headers()
            .map(|header| header.max_timestamp_ms)
            .fold(i64::MIN, i64::max)
    }
}

#[derive(Clone, Debug)]
struct Headers<'a> {
    first: Option<&'a BatchHeader>,
    rest: std::slice::Iter<'a, BatchHeader>,
}

impl<'a> Iterator for Headers<'a> {
    type Item = &'a BatchHeader;

    fn next(&mut self) -> Option<&'a BatchHeader> {
        self.first.take().or_else(|| self.rest.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::from(self.first.is_some()) + self.rest.len();
        (left, Some(left))
    }
}

impl ExactSizeIterator for Headers<'_> {}
