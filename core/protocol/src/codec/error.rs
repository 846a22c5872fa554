//! Errors of decoding and encoding.

use crate::message::VersionRange;

/// Why bytes could not be decoded. Positions are relative to the start of the decoder's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end before the value does.
    #[error(
        "the message ends too early: {needed} bytes are needed at position {position}, {left} are left"
    )]
    Truncated {
        /// The start of the value.
        position: u32,
        /// The size of the value.
        needed: u32,
        /// The number of remaining bytes.
        left: u32,
    },
    /// A length that is negative and not -1, or a string longer than Kafka allows.
    #[error("a length of {length} at position {position} is not possible")]
    InvalidLength {
        /// The position of the length.
        position: u32,
        /// The length.
        length: i32,
    },
    /// An array has more elements than the remaining bytes can contain.
    #[error(
        "an array at position {position} claims {count} elements, which cannot fit into the {left} bytes left"
    )]
    CountTooLarge {
        /// The start of the first element.
        position: u32,
        /// The number of elements.
        count: u32,
        /// The number of remaining bytes.
        left: u32,
    },
    /// Null where the version of the message does not allow it.
    #[error("null at position {position}, where this version of the message does not allow it")]
    UnexpectedNull {
        /// The position of the null.
        position: u32,
    },
    /// A string that is not UTF-8.
    #[error("the string at position {position} is not UTF-8")]
    InvalidUtf8 {
        /// The start of the string.
        position: u32,
    },
    /// A variable-length integer of more than 32 bits.
    #[error("the variable-length integer that ends at position {position} has more than 32 bits")]
    VarintTooLong {
        /// The end of the integer.
        position: u32,
    },
    /// A tagged field has more or fewer bytes than its length.
    #[error("the tagged field {tag} ends at position {end} but announced its end at {announced}")]
    TaggedFieldLength {
        /// Its tag.
        tag: u32,
        /// The end of the value.
        end: u32,
        /// The end according to its length.
        announced: u32,
    },
    /// Bytes after the end of the message.
    #[error("{left} bytes follow the message, which ends at position {position}")]
    TrailingBytes {
        /// The end of the message.
        position: u32,
        /// The number of following bytes.
        left: u32,
    },
    /// The message does not exist in this version.
    #[error("{message} has no version {version}; use one of {valid}")]
    UnsupportedVersion {
        /// The message.
        message: &'static str,
        /// The requested version.
        version: i16,
        /// The supported versions.
        valid: VersionRange,
    },
}

/// Why a message could not be encoded at a version. Nothing is written then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A field has a value that the version cannot encode and that must not be dropped.
    #[error(
        "{field} is set, but version {version} of the message does not have it; leave it at its default or use another version"
    )]
    FieldNotInVersion {
        /// Message and field.
        field: &'static str,
        /// The version.
        version: i16,
    },
    /// A field is null in a version that does not allow it.
    #[error(
        "{field} is null, which version {version} of the message does not allow; give it a value or use another version"
    )]
    NullNotInVersion {
        /// Message and field.
        field: &'static str,
        /// The version.
        version: i16,
    },
    /// A string, bytes, an array or a frame exceeds its length field.
    #[error("{length} is too long; at most {limit} are possible here")]
    TooLong {
        /// The length.
        length: usize,
        /// The maximum.
        limit: usize,
    },
    /// Unknown tagged fields in a version that has no tagged fields.
    #[error(
        "unknown tagged fields are set, but this version of the message is not flexible; remove them or use another version"
    )]
    TaggedFieldsNotInVersion,
    /// An unknown tagged field has the tag of a known one.
    #[error("the unknown tagged field {tag} has the tag of a known field; set that field instead")]
    TagTaken {
        /// The tag.
        tag: u32,
    },
    /// The message does not exist in this version.
    #[error("{message} has no version {version}; use one of {valid}")]
    UnsupportedVersion {
        /// The message.
        message: &'static str,
        /// The requested version.
        version: i16,
        /// The supported versions.
        valid: VersionRange,
    },
}

impl EncodeError {
    /// `field` is set, but `version` does not have it.
    #[cold]
    pub(crate) fn absent(field: &'static str, version: i16) -> Self {
        Self::FieldNotInVersion { field, version }
    }
}
