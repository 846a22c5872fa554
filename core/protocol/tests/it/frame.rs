//! Frames: lengths, headers and unsupported requests.

use bytes::{Bytes, BytesMut};
use headwater_protocol::api_versions_response::ApiVersion;
use headwater_protocol::fetch_response::{FetchableTopicResponse, LeaderIdAndEpoch, PartitionData};
use headwater_protocol::frame::{
    FrameError, RequestError, RequestFrame, decode_request, decode_response, encode_request,
    encode_request_sharing, encode_response, encode_response_sharing, encode_unsupported_version,
    take_frame,
};
use headwater_protocol::produce_request::{PartitionProduceData, TopicProduceData};
use headwater_protocol::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, EncodeError, ErrorCode, FetchResponse,
    HeartbeatResponse, MetadataRequest, ProduceRequest, Request, Response, Str,
};

const LIMIT: u32 = 1 << 20;

fn produce(records: &'static [u8]) -> ProduceRequest {
    let partition = PartitionProduceData {
        index: 7,
        records: Some(records.into()),
        ..Default::default()
    };
    let topic = TopicProduceData {
        name: "t".into(),
        partition_data: vec![partition],
        ..Default::default()
    };
    ProduceRequest {
        acks: -1,
        timeout_ms: 500,
        topic_data: vec![topic],
        ..Default::default()
    }
}

#[test]
fn a_produce_request_before_flexible_versions_has_the_bytes_of_kafkas_guide() {
    let mut out = BytesMut::new();
    encode_request(
        &mut out,
        &produce(b"abc").into(),
        8,
        42,
        Some(&Str::from("me")),
    )
    .unwrap();
    #[rustfmt::skip]
    let expected = [
        0, 0, 0, 42, // length
        0, 0, 0, 8, 0, 0, 0, 42, 0, 2, b'm', b'e', // header version 1
        0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 1, 0xF4, // transactional id, acks, time-out
        0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 3, b'a', b'b', b'c',
    ];
    assert_eq!(out[..], expected);
}

#[test]
fn a_flexible_produce_request_has_compact_lengths_and_tagged_fields_but_an_old_client_id() {
    let mut out = BytesMut::new();
    encode_request(&mut out, &produce(b"abc").into(), 9, 42, None).unwrap();
    #[rustfmt::skip]
    let expected = [
        0, 0, 0, 9, 0, 0, 0, 42, 0xFF, 0xFF, 0, // header version 2
        0, 0xFF, 0xFF, 0, 0, 1, 0xF4, // transactional id, acks, time-out
        2, 2, b't', 2, 0, 0, 0, 7, 4, b'a', b'b', b'c', 0, 0, 0,
    ];
    assert_eq!(out[4..], expected);
}

#[test]
fn a_request_arrives_as_it_was_sent_and_shares_the_memory_of_its_frame() {
    for version in ApiKey::Produce
        .supported()
        .iter()
        .filter(|version| *version <= 12)
    {
        let mut received = BytesMut::new();
        encode_request(
            &mut received,
            &produce(b"abc").into(),
            version,
            42,
            Some(&Str::from("me")),
        )
        .unwrap();
        let frame = take_frame(&mut received, LIMIT).unwrap().unwrap();
        let RequestFrame { header, request } = decode_request(frame.clone()).unwrap();
        assert_eq!(
            (header.correlation_id, header.client_id.as_deref()),
            (42, Some("me"))
        );
        let Request::Produce(request) = request else {
            panic!("{request:?}")
        };
        assert_eq!(request, produce(b"abc"));
        let records = request.topic_data[0].partition_data[0]
            .records
            .clone()
            .unwrap();
        assert!(frame.as_ptr_range().contains(&records.as_ptr()));
    }
}

#[test]
fn a_frame_is_taken_only_when_all_of_it_is_there_and_what_follows_stays() {
    let whole = [0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 1, 9];
    for arrived in 0..whole.len() {
        let mut received = BytesMut::from(&whole[..arrived]);
        let frame = take_frame(&mut received, LIMIT).unwrap();
        assert_eq!(frame.is_some(), arrived >= 7, "{arrived} bytes");
        assert_eq!(
            received.len(),
            if arrived >= 7 { arrived - 7 } else { arrived }
        );
    }
    let mut received = BytesMut::from(&whole[..]);
    assert_eq!(
        take_frame(&mut received, LIMIT),
        Ok(Some(Bytes::from_static(&[1, 2, 3])))
    );
    assert_eq!(
        take_frame(&mut received, LIMIT),
        Ok(Some(Bytes::from_static(&[9])))
    );
    assert_eq!(take_frame(&mut received, LIMIT), Ok(None));
}

#[test]
fn a_negative_or_too_large_length_ends_the_connection() {
    let mut received = BytesMut::from(&[0xFF, 0xFF, 0xFF, 0xFF][..]);
    assert_eq!(
        take_frame(&mut received, LIMIT),
        Err(FrameError::Negative { length: -1 })
    );
    let mut received = BytesMut::from(&[0x7F, 0xFF, 0xFF, 0xFF][..]);
    assert_eq!(
        take_frame(&mut received, LIMIT),
        Err(FrameError::TooLarge {
            length: i32::MAX as u32,
            limit: LIMIT
        })
    );
    let mut received = BytesMut::from(&[0, 0, 0, 4, 1, 2, 3, 4][..]);
    assert!(take_frame(&mut received.clone(), 3).is_err());
    assert!(take_frame(&mut received, 4).unwrap().is_some());
}

#[test]
fn an_empty_or_cut_frame_is_malformed() {
    let mut whole = BytesMut::new();
    encode_request(&mut whole, &produce(b"abc").into(), 9, 1, None).unwrap();
    let frame = take_frame(&mut whole, LIMIT).unwrap().unwrap();
    for length in 0..frame.len() {
        assert!(
            matches!(
                decode_request(frame.slice(..length)),
                Err(RequestError::Malformed(_))
            ),
            "{length}"
        );
    }
}

#[test]
fn unknown_apis_and_unsupported_versions_are_different_errors_with_the_correlation_id() {
    let unknown = decode_request(Bytes::from_static(&[0, 4, 0, 0, 0, 0, 0, 5]));
    assert!(
        matches!(unknown, Err(RequestError::UnknownApi { header }) if header.correlation_id == 5)
    );
    // Produce 2 is advertised but not supported; InitProducerId 6 is in the codec but not supported.
    for (key, version) in [(0, 2), (22, 6), (1, 19), (3, -1)] {
        let frame = Bytes::from(
            [
                &i16::to_be_bytes(key)[..],
                &i16::to_be_bytes(version),
                &[0, 0, 0, 5],
            ]
            .concat(),
        );
        let error = decode_request(frame).unwrap_err();
        let RequestError::UnsupportedVersion { api, header } = error else {
            panic!("{error}")
        };
        assert_eq!(
            (api.code(), header.api_version, header.correlation_id),
            (key, version, 5)
        );
    }
}

#[test]
fn an_unknown_version_of_api_versions_is_answered_in_layout_0() {
    // A possible request of a future client: an unknown header and body.
    let error = decode_request(Bytes::from_static(&[
        0, 18, 0, 99, 0, 0, 0, 5, 0xFF, 0xFF, 0x33, 0x44,
    ]))
    .unwrap_err();
    let RequestError::UnsupportedVersion {
        api: ApiKey::ApiVersions,
        header,
    } = error
    else {
        panic!("{error}")
    };
    let produce = ApiVersion {
        api_key: 0,
        min_version: 0,
        max_version: 13,
        ..Default::default()
    };
    let mut out = BytesMut::new();
    encode_unsupported_version(&mut out, header.correlation_id, vec![produce.clone()]).unwrap();
    assert_eq!(
        out[..],
        [
            0, 0, 0, 16, 0, 0, 0, 5, 0, 35, 0, 0, 0, 1, 0, 0, 0, 0, 0, 13
        ]
    );
    // Our client decodes this response for every version of its request.
    for version in ApiKey::ApiVersions.supported().iter() {
        let frame = take_frame(&mut out.clone(), LIMIT).unwrap().unwrap();
        let (header, response) = decode_response(frame, ApiKey::ApiVersions, version).unwrap();
        let response = ApiVersionsResponse::try_from(response).unwrap();
        assert_eq!(header.correlation_id, 5);
        assert_eq!(
            ErrorCode::from_code(response.error_code),
            ErrorCode::UnsupportedVersion
        );
        assert_eq!(response.api_keys, std::slice::from_ref(&produce));
    }
}

#[test]
fn the_response_header_of_api_versions_has_no_tagged_fields() {
    let response: Response = ApiVersionsResponse::default().into();
    let mut out = BytesMut::new();
    encode_response(&mut out, &response, 3, 5).unwrap();
    assert_eq!(out[..], [0, 0, 0, 12, 0, 0, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0]);
    let mut out = BytesMut::new();
    encode_response(&mut out, &HeartbeatResponse::default().into(), 4, 5).unwrap();
    assert_eq!(out[..], [0, 0, 0, 12, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_failed_encoding_leaves_the_buffer_unchanged() {
    let mut out = BytesMut::from(&b"before"[..]);
    let request = MetadataRequest {
        allow_auto_topic_creation: false,
        ..Default::default()
    };
    let error = encode_request(&mut out, &request.into(), 3, 1, None).unwrap_err();
    assert_eq!(
        error,
        EncodeError::FieldNotInVersion {
            field: "MetadataRequest.allow_auto_topic_creation",
            version: 3
        }
    );
    let error =
        encode_request(&mut out, &ApiVersionsRequest::default().into(), 5, 1, None).unwrap_err();
    assert!(matches!(error, EncodeError::UnsupportedVersion { .. }));
    assert_eq!(out[..], b"before"[..]);
}

#[test]
fn an_answer_in_pieces_has_the_bytes_of_the_whole_and_shares_its_long_runs() {
    for (length, is_shared) in [(0, false), (4_095, false), (4_096, true), (100_000, true)] {
        let records: Vec<Bytes> = (0..3).map(|fill| Bytes::from(vec![fill; length])).collect();
        let partitions = records.iter().map(|records| PartitionData {
            records: Some(records.clone()),
            // Tagged, after the records: their lengths are patched later.
            current_leader: LeaderIdAndEpoch {
                leader_id: 1,
                leader_epoch: 2,
                ..Default::default()
            },
            ..Default::default()
        });
        let topic = FetchableTopicResponse {
            topic: "t".into(),
            partitions: partitions.collect(),
            ..Default::default()
        };
        let response: Response = FetchResponse {
            responses: vec![topic],
            ..Default::default()
        }
        .into();
        for version in [11, 12] {
            let mut whole = BytesMut::new();
            // Version 11 does not have the leader.
            let Ok(()) = encode_response(&mut whole, &response, version, 7) else {
                continue;
            };
            let rope = encode_response_sharing(&response, version, 7).unwrap();
            assert_eq!(rope.len(), whole.len());
            let pieces: Vec<_> = rope.into_pieces().collect();
            assert_eq!(pieces.concat(), whole);
            let shared = records.iter().filter(|records| {
                pieces
                    .iter()
                    .any(|piece| piece.as_ptr() == records.as_ptr())
            });
            assert_eq!(shared.count(), if is_shared { 3 } else { 0 }, "{length}");
        }
    }
}

#[test]
fn the_records_of_a_produce_request_are_not_copied() {
    static RECORDS: [u8; 10_000] = [5; 10_000];
    let request: Request = produce(&RECORDS).into();
    let mut whole = BytesMut::new();
    encode_request(&mut whole, &request, 9, 7, None).unwrap();
    let rope = encode_request_sharing(&request, 9, 7, None).unwrap();
    let pieces: Vec<_> = rope.into_pieces().collect();
    assert_eq!(pieces.concat(), whole);
    let are_shared = |piece: &Bytes| piece.as_ptr() == RECORDS.as_ptr();
    assert_eq!(pieces.iter().filter(|piece| are_shared(piece)).count(), 1);
}

#[test]
fn long_bytes_inside_a_tagged_field_are_copied_and_in_their_place() {
    let mut response = HeartbeatResponse::default();
    response
        .unknown_tagged_fields
        .insert(9, Bytes::from(vec![3; 10_000]));
    let response = response.into();
    let mut whole = BytesMut::new();
    encode_response(&mut whole, &response, 4, 7).unwrap();
    let rope = encode_response_sharing(&response, 4, 7).unwrap();
    assert_eq!(rope.into_pieces().collect::<Vec<_>>().concat(), whole);
}
