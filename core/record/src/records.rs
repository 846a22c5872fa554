//! The uncompressed records of one batch.

use bytes::Bytes;

use crate::attributes::TimestampType;
use crate::error::{BatchError, RecordDefect};
use crate::header::BatchHeader;
use crate::ids::Offset;
use crate::record::{Headers, RawRecord, RecordView};

/// The records of one batch: the uncompressed bytes (a slice of the batch, or decompressed) and the header, which turns
/// deltas into offsets and timestamps.
#[derive(Clone, Debug)]
pub struct Records {
    plain: Bytes,
    header: BatchHeader,
}

impl Records {
    pub(crate) fn new(plain: Bytes, header: BatchHeader) -> Self {
        Self { plain, header }
    }

    /// The uncompressed bytes that all spans and views refer to.
    pub fn plain(&self) -> &Bytes {
        &self.plain
    }

    /// The header of the batch.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The record count in the header.
    pub fn count(&self) -> usize {
        self.header.record_count.max(0) as usize
    }

    /// The records as views.
    pub fn iter(&self) -> RecordIter<'_> {
        RecordIter {
            raw: self.raw(),
            plain: &self.plain,
            header: &self.header,
        }
    }

    /// The records as positions in [`plain`](Self::plain): the fastest iteration of a batch.
    pub fn raw(&self) -> RawRecords<'_> {
        RawRecords::new(&self.plain, self.header.record_count)
    }

    /// The offset and timestamp of a record; `None` if the offset overflows. The timestamp wraps around, as in Kafka.
    #[inline]
    pub fn place(&self, record: &RawRecord) -> Option<(Offset, i64)> {
        place(&self.header, record)
    }
}

#[inline]
pub(crate) fn place(header: &BatchHeader, record: &RawRecord) -> Option<(Offset, i64)> {
    let offset = header
        .base_offset
        .checked_add(i64::from(record.offset_delta))?;
    let timestamp_ms = match header.attributes.timestamp_type() {
        TimestampType::CreateTime => header
            .base_timestamp_ms
            .wrapping_add(record.timestamp_delta),
        TimestampType::LogAppendTime => header.max_timestamp_ms,
    };
    Some((offset, timestamp_ms))
}

impl<'a> IntoIterator for &'a Records {
    type Item = Result<RecordView<'a>, BatchError>;
    type IntoIter = RecordIter<'a>;

    fn into_iter(self) -> RecordIter<'a> {
        self.iter()
    }
}

/// Iterates over uncompressed records as positions. Yields as many as the header counts, then an error if bytes are
/// left over. Ends after an error.
#[derive(Clone, Debug)]
pub struct RawRecords<'a> {
    plain: &'a [u8],
    at: usize,
    count: i32,
    left: i32,
}

impl<'a> RawRecords<'a> {
    /// Iterates over `count` records in these bytes. Positions have 32 bits, so only the first `i32::MAX` bytes are
    /// read; no batch has more.
    pub fn new(plain: &'a [u8], count: i32) -> Self {
        let plain = &plain[..plain.len().min(i32::MAX as usize)];
        Self {
            plain,
            at: 0,
            count,
            left: count,
        }
    }

    /// The position of the next record.
    pub fn position(&self) -> usize {
        self.at
    }

    #[cold]
    fn finish(&mut self) -> Option<BatchError> {
        if self.count < 0 {
            let count = std::mem::take(&mut self.count);
            self.at = self.plain.len();
            return Some(BatchError::InvalidCount { count });
        }
        let extra = self.plain.len() - self.at;
        self.at = self.plain.len();
        (extra > 0).then_some(BatchError::BytesAfterRecords {
            count: self.count,
            extra,
        })
    }

    #[cold]
    fn fail(&mut self, defect: RecordDefect) -> BatchError {
        let index = (self.count - self.left) as usize;
        self.left = 0;
        self.at = self.plain.len();
        BatchError::Record { index, defect }
    }
}

impl Iterator for RawRecords<'_> {
    type Item = Result<RawRecord, BatchError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.left <= 0 {
            return self.finish().map(Err);
        }
        match RawRecord::read(self.plain, self.at) {
            Ok((record, next)) => {
                self.at = next;
                self.left -= 1;
                Some(Ok(record))
            }
            Err(defect) => Some(Err(self.fail(defect))),
        }
    }
}

/// Iterates over the records of a batch as views. Ends like [`RawRecords`].
#[derive(Clone, Debug)]
pub struct RecordIter<'a> {
    raw: RawRecords<'a>,
    plain: &'a [u8],
    header: &'a BatchHeader,
}

impl<'a> Iterator for RecordIter<'a> {
    type Item = Result<RecordView<'a>, BatchError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let record = match self.raw.next()? {
            Ok(record) => record,
            Err(error) => return Some(Err(error)),
        };
        let Some((offset, timestamp_ms)) = place(self.header, &record) else {
            // The record was counted; step back, so that the error has its index.
            self.raw.left += 1;
            return Some(Err(self.raw.fail(RecordDefect::OffsetOverflow)));
        };
        Some(Ok(RecordView {
            offset,
            timestamp_ms,
            key: record.key.of(self.plain),
            value: record.value.of(self.plain),
            headers: Headers::of(&record, self.plain),
        }))
    }
}
