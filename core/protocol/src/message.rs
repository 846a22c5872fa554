//! The traits of messages.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::codec::{DecodeError, Decoder, EncodeError, Encoder, Rope, Wire};

/// A range of versions, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VersionRange {
    /// The lowest version.
    pub lowest: i16,
    /// The highest version.
    pub highest: i16,
}

impl VersionRange {
    /// From `lowest` to `highest`, both included.
    pub const fn new(lowest: i16, highest: i16) -> Self {
        Self { lowest, highest }
    }

    /// Whether `version` is in the range.
    pub const fn contains(self, version: i16) -> bool {
        self.lowest <= version && version <= self.highest
    }

    /// All versions, the lowest first.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = i16> {
        self.lowest..=self.highest
    }

    /// The versions in both ranges; `None` if there is none.
    pub fn intersection(self, other: Self) -> Option<Self> {
        let both = Self::new(
            self.lowest.max(other.lowest),
            self.highest.min(other.highest),
        );
        (both.lowest <= both.highest).then_some(both)
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lowest == self.highest {
            write!(formatter, "{}", self.lowest)
        } else {
            write!(formatter, "{}-{}", self.lowest, self.highest)
        }
    }
}

/// A message of Kafka's protocol: a request, a response, or a record of an internal topic.
///
/// A struct has the fields of all versions. Encoding at a version leaves out the fields that it does not have: silently
/// if Kafka's definition calls the field ignorable, otherwise with an error unless the field has its default. Decoding
/// sets missing fields to their defaults.
pub trait Message: Wire + Default + Clone + fmt::Debug + PartialEq + Send + Sync + 'static {
    /// Kafka's name of the message.
    const NAME: &'static str;
    /// The versions that can be decoded and encoded.
    const VERSIONS: VersionRange;
    /// The first flexible version, see [`crate::codec`].
    const FLEXIBLE_SINCE: Option<i16>;

    /// Whether `version` is flexible.
    fn is_flexible(version: i16) -> bool {
        Self::FLEXIBLE_SINCE.is_some_and(|since| version >= since)
    }

    /// Decodes the message; following bytes stay in the decoder.
    fn decode(decoder: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        if !Self::VERSIONS.contains(version) {
            return Err(DecodeError::UnsupportedVersion {
                message: Self::NAME,
                version,
                valid: Self::VERSIONS,
            });
        }
        decoder.set_flexible(Self::is_flexible(version));
        Self::read(decoder, version)
    }

    /// Appends the message to `out`. After an error `out` is unchanged.
    fn encode(&self, out: &mut BytesMut, version: i16) -> Result<(), EncodeError> {
        encodable::<Self>(version)?;
        let start = out.len();
        let written = self.write(&mut Encoder::new(out, Self::is_flexible(version)), version);
        if written.is_err() {
            out.truncate(start);
        }
        written
    }

    /// Appends the message to `out` and shares its long byte ranges. After an error `out` is unchanged.
    fn encode_sharing(&self, out: &mut Rope, version: i16) -> Result<(), EncodeError> {
        encodable::<Self>(version)?;
        let start = out.mark();
        let written = self.write(
            &mut Encoder::sharing(out, Self::is_flexible(version)),
            version,
        );
        if written.is_err() {
            out.truncate(start);
        }
        written
    }

    /// Decodes a message that is all of `bytes`.
    fn from_bytes(bytes: Bytes, version: i16) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(bytes);
        let message = Self::decode(&mut decoder, version)?;
        decoder.finish()?;
        Ok(message)
    }

    /// The encoded message.
    fn to_bytes(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut out = BytesMut::new();
        self.encode(&mut out, version)?;
        Ok(out.freeze())
    }

    /// Decodes a message after its version as an `i16`: values in `__consumer_offsets` and `__transaction_state`, and
    /// the embedded metadata of group members. Also returns the version.
    fn from_versioned_bytes(bytes: Bytes) -> Result<(Self, i16), DecodeError> {
        let mut decoder = Decoder::new(bytes);
        let version = decoder.i16()?;
        Ok((Self::decode(&mut decoder, version)?, version))
    }

    /// The encoded message after its version.
    fn to_versioned_bytes(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut out = BytesMut::new();
        out.put_i16(version);
        self.encode(&mut out, version)?;
        Ok(out.freeze())
    }
}

fn encodable<M: Message>(version: i16) -> Result<(), EncodeError> {
    if M::VERSIONS.contains(version) {
        return Ok(());
    }
    Err(EncodeError::UnsupportedVersion {
        message: M::NAME,
        version,
        valid: M::VERSIONS,
    })
}

/// A message in an internal topic: the key or value of a record.
///
/// In `__cluster_metadata` a value starts with this type. In `__consumer_offsets` and `__transaction_state` a key
/// starts with it, as an `i16` in place of the version, and its value has the same type.
pub trait RecordMessage: Message {
    /// Kafka's record type, unique within the topic.
    const RECORD_TYPE: i16;
}
