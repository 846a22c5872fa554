//! Reads JSON text byte by byte, strictly according to RFC 8259.

use std::fmt;

use super::text::{RawText, special_bytes};

/// The maximum nesting, so that hostile text cannot exhaust the stack.
pub(crate) const MAX_DEPTH: u32 = 64;

/// The reason why a value cannot be read. Rare, so it may allocate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The text is not JSON.
    Syntax { at: usize, expected: &'static str },
    /// The value has another type than the schema.
    Type { at: usize, expected: String },
    /// The table would be too large.
    TooLarge,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { at, expected } => {
                write!(f, "is not JSON (byte {at}: expected {expected})")
            }
            Self::Type { at, expected } => write!(
                f,
                "does not fit the schema (byte {at}: expected {expected})"
            ),
            Self::TooLarge => f.write_str("is too large for one table"),
        }
    }
}

/// The kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    Text,
    List,
    Object,
}

/// A position in JSON text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    #[cold]
    pub(crate) fn syntax(&self, expected: &'static str) -> Fault {
        Fault::Syntax {
            at: self.at,
            expected,
        }
    }

    #[cold]
    pub(crate) fn mismatch(&self, expected: impl fmt::Display) -> Fault {
        Fault::Type {
            at: self.at,
            expected: expected.to_string(),
        }
    }

    /// The text from an earlier position of this cursor to here.
    #[inline]
    pub(crate) fn text_since(&self, start: Self) -> &'a [u8] {
        &self.bytes[start.at..self.at]
    }

    /// The next byte, 0 at the end (0 is not valid in JSON outside of strings).
    #[inline]
    pub(crate) fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[inline]
    pub(crate) fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    /// Consumes this byte if it is next.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let is = self.peek() == byte;
        self.at += usize::from(is);
        is
    }

    /// Consumes exactly these bytes if they are next.
    #[inline]
    pub(crate) fn take_all(&mut self, text: &[u8]) -> bool {
        let is = self
            .bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(text));
        self.at += if is { text.len() } else { 0 };
        is
    }

    #[inline]
    pub(crate) fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), Fault> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.syntax(expected))
        }
    }

    /// Refuses anything but white space up to the end.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        self.skip_space();
        if self.at == self.bytes.len() {
            Ok(())
        } else {
            Err(self.syntax("the end of the text"))
        }
    }

    /// The kind of the next value, after white space.
    #[inline]
    pub(crate) fn kind(&mut self) -> Result<Kind, Fault> {
        self.skip_space();
        match self.peek() {
            b'"' => Ok(Kind::Text),
            b'{' => Ok(Kind::Object),
            b'[' => Ok(Kind::List),
            b'-' | b'0'..=b'9' => Ok(Kind::Number),
            b't' | b'f' => Ok(Kind::Bool),
            b'n' => Ok(Kind::Null),
            _ => Err(self.syntax("a value")),
        }
    }

    /// Consumes `null` if it is next.
    #[inline]
    pub(crate) fn take_null(&mut self) -> Result<bool, Fault> {
        self.skip_space();
        if self.peek() != b'n' {
            return Ok(false);
        }
        if self.take_all(b"null") {
            Ok(true)
        } else {
            Err(self.syntax("null"))
        }
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&mut self) -> Result<bool, Fault> {
        if self.take_all(b"true") {
            Ok(true)
        } else if self.take_all(b"false") {
            Ok(false)
        } else {
            Err(self.syntax("true or false"))
        }
    }

    /// Between items of a list or an object: true after a comma, false after `close`.
    #[inline]
    pub(crate) fn more(&mut self, close: u8) -> Result<bool, Fault> {
        self.skip_space();
        if self.take(b',') {
            return Ok(true);
        }
        self.expect(
            close,
            if close == b'}' {
                "',' or '}'"
            } else {
                "',' or ']'"
            },
        )
        .map(|()| false)
    }

    /// After `{` or `[`: whether there are items, or `close` follows.
    #[inline]
    pub(crate) fn any(&mut self, close: u8) -> bool {
        self.skip_space();
        !self.take(close)
    }

    /// The `:` after a key.
    #[inline]
    pub(crate) fn colon(&mut self) -> Result<(), Fault> {
        self.skip_space();
        self.expect(b':', "':'")
    }

    /// A string.
    #[inline]
    pub(crate) fn text(&mut self) -> Result<RawText<'a>, Fault> {
        self.expect(b'"', "a string")?;
        let start = self.at;
        let mut wide = 0u64;
        let mut escaped = false;
        loop {
            while let Some(chunk) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
                let word = u64::from_le_bytes(*chunk);
                wide |= word;
                let special = special_bytes(word);
                if special != 0 {
                    self.at += special.trailing_zeros() as usize / 8;
                    break;
                }
                self.at += 8;
            }
            match self.bytes.get(self.at).copied() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(0..0x20) => {
                    return Err(self.syntax("an escape in the place of a control character"));
                }
                Some(byte) => {
                    wide |= u64::from(byte);
                    self.at += 1;
                }
                None => return Err(self.syntax("'\"'")),
            }
        }
        let bytes = &self.bytes[start..self.at];
        self.at += 1;
        if wide & 0x8080_8080_8080_8080 != 0 && std::str::from_utf8(bytes).is_err() {
            return Err(self.syntax("UTF-8"));
        }
        Ok(RawText { bytes, escaped })
    }

    #[inline(never)]
    fn escape(&mut self) -> Result<(), Fault> {
        self.at += 1;
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                let digits = self.bytes.get(self.at + 1..self.at + 5);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(self.syntax("four hexadecimal digits"));
                }
                self.at += 5;
            }
            _ => return Err(self.syntax("an escape")),
        }
        Ok(())
    }

    /// The text of a number in valid JSON form.
    pub(crate) fn number(&mut self) -> Result<&'a [u8], Fault> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(&self.bytes[start..self.at])
    }

    #[inline]
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start {
            Err(self.syntax("a digit"))
        } else {
            Ok(())
        }
    }

    /// An integer of up to 18 digits; for anything else the position does not change.
    #[inline]
    pub(crate) fn short_integer(&mut self) -> Option<i64> {
        let start = self.at;
        let negative = self.take(b'-');
        let first = self.at;
        let mut value = 0i64;
        while self.peek().is_ascii_digit() && self.at < first + 18 {
            value = value * 10 + i64::from(self.peek() - b'0');
            self.at += 1;
        }
        let len = self.at - first;
        let simple = !matches!(self.peek(), b'0'..=b'9' | b'.' | b'e' | b'E');
        // The slow path refuses leading zeros and a single "-".
        if len == 0 || !simple || (len > 1 && self.bytes[first] == b'0') {
            self.at = start;
            return None;
        }
        Some(if negative { -value } else { value })
    }

    /// Skips a whole value of any kind and returns its text.
    pub(crate) fn skip_value(&mut self) -> Result<&'a [u8], Fault> {
        self.skip_space();
        let start = self.at;
        self.skip_nested(0)?;
        Ok(&self.bytes[start..self.at])
    }

    fn skip_nested(&mut self, depth: u32) -> Result<(), Fault> {
        match self.kind()? {
            Kind::Text => self.text().map(drop),
            Kind::Number => self.number().map(drop),
            Kind::Bool => self.boolean().map(drop),
            Kind::Null => self
                .take_null()
                .and_then(|is| if is { Ok(()) } else { Err(self.syntax("null")) }),
            _ if depth >= MAX_DEPTH => Err(self.syntax("less nesting")),
            Kind::List => {
                self.at += 1;
                let mut more = self.any(b']');
                while more {
                    self.skip_nested(depth + 1)?;
                    more = self.more(b']')?;
                }
                Ok(())
            }
            Kind::Object => {
                self.at += 1;
                let mut more = self.any(b'}');
                while more {
                    self.skip_space();
                    self.text()?;
                    self.colon()?;
                    self.skip_nested(depth + 1)?;
                    more = self.more(b'}')?;
                }
                Ok(())
            }
        }
    }
}
