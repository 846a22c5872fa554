//! The records of `__cluster_metadata` and their encoding.
//!
//! # The format
//!
//! The value of a record is in Kafka's format; the key is null:
//!
//! ```text
//! value = frame_version:uvarint=1 api_key:uvarint version:uvarint message
//! ```

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use headwater_protocol::{
    ConfigRecord, FeatureLevelRecord, PartitionChangeRecord, PartitionRecord, ProducerIdsRecord,
    RegisterBrokerRecord, RemoveTopicRecord, RemoveUserScramCredentialRecord, TopicRecord,
    UserScramCredentialRecord,
};
use headwater_protocol::{DecodeError, EncodeError, Message as _, RecordMessage};

/// The resource type of a topic in configuration records and requests.
pub const RESOURCE_TOPIC: i8 = 2;
/// The resource type of a broker in configuration records and requests.
pub const RESOURCE_BROKER: i8 = 4;
/// The leader id of a partition without a leader.
pub(crate) const NO_LEADER: i32 = -1;
/// The leader id in a change that keeps the leader.
pub(crate) const NO_LEADER_CHANGE: i32 = -2;

const FRAME_VERSION: u32 = 1;
/// The version that we write. Newer versions add fields that a single node does not need.
const WRITTEN_VERSION: i16 = 0;

/// Why a metadata record cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub enum MetadataRecordError {
    /// The bytes end early or a number is malformed.
    #[error("a metadata record is malformed: {0}")]
    Malformed(#[from] DecodeError),
    /// The bytes end inside the frame.
    #[error("a metadata record ends inside its frame")]
    Truncated,
    /// A number of the frame has more than 32 bits.
    #[error("a number in the frame of a metadata record has more than 32 bits")]
    Overflow,
    /// The frame version is unknown.
    #[error(
        "a metadata record has frame version {0}; this version of the library reads {FRAME_VERSION}"
    )]
    UnknownFrame(u32),
    /// The record type or its version is unknown.
    #[error(
        "a metadata record of type {api_key} and version {version} is not known to this version of the library"
    )]
    UnknownRecord {
        /// The type.
        api_key: u32,
        /// Its version.
        version: u32,
    },
}

macro_rules! metadata_records {
    ($($(#[$doc:meta])* $variant:ident($message:ident),)*) => {
        /// A change of the cluster.
        #[derive(Debug, Clone, PartialEq)]
        pub enum MetadataRecord {
            $($(#[$doc])* $variant($message),)*
        }

        impl MetadataRecord {
            /// Kafka's record type.
            pub const fn api_key(&self) -> i16 {
                match self {
                    $(Self::$variant(_) => $message::RECORD_TYPE,)*
                }
            }

            /// Encodes the record as the value of a record in `__cluster_metadata`.
            pub fn encode(&self) -> Result<Bytes, EncodeError> {
                let mut out = BytesMut::new();
                write_uvarint(&mut out, FRAME_VERSION);
                write_uvarint(&mut out, self.api_key() as u32);
                write_uvarint(&mut out, WRITTEN_VERSION as u32);
                match self {
                    $(Self::$variant(message) => message.encode(&mut out, WRITTEN_VERSION)?,)*
                }
                Ok(out.freeze())
            }

            fn decode_message(api_key: u32, version: u32, body: Bytes) -> Result<Self, MetadataRecordError> {
                let unknown = MetadataRecordError::UnknownRecord { api_key, version };
                let (Ok(key), Ok(known)) = (i16::try_from(api_key), i16::try_from(version)) else { return Err(unknown) };
                match key {
                    $($message::RECORD_TYPE if $message::VERSIONS.contains(known) => {
                        Ok(Self::$variant($message::from_bytes(body, known)?))
                    })*
                    _ => Err(unknown),
                }
            }
        }
    };
}

metadata_records! {
    /// A broker started.
    RegisterBroker(RegisterBrokerRecord),
    /// A topic was created; its partitions follow.
    Topic(TopicRecord),
    /// A partition was created.
    Partition(PartitionRecord),
    /// A configuration key was set or reset.
    Config(ConfigRecord),
    /// The leader or the replicas of a partition changed.
    PartitionChange(PartitionChangeRecord),
    /// A topic was deleted, with its partitions and configuration.
    RemoveTopic(RemoveTopicRecord),
    /// The level of a feature changed.
    FeatureLevel(FeatureLevelRecord),
    /// Producer ids below this one were reserved by a broker.
    ProducerIds(ProducerIdsRecord),
    /// A SCRAM credential of a user was set.
    UserScramCredential(UserScramCredentialRecord),
    /// A SCRAM credential of a user was deleted.
    RemoveUserScramCredential(RemoveUserScramCredentialRecord),
}

impl MetadataRecord {
    /// Decodes the value of a record of `__cluster_metadata`.
    pub fn decode(mut value: Bytes) -> Result<Self, MetadataRecordError> {
        let frame = read_uvarint(&mut value)?;
        if frame != FRAME_VERSION {
            return Err(MetadataRecordError::UnknownFrame(frame));
        }
        let api_key = read_uvarint(&mut value)?;
        let version = read_uvarint(&mut value)?;
        Self::decode_message(api_key, version, value)
    }
}

/// Seven bits per byte, least significant first; all bytes except the last have the top bit set.
fn write_uvarint(out: &mut BytesMut, mut value: u32) {
    while value >= 0x80 {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

fn read_uvarint(value: &mut Bytes) -> Result<u32, MetadataRecordError> {
    let mut number = 0_u32;
    for shift in (0..35).step_by(7) {
        if !value.has_remaining() {
            return Err(MetadataRecordError::Truncated);
        }
        let byte = value.get_u8();
        let bits = u32::from(byte & 0x7f);
        if shift == 28 && bits > 0x0f {
            break;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(MetadataRecordError::Overflow)
}
