//! Why bytes are no message, and why a message has no bytes.

use crate::message::VersionRange;

/// Why bytes could not be read as a message. Positions count from the start of the decoder's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end before the value does.
    #[error(
        "the message ends too early: {needed} bytes are needed at position {position}, {left} are left"
    )]
    Truncated {
        /// Where the value would start.
        position: u32,
        /// How long it would be.
        needed: u32,
        /// How many bytes there are.
        left: u32,
    },
    /// A length that is negative and not -1, or a string longer than Kafka allows.
    #[error("a length of {length} at position {position} is not possible")]
    InvalidLength {
        /// Where the length stands.
        position: u32,
        /// What it says.
        length: i32,
    },
    /// An array claims more elements than the bytes that are left could hold.
    #[error(
        "an array at position {position} claims {count} elements, which cannot fit into the {left} bytes left"
    )]
    CountTooLarge {
        /// Where the first element would start.
        position: u32,
        /// How many elements are claimed.
        count: u32,
        /// How many bytes there are.
        left: u32,
    },
    /// Null where the version of the message does not allow it.
    #[error("null at position {position}, where this version of the message does not allow it")]
    UnexpectedNull {
        /// Where the null stands.
        position: u32,
    },
    /// A string that is not UTF-8.
    #[error("the string at position {position} is not UTF-8")]
    InvalidUtf8 {
        /// Where the string starts.
        position: u32,
    },
    /// A variable-length integer of more than 32 bits.
    #[error("the variable-length integer that ends at position {position} has more than 32 bits")]
    VarintTooLong {
        /// Where it ends.
        position: u32,
    },
    /// A tagged field takes more or fewer bytes than it announced.
    #[error("the tagged field {tag} ends at position {end} but announced its end at {announced}")]
    TaggedFieldLength {
        /// Its tag.
        tag: u32,
        /// Where its value ends.
        end: u32,
        /// Where its length says that it ends.
        announced: u32,
    },
    /// Bytes after the end of the message.
    #[error("{left} bytes follow the message, which ends at position {position}")]
    TrailingBytes {
        /// Where the message ends.
        position: u32,
        /// How many bytes follow.
        left: u32,
    },
    /// The message does not exist in this version.
    #[error("{message} has no version {version}; use one of {valid}")]
    UnsupportedVersion {
        /// The message.
        message: &'static str,
        /// What was asked for.
        version: i16,
        /// What there is.
        valid: VersionRange,
    },
}

/// Why a message could not be written at a version. Nothing is written then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A field has a value that the version cannot carry and that may not be dropped silently.
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
    /// A string, a run of bytes, an array or a frame is longer than its length field can say.
    #[error("{length} is too long; at most {limit} are possible here")]
    TooLong {
        /// How long it is.
        length: usize,
        /// How long it may be.
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
        /// What was asked for.
        version: i16,
        /// What there is.
        valid: VersionRange,
    },
}

impl EncodeError {
    /// `field` is set in a `version` that does not have it.
    #[cold]
    pub(crate) fn absent(field: &'static str, version: i16) -> Self {
        Self::FieldNotInVersion { field, version }
    }
}
