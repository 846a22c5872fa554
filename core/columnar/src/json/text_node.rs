//! Columns of text and of bytes while they are built.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, StringArray};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;

use super::cursor::{Cursor, Fault, Kind};

/// The content of JSON strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Text, with escapes resolved.
    Text,
    /// Text; other values are stored as their JSON text.
    AnyText,
    /// Bytes as hexadecimal digits; exactly this many bytes, if set.
    Bytes(Option<usize>),
}

/// Text or bytes.
#[derive(Debug)]
pub(crate) struct TextNode {
    ends: Vec<i32>,
    data: Vec<u8>,
    nulls: NullBufferBuilder,
    content: Content,
}

impl TextNode {
    pub(crate) fn new(content: Content, capacity: usize) -> Self {
        Self {
            ends: offsets(capacity),
            data: Vec::with_capacity(capacity * 8),
            nulls: NullBufferBuilder::new(capacity),
            content,
        }
    }

    #[inline]
    pub(crate) fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let start = *cursor;
        match (cursor.kind()?, self.content) {
            (Kind::Text, Content::Bytes(size)) => {
                let text = cursor.text()?;
                self.append_bytes(text.bytes, size)
                    .ok_or_else(|| start.mismatch(bytes_expected(size)))?;
            }
            (Kind::Text, _) => cursor.text()?.append_to(&mut self.data),
            // Outside of strings JSON is ASCII, and strings are checked while they are skipped.
            (_, Content::AnyText) => self.data.extend_from_slice(cursor.skip_value()?),
            (_, Content::Text) => return Err(cursor.mismatch("a string")),
            (_, Content::Bytes(size)) => return Err(cursor.mismatch(bytes_expected(size))),
        }
        self.end_value()
    }

    /// Appends one text.
    pub(crate) fn push(&mut self, text: &[u8]) -> Result<(), Fault> {
        self.data.extend_from_slice(text);
        self.end_value()
    }

    #[inline]
    fn end_value(&mut self) -> Result<(), Fault> {
        self.ends
            .push(i32::try_from(self.data.len()).map_err(|_| Fault::TooLarge)?);
        self.nulls.append_non_null();
        Ok(())
    }

    fn append_bytes(&mut self, digits: &[u8], size: Option<usize>) -> Option<()> {
        let (pairs, rest) = digits.as_chunks::<2>();
        if !rest.is_empty() || size.is_some_and(|size| size != pairs.len()) {
            return None;
        }
        for [high, low] in pairs {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            self.data.push((digit(*high)? * 16 + digit(*low)?) as u8);
        }
        Some(())
    }

    pub(crate) fn push_null(&mut self) {
        self.ends.push(self.data.len() as i32);
        self.nulls.append_null();
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len() - 1
    }

    /// The bytes of one value.
    pub(crate) fn value(&self, index: usize) -> &[u8] {
        &self.data[self.ends[index] as usize..self.ends[index + 1] as usize]
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.ends.truncate(len + 1);
        self.nulls.truncate(len);
        self.data
            .truncate(self.ends.last().map_or(0, |end| *end as usize));
    }

    /// The array: `Utf8`, or `Binary` for bytes.
    pub(crate) fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        let (data, nulls) = (self.data.into(), self.nulls.finish());
        Ok(match self.content {
            Content::Bytes(_) => Arc::new(BinaryArray::try_new(ends, data, nulls)?),
            _ => Arc::new(StringArray::try_new(ends, data, nulls)?),
        })
    }
}

fn bytes_expected(size: Option<usize>) -> String {
    match size {
        Some(size) => format!(
            "{size} bytes as a string of {} hexadecimal digits",
            2 * size
        ),
        None => "bytes as a string of hexadecimal digits, such as \"00ff\"".to_owned(),
    }
}

/// A vector of offsets that starts with 0.
pub(crate) fn offsets(capacity: usize) -> Vec<i32> {
    let mut offsets = Vec::with_capacity(capacity + 1);
    offsets.push(0);
    offsets
}
