//! Deletion of topics and addition of partitions.

use crate::support::*;
use headwater_env::MemoryEnv;
use headwater_protocol::ErrorCode::{
    InvalidRequest, None as Fine, UnknownTopicId, UnknownTopicOrPartition,
};
use headwater_protocol::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use headwater_protocol::delete_topics_request::DeleteTopicState;
use headwater_protocol::metadata_request::MetadataRequestTopic;
use headwater_protocol::metadata_response::MetadataResponseTopic;
use headwater_protocol::{
    CreatePartitionsRequest, DeleteTopicsRequest, ErrorCode, MetadataRequest,
};
use rstest::rstest;
use uuid::Uuid;

fn metadata(
    broker: &headwater_broker::Broker<MemoryEnv>,
    name: &str,
    create: bool,
) -> MetadataResponseTopic {
    let wanted = MetadataRequestTopic {
        name: Some(name.into()),
        ..Default::default()
    };
    let request = MetadataRequest {
        topics: Some(vec![wanted]),
        allow_auto_topic_creation: create,
        ..Default::default()
    };
    ask(broker, request).topics.remove(0)
}

#[test]
fn a_deleted_topic_is_gone_and_its_name_is_free() {
    let env = MemoryEnv::new();
    let broker = open(&env, &[]);
    let old = try_create(&broker, creatable("t", 1, &[])).topic_id;
    append(&broker, "t", 0, batch(&["old"]));
    assert_eq!(delete(&broker, "t"), ErrorCode::None);
    assert_eq!(
        code(produce(&broker, "t", 0, batch(&["x"])).error_code),
        ErrorCode::UnknownTopicOrPartition
    );
    assert_eq!(
        code(fetch(&broker, "t", 0, 0).error_code),
        ErrorCode::UnknownTopicOrPartition
    );
    let new = try_create(&broker, creatable("t", 1, &[])).topic_id;
    assert_ne!(old, new);
    assert_eq!(append(&broker, "t", 0, batch(&["new"])), 0);
    assert_eq!(values(&broker, "t", 0), ["new"]);
}

#[test]
fn topics_are_deleted_by_name_or_id_with_a_result_each() {
    let broker = in_memory();
    let id = try_create(&broker, creatable("a", 1, &[])).topic_id;
    for name in ["b", "c", "d"] {
        create(&broker, name, 1, &[]);
    }
    let by_name = |name: &str| DeleteTopicState {
        name: Some(name.into()),
        ..Default::default()
    };
    let by_id = |topic_id| DeleteTopicState {
        topic_id,
        ..Default::default()
    };
    let topics = vec![
        by_id(id),
        by_name("b"),
        by_name("?"),
        by_id(Uuid::from_u128(5)),
        by_name("c"),
        by_name("c"),
        by_id(Uuid::nil()),
    ];
    let response = ask(
        &broker,
        DeleteTopicsRequest {
            topics,
            ..Default::default()
        },
    );
    let codes: Vec<_> = response
        .responses
        .iter()
        .map(|topic| code(topic.error_code))
        .collect();
    assert_eq!(
        codes,
        [
            Fine,
            Fine,
            UnknownTopicOrPartition,
            UnknownTopicId,
            InvalidRequest,
            InvalidRequest,
            InvalidRequest
        ]
    );
    assert_eq!(response.responses[0].name.as_deref(), Some("a"));
    let left = ask(
        &broker,
        MetadataRequest {
            topics: None,
            ..Default::default()
        },
    )
    .topics;
    assert_eq!(
        left.iter()
            .map(|topic| topic.name.as_deref().unwrap())
            .collect::<Vec<_>>(),
        ["c", "d"]
    );
}

#[test]
fn a_broker_may_forbid_deleting() {
    let broker = open(&MemoryEnv::new(), &[("delete.topic.enable", "false")]);
    create(&broker, "t", 1, &[]);
    assert_eq!(delete(&broker, "t"), ErrorCode::TopicDeletionDisabled);
    append(&broker, "t", 0, batch(&["a"]));
}

fn more(name: &str, count: i32, assignments: Option<&[i32]>) -> CreatePartitionsTopic {
    let assignment = |broker: &i32| CreatePartitionsAssignment {
        broker_ids: vec![*broker],
        ..Default::default()
    };
    let assignments = assignments.map(|brokers| brokers.iter().map(assignment).collect());
    CreatePartitionsTopic {
        name: name.into(),
        count,
        assignments,
        ..Default::default()
    }
}

#[rstest]
#[case::grow(more("t", 4, None), ErrorCode::None)]
#[case::grow_here(more("t", 3, Some(&[1])), ErrorCode::None)]
#[case::grow_there(more("t", 3, Some(&[2])), ErrorCode::InvalidReplicaAssignment)]
#[case::wrong_number_of_assignments(more("t", 4, Some(&[1])), ErrorCode::InvalidReplicaAssignment)]
#[case::same(more("t", 2, None), ErrorCode::InvalidPartitions)]
#[case::fewer(more("t", 1, None), ErrorCode::InvalidPartitions)]
#[case::too_many(more("t", 10_001, None), ErrorCode::InvalidPartitions)]
#[case::unknown(more("u", 4, None), ErrorCode::UnknownTopicOrPartition)]
fn partitions_only_grow(#[case] topic: CreatePartitionsTopic, #[case] expected: ErrorCode) {
    let broker = in_memory();
    create(&broker, "t", 2, &[]);
    let (wanted, fits) = (topic.count, expected == ErrorCode::None);
    let request = CreatePartitionsRequest {
        topics: vec![topic],
        ..Default::default()
    };
    let checked = ask(
        &broker,
        CreatePartitionsRequest {
            validate_only: true,
            ..request.clone()
        },
    );
    assert_eq!(code(checked.results[0].error_code), expected);
    assert_eq!(
        metadata(&broker, "t", false).partitions.len(),
        2,
        "validation created partitions"
    );
    let result = &ask(&broker, request).results[0];
    assert_eq!(
        code(result.error_code),
        expected,
        "{:?}",
        result.error_message
    );
    let count = if fits { wanted } else { 2 };
    assert_eq!(metadata(&broker, "t", false).partitions.len() as i32, count);
    append(&broker, "t", count - 1, batch(&["a"]));
    assert_eq!(
        code(produce(&broker, "t", count, batch(&["a"])).error_code),
        ErrorCode::UnknownTopicOrPartition
    );
}

#[test]
fn a_topic_of_a_thousand_partitions_is_created_and_survives_a_restart() {
    let env = MemoryEnv::new();
    let broker = open(&env, &[]);
    create(&broker, "wide", 1000, &[]);
    append(&broker, "wide", 999, batch(&["a"]));
    drop(broker);
    let (broker, report) = try_open(&env, &[]).unwrap();
    assert_eq!(report.partitions, 1000);
    assert_eq!(values(&broker, "wide", 999), ["a"]);
}
