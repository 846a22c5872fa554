//! Deletion of records, producer ids, leader epochs, sizes, and the list of supported APIs.

use crate::support::*;
use headwater_broker::{Broker, RequestContext};
use headwater_env::{MemoryEnv, SimEnv};
use headwater_protocol::describe_log_dirs_request::DescribableLogDirTopic;
use headwater_protocol::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use headwater_protocol::{
    ApiVersionsRequest, DescribeLogDirsRequest, EndTxnRequest, ErrorCode, FindCoordinatorRequest,
    InitProducerIdRequest, OffsetForLeaderEpochRequest, Response,
};
use rstest::rstest;

#[test]
fn deleted_records_are_gone_for_readers_and_after_a_crash() {
    let env = MemoryEnv::new();
    let broker = open(&env, &[]);
    create(&broker, "t", 1, &[]);
    for value in ["a", "b", "c"] {
        append(&broker, "t", 0, batch(&[value]));
    }
    let result = delete_records(&broker, "t", 0, 2);
    assert_eq!(
        (code(result.error_code), result.low_watermark),
        (ErrorCode::None, 2)
    );
    assert_eq!(offset(&broker, "t", 0, EARLIEST), 2);
    assert_eq!(
        code(fetch(&broker, "t", 0, 1).error_code),
        ErrorCode::OffsetOutOfRange
    );
    assert_eq!(
        delete_records(&broker, "t", 0, 1).low_watermark,
        2,
        "the log start offset must not go back"
    );
    drop(broker);
    let broker = open(&env, &[]);
    assert_eq!(values(&broker, "t", 0), ["c"]);
    assert_eq!(delete_records(&broker, "t", 0, -1).low_watermark, 3);
    assert_eq!(append(&broker, "t", 0, batch(&["d"])), 3);
    assert_eq!(values(&broker, "t", 0), ["d"]);
}

#[rstest]
#[case::past_the_end("t", 0, 2, ErrorCode::OffsetOutOfRange)]
#[case::negative("t", 0, -2, ErrorCode::OffsetOutOfRange)]
#[case::no_partition("t", 1, 0, ErrorCode::UnknownTopicOrPartition)]
#[case::no_topic("u", 0, 0, ErrorCode::UnknownTopicOrPartition)]
#[case::compacted("compacted", 0, -1, ErrorCode::PolicyViolation)]
fn undeletable_records_stay(
    #[case] topic: &str,
    #[case] partition: i32,
    #[case] offset: i64,
    #[case] expected: ErrorCode,
) {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    create(&broker, "compacted", 1, &[("cleanup.policy", "compact")]);
    append(&broker, "t", 0, batch(&["a"]));
    let result = delete_records(&broker, topic, partition, offset);
    assert_eq!(
        (code(result.error_code), result.low_watermark),
        (expected, -1)
    );
    assert_eq!(values(&broker, "t", 0), ["a"]);
}

fn producer_id(broker: &Broker<MemoryEnv>) -> i64 {
    let response = ask(
        broker,
        InitProducerIdRequest {
            transactional_id: None,
            ..Default::default()
        },
    );
    assert_eq!(
        (code(response.error_code), response.producer_epoch),
        (ErrorCode::None, 0)
    );
    response.producer_id
}

#[test]
fn producer_ids_are_not_reused_after_a_crash() {
    let env = MemoryEnv::new();
    let mut seen = std::collections::HashSet::new();
    for count in [1, 1001, 5] {
        // Dropped without closing: the rest of the block is lost and never used.
        let broker = open(&env, &[]);
        assert!((0..count).all(|_| seen.insert(producer_id(&broker))));
    }
}

#[test]
fn a_transactional_producer_is_refused() {
    let request = InitProducerIdRequest {
        transactional_id: Some("x".into()),
        ..Default::default()
    };
    let response = ask(&in_memory(), request);
    assert_eq!(
        (code(response.error_code), response.producer_id),
        (ErrorCode::TransactionalIdAuthorizationFailed, -1)
    );
}

#[rstest]
#[case::librdkafka(2, ErrorCode::TransactionalIdAuthorizationFailed)]
#[case::java(6, ErrorCode::UnsupportedVersion)]
fn transactions_have_no_coordinator_and_the_error_has_the_reason(
    #[case] version: i16,
    #[case] expected: ErrorCode,
) {
    let request = FindCoordinatorRequest {
        key_type: 1,
        key: "x".into(),
        coordinator_keys: vec!["x".into()],
        ..Default::default()
    };
    let response = ask_at(&in_memory(), version, request);
    let (found, message) = match response.coordinators.first() {
        Some(one) => (one.error_code, one.error_message.clone()),
        None => (response.error_code, response.error_message),
    };
    assert_eq!(code(found), expected);
    let message = message.unwrap();
    assert!(
        message.starts_with("transactions are not supported yet"),
        "{message}"
    );
}

#[rstest]
#[case::current(0, 0, 2)]
#[case::before_all(-1, -1, -1)]
#[case::later(5, 0, 2)]
fn the_end_of_a_leader_epoch_is_found(#[case] epoch: i32, #[case] found: i32, #[case] end: i64) {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch(&["a", "b"]));
    let wanted = OffsetForLeaderPartition {
        partition: 0,
        current_leader_epoch: -1,
        leader_epoch: epoch,
        ..Default::default()
    };
    let topic = OffsetForLeaderTopic {
        topic: "t".into(),
        partitions: vec![wanted],
        ..Default::default()
    };
    let request = OffsetForLeaderEpochRequest {
        topics: vec![topic],
        ..Default::default()
    };
    let answer = ask(&broker, request).topics.remove(0).partitions.remove(0);
    assert_eq!(
        (
            code(answer.error_code),
            answer.leader_epoch,
            answer.end_offset
        ),
        (ErrorCode::None, found, end)
    );
}

#[test]
fn sizes_are_described_for_all_or_for_requested_partitions() {
    let broker = in_memory();
    create(&broker, "a", 2, &[]);
    create(&broker, "b", 1, &[]);
    let records = batch(&["hello"]);
    append(&broker, "a", 1, records.clone());
    let sizes = |topics| {
        let mut response = ask(
            &broker,
            DescribeLogDirsRequest {
                topics,
                ..Default::default()
            },
        );
        let mut directory = response.results.remove(0);
        assert_eq!(&*directory.log_dir, DIR);
        let flat = directory.topics.drain(..).flat_map(|topic| {
            let name = topic.name.to_string();
            topic.partitions.into_iter().map(move |partition| {
                (
                    name.clone(),
                    partition.partition_index,
                    partition.partition_size,
                )
            })
        });
        flat.collect::<Vec<_>>()
    };
    let size = records.len() as i64;
    assert_eq!(
        sizes(None),
        [
            ("a".into(), 0, 0),
            ("a".into(), 1, size),
            ("b".into(), 0, 0)
        ]
    );
    let wanted = DescribableLogDirTopic {
        topic: "a".into(),
        partitions: vec![1, 7],
        ..Default::default()
    };
    assert_eq!(sizes(Some(vec![wanted])), [("a".into(), 1, size)]);
}

#[test]
fn the_supported_apis_are_the_advertised_ones() {
    let broker = in_memory();
    let response = ask(&broker, ApiVersionsRequest::default());
    let keys: Vec<_> = response.api_keys.iter().map(|api| api.api_key).collect();
    assert!(keys.is_sorted());
    let mut served: Vec<_> = Broker::<MemoryEnv>::served()
        .iter()
        .map(|key| key.code())
        .collect();
    served.sort_unstable();
    assert_eq!(keys, served);
    let produce = &response.api_keys[0];
    assert_eq!(
        (produce.api_key, produce.min_version, produce.max_version),
        (0, 0, 13),
        "older librdkafka needs the 0"
    );
}

#[test]
fn an_unsupported_request_gets_kafkas_response() {
    let broker = in_memory();
    let response = now(broker.handle(&RequestContext::default(), EndTxnRequest::default().into()));
    assert!(
        matches!(response, Response::ApiVersions(answer) if code(answer.error_code) == ErrorCode::UnsupportedVersion)
    );
}

#[test]
fn records_whose_deletion_fails_stay_for_readers_and_after_a_restart() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch(&["a", "b", "c"]));
    env.set_capacity(Some(env.used_bytes()));
    let refused = delete_records(&broker, "t", 0, 2);
    assert_eq!(code(refused.error_code), ErrorCode::KafkaStorageError);
    assert_eq!(offset(&broker, "t", 0, EARLIEST), 0);
    drop(broker);
    env.set_capacity(None);
    let broker = open(&env, &[]);
    assert_eq!(values(&broker, "t", 0), ["a", "b", "c"]);
    assert_eq!(delete_records(&broker, "t", 0, 2).low_watermark, 2);
    drop(broker);
    assert_eq!(values(&open(&env, &[]), "t", 0), ["c"]);
}
