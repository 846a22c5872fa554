//! One record of a batch: as positions ([`RawRecord`]) or slices ([`RecordView`]).

use std::borrow::Cow;

use crate::error::RecordDefect;
use crate::ids::Offset;
use crate::varint;

/// A range of bytes in the uncompressed records of a batch, or null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span {
    /// The start position; 0 for null.
    pub start: u32,
    /// The length; -1 for null.
    pub len: i32,
}

impl Span {
    /// Null, which differs from an empty range.
    pub const NULL: Self = Self { start: 0, len: -1 };

    /// Whether it is null.
    #[inline]
    pub const fn is_null(self) -> bool {
        self.len < 0
    }

    /// The bytes of the range in the uncompressed records that it was read from.
    #[inline]
    pub fn of(self, plain: &[u8]) -> Option<&[u8]> {
        let len = usize::try_from(self.len).ok()?;
        plain.get(self.start as usize..self.start as usize + len)
    }
}

/// One record as positions in the uncompressed records of its batch. All spans lie within them, and the headers are
/// well-formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawRecord {
    /// The timestamp minus the base timestamp of the batch.
    pub timestamp_delta: i64,
    /// The offset minus the base offset of the batch.
    pub offset_delta: i32,
    /// The key.
    pub key: Span,
    /// The value.
    pub value: Span,
    /// The bytes of the headers after their count; never null.
    pub headers: Span,
    /// The number of headers.
    pub header_count: u32,
}

impl RawRecord {
    /// Reads the record at `at`, and returns it with the position after it.
    ///
    /// `bytes` must not be longer than `i32::MAX`, which holds for all uncompressed records.
    #[inline]
    pub(crate) fn read(bytes: &[u8], at: usize) -> Result<(Self, usize), RecordDefect> {
        let (length, at) = varint::read_i32(bytes, at).ok_or(RecordDefect::Truncated)?;
        let length = usize::try_from(length).map_err(|_| RecordDefect::Length)?;
        let end = at + length;
        let bytes = bytes.get(..end).ok_or(RecordDefect::Truncated)?;
        // Skip the record's own attributes, one unused byte, like Kafka.
        let (timestamp_delta, at) = varint::read_i64(bytes, at + 1).ok_or(RecordDefect::Varint)?;
        let (offset_delta, at) = varint::read_i32(bytes, at).ok_or(RecordDefect::Varint)?;
        let (key, at) = read_span(bytes, at)?;
        let (value, at) = read_span(bytes, at)?;
        let (header_count, at) = varint::read_i32(bytes, at).ok_or(RecordDefect::Varint)?;
        let headers = Span {
            start: at as u32,
            len: (end - at) as i32,
        };
        if header_count != 0 {
            check_headers(bytes, at, header_count)?;
        } else if at != end {
            return Err(RecordDefect::Length);
        }
        Ok((
            Self {
                timestamp_delta,
                offset_delta,
                key,
                value,
                headers,
                header_count: header_count as u32,
            },
            end,
        ))
    }
}

#[inline]
fn read_span(bytes: &[u8], at: usize) -> Result<(Span, usize), RecordDefect> {
    let (len, at) = varint::read_i32(bytes, at).ok_or(RecordDefect::Varint)?;
    if len < 0 {
        return if len == -1 {
            Ok((Span::NULL, at))
        } else {
            Err(RecordDefect::Field)
        };
    }
    if len as usize > bytes.len() - at {
        return Err(RecordDefect::Field);
    }
    Ok((
        Span {
            start: at as u32,
            len,
        },
        at + len as usize,
    ))
}

/// Checks that exactly `count` headers with keys fill the bytes from `at` on.
#[inline(never)]
fn check_headers(bytes: &[u8], mut at: usize, count: i32) -> Result<(), RecordDefect> {
    if count < 0 {
        return Err(RecordDefect::Headers);
    }
    for _ in 0..count {
        let (key, after_key) = read_span(bytes, at)?;
        if key.is_null() {
            return Err(RecordDefect::Headers);
        }
        at = read_span(bytes, after_key)?.1;
    }
    if at == bytes.len() {
        Ok(())
    } else {
        Err(RecordDefect::Length)
    }
}

/// One record as slices of the uncompressed records of its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// Its number in the partition.
    pub offset: Offset,
    /// Milliseconds since the Unix epoch. With log append time, the timestamp of the batch.
    pub timestamp_ms: i64,
    /// The key, or null.
    pub key: Option<&'a [u8]>,
    /// The value, or null.
    pub value: Option<&'a [u8]>,
    /// The headers, in order, including duplicates.
    pub headers: Headers<'a>,
}

/// One header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The bytes of the key: UTF-8 according to Kafka, but not enforced.
    pub key: &'a [u8],
    /// The value, or null.
    pub value: Option<&'a [u8]>,
}

impl<'a> Header<'a> {
    /// The key as text. Invalid UTF-8 becomes U+FFFD, as in Kafka's own clients.
    pub fn key_text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.key)
    }
}

/// The headers of a record: an iterator over [`Header`]. Cheap to copy, to iterate again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    count: u32,
}

impl<'a> Headers<'a> {
    /// The headers of a record that was read from these uncompressed records.
    #[inline]
    pub fn of(record: &RawRecord, plain: &'a [u8]) -> Self {
        Self {
            bytes: record.headers.of(plain).unwrap_or_default(),
            count: record.header_count,
        }
    }

    /// Whether no (more) headers are left.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

#[expect(
    clippy::copy_iterator,
    reason = "two words; copying it is how a reader iterates again"
)]
impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.count = self.count.checked_sub(1)?;
        // The headers were checked when the record was read, so this fails only with the bytes of another batch.
        let (key, at) = read_span(self.bytes, 0).ok()?;
        let (value, at) = read_span(self.bytes, at).ok()?;
        let header = Header {
            key: key.of(self.bytes)?,
            value: value.of(self.bytes),
        };
        self.bytes = &self.bytes[at..];
        Some(header)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count as usize, Some(self.count as usize))
    }
}

impl ExactSizeIterator for Headers<'_> {}
