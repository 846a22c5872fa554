//! Kafka's encoding of values.
//!
//! Integers are big endian. A *flexible* version of a message (see [`crate::Message::FLEXIBLE_SINCE`]) encodes lengths
//! as unsigned varints of `length + 1` with 0 for null, and ends every struct with tagged fields. An older version
//! encodes lengths as `i16` (strings) or `i32` (all others) with -1 for null, and has no tagged fields. The flexibility
//! is a property of the whole message, so [`Decoder`] and [`Encoder`] store it.

mod decoder;
mod encoder;
mod error;
mod rope;
mod tagged;
mod wire;

pub use bytestring::ByteString as Str;
pub use decoder::Decoder;
pub use encoder::{Encoder, required};
pub use error::{DecodeError, EncodeError};
pub use rope::Rope;
pub use tagged::{TagWriter, TaggedField, UnknownTaggedFields};
pub use wire::Wire;

/// The longest string that Kafka allows, in any version of any message.
pub const STRING_BYTES_MAX: usize = i16::MAX as usize;
