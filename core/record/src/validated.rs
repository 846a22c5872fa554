//! Batches that were checked.

use bytes::Bytes;

use crate::header::BatchHeader;

/// Whole batches that [`validate`](crate::validate) has checked; trusted afterwards.
#[derive(Clone, Debug)]
pub struct ValidatedBatches {
    bytes: Bytes,
    first: BatchHeader,
    rest: Vec<BatchHeader>,
}

impl ValidatedBatches {
    /// All bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// All bytes, taken out; unique if nobody else holds them, so that offsets can be patched in place.
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

    /// How many batches there are, at least one.
    pub fn batch_count(&self) -> usize {
        1 + self.rest.len()
    }

    /// The size of all batches.
    pub fn size_in_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The records of all batches.
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
