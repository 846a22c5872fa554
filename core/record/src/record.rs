//! One record of a batch, as positions ([`RawRecord`]) and as slices ([`RecordView`]).

use std::borrow::Cow;

use crate::error::RecordDefect;
use crate::ids::Offset;
use crate::varint;

/// A run of bytes inside a batch's plain records, or null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span {
    /// Where it starts in the plain records; 0 where it is null.
    pub start: u32,
    /// How long it is; -1 where it is null.
    pub len: i32,
}

impl Span {
    /// No bytes at all, which is not the same as no bytes.
    pub const NULL: Self = Self { start: 0, len: -1 };

    /// Whether it is null.
    #[inline]
    pub const fn is_null(self) -> bool {
        self.len < 0
    }

    /// Its bytes in the plain records it was read from.
    #[inline]
    pub fn of(self, plain: &[u8]) -> Option<&[u8]> {
        let len = usize::try_from(self.len).ok()?;
        plain.get(self.start as usize..self.start as usize + len)
    }
}

/// One record as positions in the plain records of its batch. All spans lie inside them, and the headers are
/// well-formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawRecord {
    /// Added to the batch's base timestamp.
    pub timestamp_delta: i64,
    /// Added to the batch's base offset.
    pub offset_delta: i32,
    /// The key.
    pub key: Span,
    /// The value.
    pub value: Span,
    /// The bytes of the headers after their count; never null.
    pub headers: Span,
    /// How many headers there are.
    pub header_count: u32,
}

impl RawRecord {
    /// Reads the record at `at` and returns it with the position after it.
    ///
    /// `bytes` must be no longer than `i32::MAX`, which all plain records are.
    #[inline]
    pub(crate) fn read(bytes: &[u8], at: usize) -> Result<(Self, usize), RecordDefect> {
        let (length, at) = varint::read_i32(bytes, at).ok_or(RecordDefect::Truncated)?;
        let length = usize::try_from(length).map_err(|_| RecordDefect::Length)?;
        let end = at + length;
        let bytes = bytes.get(..end).ok_or(RecordDefect::Truncated)?;
        // The record's own attributes are unused: one byte, skipped as Kafka does.
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

/// Checks that `count` headers with keys fill the bytes from `at` on exactly.
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

/// One record: slices into the plain records of its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// Its number in the partition.
    pub offset: Offset,
    /// Milliseconds since the Unix epoch; with log append time, the batch's.
    pub timestamp_ms: i64,
    /// The key, or null.
    pub key: Option<&'a [u8]>,
    /// The value, or null.
    pub value: Option<&'a [u8]>,
    /// The headers, in order, duplicates kept.
    pub headers: Headers<'a>,
}

/// One header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The key's bytes: UTF-8 by Kafka's rules, which nobody enforces.
    pub key: &'a [u8],
    /// The value, or null.
    pub value: Option<&'a [u8]>,
}

impl<'a> Header<'a> {
    /// The key as text; what is not UTF-8 becomes U+FFFD, as in Kafka's own clients.
    pub fn key_text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.key)
    }
}

/// The headers of a record: an iterator over [`Header`], cheap to copy and begin again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    count: u32,
}

impl<'a> Headers<'a> {
    /// The headers of a record that was read from these plain records.
    #[inline]
    pub fn of(record: &RawRecord, plain: &'a [u8]) -> Self {
        Self {
            bytes: record.headers.of(plain).unwrap_or_default(),
            count: record.header_count,
        }
    }

    /// Whether there are none (left).
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

#[expect(
    clippy::copy_iterator,
    reason = "two words; a copy is how a reader begins again"
)]
impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        self.count = self.count.checked_sub(1)?;
        // Checked when the record was read, so this ends early only for a record of other bytes.
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
