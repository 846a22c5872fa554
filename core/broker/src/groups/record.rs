//! The records of `__consumer_offsets`. A key starts with its type and a value with its version; a record without a
//! value is a tombstone.

use bytes::{BufMut, Bytes, BytesMut};
use headwater_protocol::{
    ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupCurrentMemberAssignmentValue,
    ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue, ConsumerGroupMetadataKey,
    ConsumerGroupMetadataValue, ConsumerGroupRegularExpressionKey,
    ConsumerGroupRegularExpressionValue, ConsumerGroupTargetAssignmentMemberKey,
    ConsumerGroupTargetAssignmentMemberValue, ConsumerGroupTargetAssignmentMetadataKey,
    ConsumerGroupTargetAssignmentMetadataValue, DecodeError, Decoder, EncodeError,
    GroupMetadataKey, GroupMetadataValue, Message, OffsetCommitKey, OffsetCommitValue,
    RecordMessage, Str,
};

/// The key type of commits before Kafka 0.10; the fields are the same.
const OLD_OFFSET_COMMIT: i16 = 0;
/// The value version of commits with their own expiry (requests before version 5).
const VALUE_WITH_EXPIRY: i16 = 1;

macro_rules! group_records {
    ($($name:ident: $key:ident => $value:ident, written as $version:expr;)*) => {
        /// A typed record: its key, and its value unless it is a tombstone.
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) enum GroupRecord {
            $(
                #[doc = concat!("`", stringify!($value), "`")]
                $name($key, Option<$value>),
            )*
        }

        impl GroupRecord {
            /// Encodes key and value.
            pub(crate) fn encode(&self) -> Result<(Bytes, Option<Bytes>), EncodeError> {
                match self {
                    $(Self::$name(key, value) => {
                        let version: fn(&$value) -> i16 = $version;
                        let value = value.as_ref().map(|value| value.to_versioned_bytes(version(value)));
                        Ok((key_bytes(key)?, value.transpose()?))
                    })*
                }
            }

            /// Decodes a record; `None` if the key type is unknown.
            pub(crate) fn decode(key: Bytes, value: Option<Bytes>) -> Result<Option<Self>, DecodeError> {
                let mut decoder = Decoder::new(key);
                let kind = match decoder.i16()? {
                    OLD_OFFSET_COMMIT => OffsetCommitKey::RECORD_TYPE,
                    kind => kind,
                };
                match kind {
                    $($key::RECORD_TYPE => {
                        let key = $key::decode(&mut decoder, 0)?;
                        let value = value.map($value::from_versioned_bytes).transpose()?;
                        Ok(Some(Self::$name(key, value.map(|(value, _)| value))))
                    })*
                    _ => Ok(None),
                }
            }
        }
    };
}

group_records! {
    OffsetCommit: OffsetCommitKey => OffsetCommitValue, written as |value| if value.expire_timestamp >= 0 { VALUE_WITH_EXPIRY } else { 4 };
    GroupMetadata: GroupMetadataKey => GroupMetadataValue, written as |_| 3;
    ConsumerGroupMetadata: ConsumerGroupMetadataKey => ConsumerGroupMetadataValue, written as |_| 0;
    ConsumerGroupMemberMetadata: ConsumerGroupMemberMetadataKey => ConsumerGroupMemberMetadataValue, written as |_| 0;
    ConsumerGroupTargetAssignmentMetadata: ConsumerGroupTargetAssignmentMetadataKey => ConsumerGroupTargetAssignmentMetadataValue, written as |_| 0;
    ConsumerGroupTargetAssignmentMember: ConsumerGroupTargetAssignmentMemberKey => ConsumerGroupTargetAssignmentMemberValue, written as |_| 0;
    ConsumerGroupCurrentMemberAssignment: ConsumerGroupCurrentMemberAssignmentKey => ConsumerGroupCurrentMemberAssignmentValue, written as |_| 0;
    ConsumerGroupRegularExpression: ConsumerGroupRegularExpressionKey => ConsumerGroupRegularExpressionValue, written as |_| 0;
}

impl GroupRecord {
    /// The group id in the key.
    pub(crate) const fn group_id(&self) -> &Str {
        match self {
            Self::OffsetCommit(key, _) => &key.group,
            Self::GroupMetadata(key, _) => &key.group,
            Self::ConsumerGroupMetadata(key, _) => &key.group_id,
            Self::ConsumerGroupMemberMetadata(key, _) => &key.group_id,
            Self::ConsumerGroupTargetAssignmentMetadata(key, _) => &key.group_id,
            Self::ConsumerGroupTargetAssignmentMember(key, _) => &key.group_id,
            Self::ConsumerGroupCurrentMemberAssignment(key, _) => &key.group_id,
            Self::ConsumerGroupRegularExpression(key, _) => &key.group_id,
        }
    }

    /// Whether the record is a tombstone.
    pub(crate) const fn is_tombstone(&self) -> bool {
        match self {
            Self::OffsetCommit(_, value) => value.is_none(),
            Self::GroupMetadata(_, value) => value.is_none(),
            Self::ConsumerGroupMetadata(_, value) => value.is_none(),
            Self::ConsumerGroupMemberMetadata(_, value) => value.is_none(),
            Self::ConsumerGroupTargetAssignmentMetadata(_, value) => value.is_none(),
            Self::ConsumerGroupTargetAssignmentMember(_, value) => value.is_none(),
            Self::ConsumerGroupCurrentMemberAssignment(_, value) => value.is_none(),
            Self::ConsumerGroupRegularExpression(_, value) => value.is_none(),
        }
    }
}

fn key_bytes<K: RecordMessage>(key: &K) -> Result<Bytes, EncodeError> {
    let mut out = BytesMut::new();
    out.put_i16(K::RECORD_TYPE);
    key.encode(&mut out, 0)?;
    Ok(out.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_encoded_as_in_kafka() {
        let key = OffsetCommitKey {
            group: "g".into(),
            topic: "t".into(),
            partition: 3,
        };
        let value = OffsetCommitValue {
            offset: 7,
            metadata: "m".into(),
            commit_timestamp: 9,
            ..OffsetCommitValue::default()
        };
        let record = GroupRecord::OffsetCommit(key, Some(value));
        let (key, value) = record.encode().unwrap();
        assert_eq!(&key[..], b"\0\x01\0\x01g\0\x01t\0\0\0\x03");
        let expected = b"\0\x04\0\0\0\0\0\0\0\x07\xff\xff\xff\xff\x02m\0\0\0\0\0\0\0\x09\0";
        assert_eq!(&value.clone().unwrap()[..], expected);
        assert_eq!(GroupRecord::decode(key, value).unwrap(), Some(record));
    }

    #[test]
    fn the_expiry_of_a_commit_survives_a_round_trip() {
        let value = OffsetCommitValue {
            expire_timestamp: 5,
            ..OffsetCommitValue::default()
        };
        let record = GroupRecord::OffsetCommit(OffsetCommitKey::default(), Some(value));
        let (key, value) = record.encode().unwrap();
        assert_eq!(value.as_deref().unwrap()[..2], [0, 1]);
        assert_eq!(GroupRecord::decode(key, value).unwrap(), Some(record));
    }

    #[test]
    fn unknown_record_types_are_skipped_and_damaged_records_are_errors() {
        let unknown = Bytes::from_static(b"\0\x63\0\x01g");
        assert_eq!(GroupRecord::decode(unknown, None).unwrap(), None);
        let short = Bytes::from_static(b"\0\x02\0\x09g");
        assert!(GroupRecord::decode(short, None).is_err());
    }
}
