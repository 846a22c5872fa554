//! The values that arrays can contain: structs and primitive types.

use bytes::Bytes;
use uuid::Uuid;

use super::{DecodeError, Decoder, EncodeError, Encoder, Str};

/// A value with an encoding at a version of its message. The codec has the flexibility of that version.
///
/// Messages are decoded and encoded through [`crate::Message`], which checks the version first.
pub trait Wire: Sized {
    /// The minimum size of a value in any version.
    const SMALLEST: usize;

    /// Decodes a value.
    fn read(decoder: &mut Decoder, version: i16) -> Result<Self, DecodeError>;

    /// Encodes the value.
    fn write(&self, encoder: &mut Encoder<'_>, version: i16) -> Result<(), EncodeError>;
}

macro_rules! plain {
    ($($type:ty, $method:ident, $smallest:literal;)*) => {
        $(
            impl Wire for $type {
                const SMALLEST: usize = $smallest;

                #[inline]
                fn read(decoder: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
                    decoder.$method()
                }

                #[inline]
                fn write(&self, encoder: &mut Encoder<'_>, _version: i16) -> Result<(), EncodeError> {
                    encoder.$method(plain!(@pass $method self))
                }
            }
        )*
    };
    (@pass string $self:ident) => { $self };
    (@pass bytes $self:ident) => { $self };
    (@pass $method:ident $self:ident) => { *$self };
}

plain! {
    i8, i8, 1;
    i16, i16, 2;
    i32, i32, 4;
    i64, i64, 8;
    Uuid, uuid, 16;
    // One byte of compact length.
    Str, string, 1;
    Bytes, bytes, 1;
}
