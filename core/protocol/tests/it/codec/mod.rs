//! The crate's codec for messages by name.

use bytes::{Bytes, BytesMut};
use headwater_protocol::*;

use crate::schema;

/// Decodes `bytes`, which must be exactly one message, and encodes it again at the same version.
pub(crate) fn again(
    message: &schema::Message,
    bytes: Bytes,
    version: i16,
) -> Result<Bytes, String> {
    match message.kind {
        "request" => whole(
            bytes,
            |decoder| Request::decode(api(message), decoder, version),
            |request, out| request.encode(out, version),
        ),
        "response" => whole(
            bytes,
            |decoder| Response::decode(api(message), decoder, version),
            |response, out| response.encode(out, version),
        ),
        _ => record(message.name, bytes, version),
    }
}

/// Decodes only, and drops the result.
pub(crate) fn decode(
    message: &schema::Message,
    bytes: Bytes,
    version: i16,
) -> Result<(), DecodeError> {
    let mut decoder = Decoder::new(bytes);
    match message.kind {
        "request" => Request::decode(api(message), &mut decoder, version).map(drop),
        "response" => Response::decode(api(message), &mut decoder, version).map(drop),
        _ => decode_record(message.name, &mut decoder, version),
    }
}

fn api(message: &schema::Message) -> ApiKey {
    ApiKey::from_code(message.key.unwrap()).unwrap()
}

fn whole<T>(
    bytes: Bytes,
    decode: impl Fn(&mut Decoder) -> Result<T, DecodeError>,
    encode: impl Fn(&T, &mut BytesMut) -> Result<(), EncodeError>,
) -> Result<Bytes, String> {
    let mut decoder = Decoder::new(bytes);
    let message = decode(&mut decoder).map_err(|error| error.to_string())?;
    decoder.finish().map_err(|error| error.to_string())?;
    let mut out = BytesMut::new();
    encode(&message, &mut out).map_err(|error| error.to_string())?;
    Ok(out.freeze())
}

macro_rules! records {
    ($($record:ident)*) => {
        fn record(name: &str, bytes: Bytes, version: i16) -> Result<Bytes, String> {
            match name {
                $(stringify!($record) => whole(bytes, |decoder| $record::decode(decoder, version), |record, out| record.encode(out, version)),)*
                _ => panic!("{name} is missing in this list"),
            }
        }

        fn decode_record(name: &str, decoder: &mut Decoder, version: i16) -> Result<(), DecodeError> {
            match name {
                $(stringify!($record) => $record::decode(decoder, version).map(drop),)*
                _ => panic!("{name} is missing in this list"),
            }
        }
    };
}

records! {
    ConsumerProtocolSubscription
    ConsumerProtocolAssignment
    LeaderChangeMessage
    SnapshotHeaderRecord
    SnapshotFooterRecord
    KRaftVersionRecord
    VotersRecord
    EndTxnMarker
    OffsetCommitKey
    OffsetCommitValue
    GroupMetadataKey
    GroupMetadataValue
    ConsumerGroupMetadataKey
    ConsumerGroupMetadataValue
    ConsumerGroupMemberMetadataKey
    ConsumerGroupMemberMetadataValue
    ConsumerGroupTargetAssignmentMetadataKey
    ConsumerGroupTargetAssignmentMetadataValue
    ConsumerGroupTargetAssignmentMemberKey
    ConsumerGroupTargetAssignmentMemberValue
    ConsumerGroupCurrentMemberAssignmentKey
    ConsumerGroupCurrentMemberAssignmentValue
    ConsumerGroupRegularExpressionKey
    ConsumerGroupRegularExpressionValue
    TransactionLogKey
    TransactionLogValue
    RegisterBrokerRecord
    UnregisterBrokerRecord
    TopicRecord
    PartitionRecord
    ConfigRecord
    PartitionChangeRecord
    FenceBrokerRecord
    UnfenceBrokerRecord
    BrokerRegistrationChangeRecord
    RemoveTopicRecord
    ClientQuotaRecord
    ProducerIdsRecord
    FeatureLevelRecord
    AccessControlEntryRecord
    RemoveAccessControlEntryRecord
    UserScramCredentialRecord
    RemoveUserScramCredentialRecord
    NoOpRecord
    BeginTransactionRecord
    EndTransactionRecord
    AbortTransactionRecord
}
