//! Encodes values.

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use super::rope::SharedRuns;
use super::{EncodeError, Rope, STRING_BYTES_MAX, Str, TagWriter, UnknownTaggedFields, Wire};

/// Appends values to a buffer or a rope. The mirror of [`super::Decoder`].
#[derive(Debug)]
pub struct Encoder<'a> {
    // Collecting small values in a block on the stack first was slower by a third.
    out: &'a mut BytesMut,
    /// The destination of long byte ranges that need not be copied; `None` if all bytes go to `out`.
    shared: Option<&'a mut SharedRuns>,
    flexible: bool,
}

/// The value of an option that is mandatory in `version`.
pub fn required<'a, T: ?Sized>(
    value: Option<&'a T>,
    field: &'static str,
    version: i16,
) -> Result<&'a T, EncodeError> {
    value.ok_or(EncodeError::NullNotInVersion { field, version })
}

impl<'a> Encoder<'a> {
    /// An encoder that appends to `out`.
    pub fn new(out: &'a mut BytesMut, flexible: bool) -> Self {
        Self {
            out,
            shared: None,
            flexible,
        }
    }

    /// An encoder that appends to `out` and shares long byte ranges with it.
    pub fn sharing(out: &'a mut Rope, flexible: bool) -> Self {
        Self {
            out: &mut out.copied,
            shared: Some(&mut out.shared),
            flexible,
        }
    }

    /// Runs `write` with an encoder that copies everything: inside, [`position`](Self::position) counts every byte.
    pub(super) fn copying(
        &mut self,
        write: &dyn Fn(&mut Encoder<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        write(&mut Encoder::new(self.out, self.flexible))
    }

    /// Sets whether the following lengths are compact and tagged fields are written.
    pub fn set_flexible(&mut self, flexible: bool) {
        self.flexible = flexible;
    }

    /// Whether lengths are compact and tagged fields are written.
    pub fn is_flexible(&self) -> bool {
        self.flexible
    }

    /// The length of the buffer, including its previous contents and without shared ranges.
    pub(super) fn position(&self) -> usize {
        self.out.len()
    }

    #[inline]
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// A byte, 1 for true and 0 for false.
    #[inline]
    pub fn bool(&mut self, value: bool) -> Result<(), EncodeError> {
        self.raw(&[u8::from(value)]);
        Ok(())
    }

    /// A sixteen-byte identifier.
    #[inline]
    pub fn uuid(&mut self, value: Uuid) -> Result<(), EncodeError> {
        self.raw(value.as_bytes());
        Ok(())
    }

    /// An unsigned integer, seven bits per byte, the lowest first.
    #[inline]
    pub fn unsigned_varint(&mut self, value: u32) {
        if value < 0x80 {
            return self.raw(&[value as u8]);
        }
        let (bytes, length) = varint(value);
        self.raw(&bytes[..length]);
    }

    /// Writes `value` as an unsigned varint to the byte reserved at `position`; the following bytes move if it is
    /// longer.
    pub(super) fn patch_varint(&mut self, position: usize, value: u32) {
        if value < 0x80 {
            self.out[position] = value as u8;
            return;
        }
        let (bytes, length) = varint(value);
        let end = self.out.len();
        self.out.resize(end + length - 1, 0);
        self.out.copy_within(position + 1..end, position + length);
        self.out[position..position + length].copy_from_slice(&bytes[..length]);
    }

    fn string_length(&mut self, length: Option<usize>) -> Result<(), EncodeError> {
        if let Some(length) = length.filter(|length| *length > STRING_BYTES_MAX) {
            return Err(EncodeError::TooLong {
                length,
                limit: STRING_BYTES_MAX,
            });
        }
        if self.flexible {
            return self.length(length);
        }
        self.i16(length.map_or(-1, |length| length as i16))
    }

    fn length(&mut self, length: Option<usize>) -> Result<(), EncodeError> {
        const LIMIT: usize = i32::MAX as usize;
        if let Some(length) = length.filter(|length| *length > LIMIT) {
            return Err(EncodeError::TooLong {
                length,
                limit: LIMIT,
            });
        }
        if self.flexible {
            self.unsigned_varint(length.map_or(0, |length| length as u32 + 1));
            return Ok(());
        }
        self.i32(length.map_or(-1, |length| length as i32))
    }

    /// A string.
    pub fn string(&mut self, value: &Str) -> Result<(), EncodeError> {
        self.nullable_string(Some(value))
    }

    /// A string or null.
    pub fn nullable_string(&mut self, value: Option<&Str>) -> Result<(), EncodeError> {
        self.string_length(value.map(|value| value.len()))?;
        if let Some(value) = value {
            self.raw(value.as_bytes());
        }
        Ok(())
    }

    /// A range of bytes.
    pub fn bytes(&mut self, value: &Bytes) -> Result<(), EncodeError> {
        self.nullable_bytes(Some(value))
    }

    /// A range of bytes or null.
    pub fn nullable_bytes(&mut self, value: Option<&Bytes>) -> Result<(), EncodeError> {
        self.length(value.map(Bytes::len))?;
        let Some(value) = value else {
            return Ok(());
        };
        let position = self.out.len();
        let is_shared = match &mut self.shared {
            Some(shared) => shared.take(position, value),
            None => false,
        };
        if !is_shared {
            self.raw(value);
        }
        Ok(())
    }

    /// An array.
    pub fn array<T: Wire>(&mut self, items: &[T], version: i16) -> Result<(), EncodeError> {
        self.nullable_array(Some(items), version)
    }

    /// An array or null.
    pub fn nullable_array<T: Wire>(
        &mut self,
        items: Option<&[T]>,
        version: i16,
    ) -> Result<(), EncodeError> {
        self.length(items.map(<[T]>::len))?;
        items
            .unwrap_or_default()
            .iter()
            .try_for_each(|item| item.write(self, version))
    }

    /// A struct or null.
    pub fn nullable_struct<T: Wire>(
        &mut self,
        value: Option<&T>,
        version: i16,
    ) -> Result<(), EncodeError> {
        match value {
            Some(value) => {
                self.i8(1)?;
                value.write(self, version)
            }
            None => self.i8(-1),
        }
    }

    /// The tagged fields of a struct without known ones.
    #[inline]
    pub fn unknown_tagged_fields(
        &mut self,
        unknown: &UnknownTaggedFields,
    ) -> Result<(), EncodeError> {
        if self.flexible && unknown.is_empty() {
            self.raw(&[0]);
            return Ok(());
        }
        self.tagged_fields(unknown)?.finish(self)
    }

    /// Starts the tagged fields of a struct. Write the known ones in the order of their tags, then call `finish`.
    pub fn tagged_fields<'u>(
        &mut self,
        unknown: &'u UnknownTaggedFields,
    ) -> Result<TagWriter<'u>, EncodeError> {
        TagWriter::begin(self, unknown)
    }
}

/// The bytes of an unsigned varint, and their number.
fn varint(mut value: u32) -> ([u8; 5], usize) {
    let mut bytes = [0; 5];
    let mut length = 0;
    loop {
        bytes[length] = value as u8 & 0x7F;
        value >>= 7;
        length += 1;
        if value == 0 {
            return (bytes, length);
        }
        bytes[length - 1] |= 0x80;
    }
}

macro_rules! numbers {
    ($($number:ident)*) => {
        impl Encoder<'_> {
            $(
                #[doc = concat!("A big-endian `", stringify!($number), "`.")]
                #[inline]
                pub fn $number(&mut self, value: $number) -> Result<(), EncodeError> {
                    self.raw(&value.to_be_bytes());
                    Ok(())
                }
            )*
        }
    };
}

numbers!(i8 i16 u16 i32 u32 i64 f64);
