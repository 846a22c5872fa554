//! The fields that a version supports, and the rules of tagged fields.

use bytes::{Bytes, BytesMut};
use headwater_protocol::codec::TaggedField;
use headwater_protocol::fetch_response::{EpochEndOffset, FetchableTopicResponse, PartitionData};
use headwater_protocol::metadata_request::MetadataRequestTopic;
use headwater_protocol::{
    ApiKey, ConsumerGroupMemberMetadataValue, CreateTopicsRequest, DecodeError, EncodeError,
    FetchRequest, FetchResponse, HeartbeatRequest, HeartbeatResponse, JoinGroupRequest,
    ListOffsetsRequest, Message, MetadataRequest, OffsetCommitKey, OffsetCommitValue,
    ProduceResponse, RecordMessage, Response, Str, TopicRecord, UnknownTaggedFields, WrongResponse,
};

fn tagged(fields: &[(u32, &'static [u8])]) -> UnknownTaggedFields {
    let mut tagged = UnknownTaggedFields::default();
    for (tag, value) in fields {
        tagged.insert(*tag, Bytes::from_static(value));
    }
    tagged
}

#[test]
fn a_field_that_the_version_lacks_is_an_error_unless_it_is_ignorable_or_at_its_default() {
    // isolation_level of ListOffsets came with version 2 and is not ignorable.
    let plain = ListOffsetsRequest {
        replica_id: -1,
        ..Default::default()
    };
    assert!(plain.to_bytes(1).is_ok());
    let isolated = ListOffsetsRequest {
        isolation_level: 1,
        ..plain
    };
    let error = EncodeError::FieldNotInVersion {
        field: "ListOffsetsRequest.isolation_level",
        version: 1,
    };
    assert_eq!(isolated.to_bytes(1), Err(error));
    assert!(isolated.to_bytes(2).is_ok());
    // rack_id of Fetch is ignorable: version 10 drops it silently.
    let fetch = FetchRequest {
        rack_id: "here".into(),
        ..Default::default()
    };
    assert_eq!(
        FetchRequest::from_bytes(fetch.to_bytes(10).unwrap(), 10),
        Ok(FetchRequest::default())
    );
    assert_eq!(
        FetchRequest::from_bytes(fetch.to_bytes(11).unwrap(), 11),
        Ok(fetch)
    );
    // group_instance_id of Heartbeat is not.
    let heartbeat = HeartbeatRequest {
        group_instance_id: Some("one".into()),
        ..Default::default()
    };
    let error = EncodeError::FieldNotInVersion {
        field: "HeartbeatRequest.group_instance_id",
        version: 2,
    };
    assert_eq!(heartbeat.to_bytes(2), Err(error));
    assert!(heartbeat.to_bytes(3).is_ok());
}

#[test]
fn a_tagged_field_that_the_version_lacks_is_an_error_unless_it_is_ignorable_or_at_its_default() {
    let partition = |diverging_epoch| PartitionData {
        diverging_epoch,
        ..Default::default()
    };
    let response = |diverging_epoch| {
        let topic = FetchableTopicResponse {
            partitions: vec![partition(diverging_epoch)],
            ..Default::default()
        };
        FetchResponse {
            responses: vec![topic],
            ..Default::default()
        }
    };
    assert!(response(EpochEndOffset::default()).to_bytes(11).is_ok());
    let set = response(EpochEndOffset {
        epoch: 3,
        end_offset: 9,
        ..Default::default()
    });
    let error = EncodeError::FieldNotInVersion {
        field: "FetchResponse.diverging_epoch",
        version: 11,
    };
    assert_eq!(set.to_bytes(11), Err(error));
    assert_eq!(
        FetchResponse::from_bytes(set.to_bytes(12).unwrap(), 12),
        Ok(set)
    );
}

#[test]
fn null_is_refused_where_the_version_has_no_null() {
    let all = MetadataRequest {
        topics: None,
        ..Default::default()
    };
    let error = EncodeError::NullNotInVersion {
        field: "MetadataRequest.topics",
        version: 0,
    };
    assert_eq!(all.to_bytes(0), Err(error));
    assert_eq!(
        MetadataRequest::from_bytes(all.to_bytes(1).unwrap(), 1),
        Ok(all)
    );
    let null = Bytes::from_static(&[0xFF, 0xFF, 0xFF, 0xFF]);
    assert_eq!(
        MetadataRequest::from_bytes(null, 0),
        Err(DecodeError::UnexpectedNull { position: 4 })
    );
    let topic = MetadataRequestTopic {
        name: None,
        ..Default::default()
    };
    let by_id = MetadataRequest {
        topics: Some(vec![topic]),
        ..Default::default()
    };
    assert!(by_id.to_bytes(9).is_err());
    assert_eq!(
        MetadataRequest::from_bytes(by_id.to_bytes(10).unwrap(), 10),
        Ok(by_id)
    );
}

#[test]
fn fields_that_a_version_lacks_are_decoded_as_their_defaults() {
    let old =
        JoinGroupRequest::from_bytes(JoinGroupRequest::default().to_bytes(0).unwrap(), 0).unwrap();
    assert_eq!(old.rebalance_timeout_ms, -1);
    let response = ProduceResponse::from_bytes(ProduceResponse::default().to_bytes(3).unwrap(), 3);
    assert_eq!(response, Ok(ProduceResponse::default()));
}

#[test]
fn defaults_are_kafkas() {
    let fetch = FetchRequest::default();
    assert_eq!(
        (
            fetch.replica_id,
            fetch.max_bytes,
            fetch.session_epoch,
            &fetch.cluster_id
        ),
        (-1, i32::MAX, -1, &None)
    );
    let partition = PartitionData::default();
    assert_eq!(
        (
            partition.last_stable_offset,
            partition.preferred_read_replica
        ),
        (-1, -1)
    );
    assert_eq!(
        (partition.records, partition.aborted_transactions),
        (None, Some(Vec::new()))
    );
    assert!(MetadataRequest::default().allow_auto_topic_creation);
    let timeout = CreateTopicsRequest::default().timeout_ms;
    assert_eq!(timeout, 60_000);
}

#[test]
fn unknown_tagged_fields_are_kept_in_the_order_of_their_tags() {
    let unknown_tagged_fields = tagged(&[(9, b"nine"), (3, b""), (300, b"three hundred")]);
    let tags: Vec<_> = unknown_tagged_fields
        .as_slice()
        .iter()
        .map(|TaggedField { tag, .. }| *tag)
        .collect();
    assert_eq!(tags, [3, 9, 300]);
    let response = HeartbeatResponse {
        unknown_tagged_fields,
        ..Default::default()
    };
    assert_eq!(
        HeartbeatResponse::from_bytes(response.to_bytes(4).unwrap(), 4),
        Ok(response.clone())
    );
    assert_eq!(
        response.to_bytes(3),
        Err(EncodeError::TaggedFieldsNotInVersion)
    );
}

#[test]
fn tagged_fields_out_of_order_are_sorted_and_the_last_of_one_tag_wins() {
    let body = [0, 0, 0, 0, 0, 0, 3, 9, 1, 1, 3, 1, 2, 9, 1, 3];
    let response = HeartbeatResponse::from_bytes(Bytes::copy_from_slice(&body), 4).unwrap();
    assert_eq!(
        response.unknown_tagged_fields,
        tagged(&[(3, &[2]), (9, &[3])])
    );
}

#[test]
fn more_than_127_unknown_tagged_fields_need_a_longer_count_and_get_it() {
    let mut unknown_tagged_fields = UnknownTaggedFields::default();
    for tag in 0..200 {
        unknown_tagged_fields.insert(tag, Bytes::from(vec![tag as u8; tag as usize]));
    }
    let response = HeartbeatResponse {
        unknown_tagged_fields,
        ..Default::default()
    };
    assert_eq!(
        HeartbeatResponse::from_bytes(response.to_bytes(4).unwrap(), 4),
        Ok(response)
    );
}

#[test]
fn unknown_fields_stand_between_known_ones_and_may_not_take_their_tags() {
    let cluster = |fields| FetchRequest {
        cluster_id: Some("c".into()),
        unknown_tagged_fields: fields,
        ..Default::default()
    };
    let mixed = cluster(tagged(&[(7, b"x")]));
    assert_eq!(
        FetchRequest::from_bytes(mixed.to_bytes(12).unwrap(), 12),
        Ok(mixed)
    );
    assert_eq!(
        cluster(tagged(&[(0, b"x")])).to_bytes(12),
        Err(EncodeError::TagTaken { tag: 0 })
    );
}

#[test]
fn a_tagged_field_must_have_its_announced_length() {
    let mut bytes = FetchRequest {
        cluster_id: Some("c".into()),
        ..Default::default()
    }
    .to_bytes(12)
    .unwrap()
    .to_vec();
    // ... count 1, tag 0, length 2, 'c' behind its compact length.
    let end = bytes.len();
    assert_eq!(bytes[end - 5..], [1, 0, 2, 2, b'c']);
    bytes[end - 3] = 1;
    let (end, announced) = (end as u32, end as u32 - 1);
    assert_eq!(
        FetchRequest::from_bytes(bytes.into(), 12),
        Err(DecodeError::TaggedFieldLength {
            tag: 0,
            end,
            announced
        })
    );
}

#[test]
fn a_tagged_field_longer_than_127_bytes_moves_what_follows_its_length() {
    for length in [1, 100, 126, 127, 128, 300, 20_000] {
        let request = FetchRequest {
            cluster_id: Some("c".repeat(length).into()),
            ..Default::default()
        };
        assert_eq!(
            FetchRequest::from_bytes(request.to_bytes(12).unwrap(), 12),
            Ok(request)
        );
    }
}

#[test]
fn a_string_is_utf_8_and_at_most_32767_bytes_long_in_every_version() {
    let heartbeat = |group_id: Str| HeartbeatRequest {
        group_id,
        ..Default::default()
    };
    for version in [0, 4] {
        let longest = heartbeat("x".repeat(32_767).into());
        assert_eq!(
            HeartbeatRequest::from_bytes(longest.to_bytes(version).unwrap(), version),
            Ok(longest)
        );
        let error = EncodeError::TooLong {
            length: 32_768,
            limit: 32_767,
        };
        assert_eq!(
            heartbeat("x".repeat(32_768).into()).to_bytes(version),
            Err(error)
        );
    }
    let wrong = HeartbeatRequest::from_bytes(Bytes::from_static(&[0, 2, 0xC3, 0x28]), 0);
    assert_eq!(wrong, Err(DecodeError::InvalidUtf8 { position: 2 }));
    let negative = HeartbeatRequest::from_bytes(Bytes::from_static(&[0xFF, 0xFE]), 0);
    assert_eq!(
        negative,
        Err(DecodeError::InvalidLength {
            position: 2,
            length: -2
        })
    );
}

#[test]
fn a_variable_length_integer_has_at_most_32_bits() {
    let long = |bytes: &'static [u8]| {
        HeartbeatRequest::from_bytes(Bytes::from_static(bytes), 4).unwrap_err()
    };
    assert_eq!(
        long(&[0xFF, 0xFF, 0xFF, 0xFF, 0x1F]),
        DecodeError::VarintTooLong { position: 5 }
    );
    assert_eq!(
        long(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
        DecodeError::VarintTooLong { position: 5 }
    );
    assert!(matches!(
        long(&[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]),
        DecodeError::InvalidLength { .. }
    ));
    assert!(matches!(
        long(&[0xFF]),
        DecodeError::Truncated {
            position: 1,
            needed: 1,
            left: 0
        }
    ));
}

#[test]
fn bytes_behind_a_message_are_an_error_where_it_should_be_all() {
    let mut bytes = BytesMut::new();
    HeartbeatResponse::default().encode(&mut bytes, 4).unwrap();
    bytes.extend_from_slice(b"xy");
    let error = DecodeError::TrailingBytes {
        position: 7,
        left: 2,
    };
    assert_eq!(HeartbeatResponse::from_bytes(bytes.freeze(), 4), Err(error));
}

#[test]
fn a_null_struct_inside_a_tagged_field_comes_back() {
    let value = ConsumerGroupMemberMetadataValue {
        classic_member_metadata: None,
        ..Default::default()
    };
    assert_eq!(
        ConsumerGroupMemberMetadataValue::from_bytes(value.to_bytes(0).unwrap(), 0),
        Ok(value)
    );
}

#[test]
fn values_of_a_group_stand_behind_their_version() {
    let value = OffsetCommitValue {
        offset: 7,
        metadata: "here".into(),
        ..Default::default()
    };
    let bytes = value.to_versioned_bytes(3).unwrap();
    assert_eq!(bytes[..2], [0, 3]);
    assert_eq!(
        OffsetCommitValue::from_versioned_bytes(bytes),
        Ok((value, 3))
    );
    assert_eq!(
        (OffsetCommitKey::RECORD_TYPE, TopicRecord::RECORD_TYPE),
        (1, 2)
    );
}

#[test]
fn a_response_to_another_api_is_refused_by_name() {
    let response: Response = HeartbeatResponse::default().into();
    let error = ProduceResponse::try_from(response).unwrap_err();
    assert_eq!(
        error,
        WrongResponse {
            expected: ApiKey::Produce,
            found: ApiKey::Heartbeat
        }
    );
    assert_eq!(
        error.to_string(),
        "a response to Produce was expected, this is one to Heartbeat"
    );
}
