//! Decodes values from bytes.

use bytes::Bytes;
use uuid::Uuid;

use super::{DecodeError, STRING_BYTES_MAX, Str, UnknownTaggedFields, Wire};

/// Decodes values from the front of `Bytes`.
///
/// Invariant: every length and count is compared with the remaining bytes before anything is allocated or sliced, so
/// hostile bytes cause an error and never use more memory than a small multiple of their own length. Strings and byte
/// ranges are slices of the input: they share its memory and keep it alive.
#[derive(Debug, Clone)]
pub struct Decoder {
    bytes: Bytes,
    position: usize,
    flexible: bool,
}

/// The memory that an array may reserve before its first element is decoded; beyond it, the array grows with the
/// decoded elements.
const RESERVED_BYTES_MAX: usize = 64 * 1024;

impl Decoder {
    /// A decoder at the start of `bytes`, initially for a version that is not flexible.
    pub fn new(bytes: Bytes) -> Self {
        Self {
            bytes,
            position: 0,
            flexible: false,
        }
    }

    /// Sets whether the following lengths are compact and tagged fields exist.
    pub fn set_flexible(&mut self, flexible: bool) {
        self.flexible = flexible;
    }

    /// The number of decoded bytes.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The number of remaining bytes.
    pub fn left(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// The remaining bytes.
    pub fn into_rest(mut self) -> Bytes {
        self.bytes.split_off(self.position)
    }

    /// Ends the message: an error if bytes remain.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.left() {
            0 => Ok(()),
            left => Err(DecodeError::TrailingBytes {
                position: self.position as u32,
                left: left as u32,
            }),
        }
    }

    #[inline]
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.bytes[self.position..].first_chunk::<N>() {
            Some(chunk) => {
                self.position += N;
                Ok(*chunk)
            }
            None => Err(self.truncated(N)),
        }
    }

    #[cold]
    fn truncated(&self, needed: usize) -> DecodeError {
        DecodeError::Truncated {
            position: self.position as u32,
            needed: needed as u32,
            left: self.left() as u32,
        }
    }

    /// A byte that is 0 for false and anything else for true, as in Kafka.
    #[inline]
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.fixed::<1>()? != [0])
    }

    /// A sixteen-byte identifier.
    #[inline]
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        self.fixed().map(Uuid::from_bytes)
    }

    /// An unsigned integer of up to 32 bits, seven bits a byte, the lowest first.
    pub fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0_u32;
        for shift in (0..35).step_by(7) {
            let [byte] = self.fixed()?;
            if shift == 28 && byte > 0x0F {
                break;
            }
            value |= u32::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::VarintTooLong {
            position: self.position as u32,
        })
    }

    /// The length of a string; `None` for null.
    fn string_length(&mut self) -> Result<Option<usize>, DecodeError> {
        let length = if self.flexible {
            self.compact_length()?
        } else {
            self.plain_length_16()?
        };
        match length {
            Some(length) if length > STRING_BYTES_MAX => Err(self.invalid_length(length as i32)),
            length => Ok(length),
        }
    }

    /// The length of bytes or an array; `None` for null.
    fn length(&mut self) -> Result<Option<usize>, DecodeError> {
        if self.flexible {
            return self.compact_length();
        }
        match self.i32()? {
            -1 => Ok(None),
            length => usize::try_from(length)
                .map(Some)
                .map_err(|_| self.invalid_length(length)),
        }
    }

    fn plain_length_16(&mut self) -> Result<Option<usize>, DecodeError> {
        match self.i16()? {
            -1 => Ok(None),
            length => usize::try_from(length)
                .map(Some)
                .map_err(|_| self.invalid_length(i32::from(length))),
        }
    }

    fn compact_length(&mut self) -> Result<Option<usize>, DecodeError> {
        Ok(self
            .unsigned_varint()?
            .checked_sub(1)
            .map(|length| length as usize))
    }

    #[cold]
    fn invalid_length(&self, length: i32) -> DecodeError {
        DecodeError::InvalidLength {
            position: self.position as u32,
            length,
        }
    }

    #[cold]
    fn unexpected_null(&self) -> DecodeError {
        DecodeError::UnexpectedNull {
            position: self.position as u32,
        }
    }

    /// The next `length` bytes, shared with the input.
    pub fn slice(&mut self, length: usize) -> Result<Bytes, DecodeError> {
        if length > self.left() {
            return Err(self.truncated(length));
        }
        let start = self.position;
        self.position += length;
        Ok(self.bytes.slice(start..self.position))
    }

    /// A string.
    pub fn string(&mut self) -> Result<Str, DecodeError> {
        self.nullable_string()?
            .ok_or_else(|| self.unexpected_null())
    }

    /// A string or null.
    pub fn nullable_string(&mut self) -> Result<Option<Str>, DecodeError> {
        let Some(length) = self.string_length()? else {
            return Ok(None);
        };
        let position = self.position as u32;
        let text = Str::try_from(self.slice(length)?)
            .map_err(|_| DecodeError::InvalidUtf8 { position })?;
        Ok(Some(text))
    }

    /// A range of bytes.
    pub fn bytes(&mut self) -> Result<Bytes, DecodeError> {
        self.nullable_bytes()?.ok_or_else(|| self.unexpected_null())
    }

    /// A range of bytes or null.
    pub fn nullable_bytes(&mut self) -> Result<Option<Bytes>, DecodeError> {
        match self.length()? {
            Some(length) => self.slice(length).map(Some),
            None => Ok(None),
        }
    }

    /// An array.
    pub fn array<T: Wire>(&mut self, version: i16) -> Result<Vec<T>, DecodeError> {
        self.nullable_array(version)?
            .ok_or_else(|| self.unexpected_null())
    }

    /// An array or null.
    pub fn nullable_array<T: Wire>(&mut self, version: i16) -> Result<Option<Vec<T>>, DecodeError> {
        let Some(count) = self.array_count(T::SMALLEST)? else {
            return Ok(None);
        };
        let mut items = Vec::with_capacity(count.min(RESERVED_BYTES_MAX / size_of::<T>().max(1)));
        for _ in 0..count {
            items.push(T::read(self, version)?);
        }
        Ok(Some(items))
    }

    /// The count of an array whose elements have at least `smallest` bytes each, checked against the remaining bytes.
    fn array_count(&mut self, smallest: usize) -> Result<Option<usize>, DecodeError> {
        let Some(count) = self.length()? else {
            return Ok(None);
        };
        if count > self.left() / smallest.max(1) {
            let (position, left) = (self.position as u32, self.left() as u32);
            return Err(DecodeError::CountTooLarge {
                position,
                count: count as u32,
                left,
            });
        }
        Ok(Some(count))
    }

    /// A struct or null. A signed byte comes first; negative means null.
    pub fn nullable_struct<T: Wire>(&mut self, version: i16) -> Result<Option<T>, DecodeError> {
        if self.i8()? < 0 {
            Ok(None)
        } else {
            T::read(self, version).map(Some)
        }
    }

    /// The tagged fields of a struct without known ones. In a version that is not flexible nothing is read.
    #[inline]
    pub fn unknown_tagged_fields(&mut self) -> Result<UnknownTaggedFields, DecodeError> {
        // The usual case: flexible, without tagged fields.
        if self.flexible && self.bytes.get(self.position) == Some(&0) {
            self.position += 1;
            return Ok(UnknownTaggedFields::default());
        }
        self.tagged_fields(&mut |_, _| Ok(false))
    }

    /// The tagged fields of a struct. `known` decodes the value of a known tag and returns true, or returns false; the
    /// unknown fields are returned. In a version that is not flexible nothing is read.
    pub fn tagged_fields(
        &mut self,
        known: &mut dyn FnMut(&mut Self, u32) -> Result<bool, DecodeError>,
    ) -> Result<UnknownTaggedFields, DecodeError> {
        let mut unknown = UnknownTaggedFields::default();
        if !self.flexible {
            return Ok(unknown);
        }
        for _ in 0..self.unsigned_varint()? {
            let tag = self.unsigned_varint()?;
            let length = self.unsigned_varint()? as usize;
            if length > self.left() {
                return Err(self.truncated(length));
            }
            let announced = self.position + length;
            if !known(self, tag)? {
                unknown.push(tag, self.slice(length)?);
            } else if self.position != announced {
                let (end, announced) = (self.position as u32, announced as u32);
                return Err(DecodeError::TaggedFieldLength {
                    tag,
                    end,
                    announced,
                });
            }
        }
        unknown.sort();
        Ok(unknown)
    }
}

macro_rules! numbers {
    ($($number:ident)*) => {
        impl Decoder {
            $(
                #[doc = concat!("A big-endian `", stringify!($number), "`.")]
                #[inline]
                pub fn $number(&mut self) -> Result<$number, DecodeError> {
                    self.fixed().map($number::from_be_bytes)
                }
            )*
        }
    };
}

numbers!(i8 i16 u16 i32 u32 i64 f64);
