//! Claims about making, describing and deleting topics.

mod support;

use headwater_env::MemoryEnv;
use headwater_protocol::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use headwater_protocol::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use headwater_protocol::delete_topics_request::DeleteTopicState;
use headwater_protocol::metadata_request::MetadataRequestTopic;
use headwater_protocol::metadata_response::MetadataResponseTopic;
use headwater_protocol::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, DescribeClusterRequest,
    ErrorCode, MetadataRequest,
};
use rstest::rstest;
use support::*;
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
fn a_new_topic_is_described_as_it_was_made() {
    let broker = in_memory();
    let made = try_create(&broker, creatable("t", 3, &[("retention.ms", "5")]));
    assert_eq!((made.num_partitions, made.replication_factor), (3, 1));
    let configs = made.configs.unwrap();
    let retention = configs
        .iter()
        .find(|config| &*config.name == "retention.ms")
        .unwrap();
    assert_eq!(
        (retention.value.as_deref(), retention.config_source),
        (Some("5"), 1)
    );
    let described = metadata(&broker, "t", false);
    assert_eq!(described.topic_id, made.topic_id);
    let numbers: Vec<_> = described
        .partitions
        .iter()
        .map(|partition| partition.partition_index)
        .collect();
    assert_eq!(numbers, [0, 1, 2]);
    for partition in &described.partitions {
        assert_eq!((partition.leader_id, partition.leader_epoch), (1, 0));
        assert_eq!(
            (&partition.replica_nodes[..], &partition.isr_nodes[..]),
            (&[1][..], &[1][..])
        );
    }
}

#[test]
fn defaults_come_from_the_broker() {
    let broker = open(&MemoryEnv::new(), &[("num.partitions", "4")]);
    assert_eq!(
        try_create(&broker, creatable("t", -1, &[])).num_partitions,
        4
    );
}

fn with_replicas(replicas: i16) -> CreatableTopic {
    CreatableTopic {
        replication_factor: replicas,
        ..creatable("t", 1, &[])
    }
}

fn assigned(brokers: &[(i32, &[i32])], partitions: i32) -> CreatableTopic {
    let assignment = |(index, brokers): &(i32, &[i32])| CreatableReplicaAssignment {
        partition_index: *index,
        broker_ids: brokers.to_vec(),
        ..Default::default()
    };
    CreatableTopic {
        assignments: brokers.iter().map(assignment).collect(),
        ..creatable("t", partitions, &[])
    }
}

#[rstest]
#[case::no_name(creatable("", 1, &[]), ErrorCode::InvalidTopicException, "empty")]
#[case::a_path(creatable("../t", 1, &[]), ErrorCode::InvalidTopicException, "not allowed")]
#[case::internal(creatable("__cluster_metadata", 1, &[]), ErrorCode::InvalidTopicException, "choose another")]
#[case::there_already(creatable("there.is", 1, &[]), ErrorCode::TopicAlreadyExists, "exists already")]
#[case::collision(creatable("there_is", 1, &[]), ErrorCode::InvalidTopicException, "collides with the topic \"there.is\"")]
#[case::no_partitions(creatable("t", 0, &[]), ErrorCode::InvalidPartitions, "from 1 to 10000")]
#[case::too_many_partitions(creatable("t", 10_001, &[]), ErrorCode::InvalidPartitions, "from 1 to 10000")]
#[case::negative_partitions(creatable("t", -2, &[]), ErrorCode::InvalidPartitions, "from 1 to 10000")]
#[case::two_replicas(with_replicas(2), ErrorCode::InvalidReplicationFactor, "give 1")]
#[case::no_replicas(with_replicas(0), ErrorCode::InvalidReplicationFactor, "give 1")]
#[case::unknown_key(creatable("t", 1, &[("retenton.ms", "1")]), ErrorCode::InvalidConfig, "did you mean \"retention.ms\"?")]
#[case::wrong_value(creatable("t", 1, &[("retention.ms", "soon")]), ErrorCode::InvalidConfig, "an integer of at least -1")]
#[case::other_broker(assigned(&[(0, &[2])], -1), ErrorCode::InvalidReplicaAssignment, "the only broker is 1")]
#[case::gap(assigned(&[(1, &[1])], -1), ErrorCode::InvalidReplicaAssignment, "without gaps")]
#[case::both(assigned(&[(0, &[1])], 1), ErrorCode::InvalidRequest, "not both")]
fn a_topic_that_cannot_be_is_refused_with_what_to_do(
    #[case] topic: CreatableTopic,
    #[case] expected: ErrorCode,
    #[case] sentence: &str,
) {
    let broker = in_memory();
    create(&broker, "there.is", 1, &[]);
    let result = try_create(&broker, topic);
    assert_eq!(code(result.error_code), expected);
    assert!(
        result.error_message.as_ref().unwrap().contains(sentence),
        "{:?}",
        result.error_message
    );
    let all = ask(
        &broker,
        MetadataRequest {
            topics: None,
            ..Default::default()
        },
    )
    .topics;
    assert_eq!(all.len(), 1, "nothing was made");
}

#[test]
fn an_assignment_to_this_broker_is_taken() {
    let broker = in_memory();
    let topic = CreatableTopic {
        replication_factor: -1,
        ..assigned(&[(1, &[1]), (0, &[1])], -1)
    };
    assert_eq!(try_create(&broker, topic).num_partitions, 2);
}

#[test]
fn a_topic_that_is_only_checked_is_not_made() {
    let broker = in_memory();
    let check = |topics| CreateTopicsRequest {
        topics,
        validate_only: true,
        ..Default::default()
    };
    let good = ask(&broker, check(vec![creatable("t", 2, &[])]));
    assert_eq!(
        (
            code(good.topics[0].error_code),
            good.topics[0].num_partitions
        ),
        (ErrorCode::None, 2)
    );
    let bad = ask(&broker, check(vec![creatable("t", 2, &[("a", "b")])]));
    assert_eq!(code(bad.topics[0].error_code), ErrorCode::InvalidConfig);
    assert_eq!(
        code(metadata(&broker, "t", false).error_code),
        ErrorCode::UnknownTopicOrPartition
    );
}

#[test]
fn topics_of_one_request_stand_for_themselves() {
    let broker = in_memory();
    let topics = vec![
        creatable("a", 1, &[]),
        creatable("?", 1, &[]),
        creatable("b.c", 1, &[]),
        creatable("b_c", 1, &[]),
        creatable("d", 1, &[]),
        creatable("d", 1, &[]),
    ];
    let response = ask(
        &broker,
        CreateTopicsRequest {
            topics,
            ..Default::default()
        },
    );
    let codes: Vec<_> = response
        .topics
        .iter()
        .map(|topic| code(topic.error_code))
        .collect();
    use ErrorCode::{InvalidRequest, InvalidTopicException, None as Fine};
    assert_eq!(
        codes,
        [
            Fine,
            InvalidTopicException,
            Fine,
            InvalidTopicException,
            InvalidRequest,
            InvalidRequest
        ]
    );
    append(&broker, "a", 0, batch(&["x"]));
    append(&broker, "b.c", 0, batch(&["x"]));
}

#[test]
fn metadata_lists_all_none_or_those_named() {
    let broker = in_memory();
    create(&broker, "b", 1, &[]);
    create(&broker, "a", 1, &[]);
    let names = |topics| {
        let response = ask(
            &broker,
            MetadataRequest {
                topics,
                ..Default::default()
            },
        );
        assert_eq!((response.controller_id, response.brokers.len()), (1, 1));
        response
            .topics
            .iter()
            .map(|topic| topic.name.as_ref().unwrap().to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(None), ["a", "b"]);
    assert_eq!(names(Some(vec![])), Vec::<String>::new());
    assert_eq!(
        names(Some(vec![MetadataRequestTopic {
            name: Some("b".into()),
            ..Default::default()
        }])),
        ["b"]
    );
}

#[test]
fn metadata_is_found_by_id() {
    let broker = in_memory();
    let id = try_create(&broker, creatable("t", 1, &[])).topic_id;
    let by_id = |topic_id| {
        let wanted = MetadataRequestTopic {
            topic_id,
            name: None,
            ..Default::default()
        };
        ask(
            &broker,
            MetadataRequest {
                topics: Some(vec![wanted]),
                ..Default::default()
            },
        )
        .topics
        .remove(0)
    };
    assert_eq!(by_id(id).name.as_deref(), Some("t"));
    assert_eq!(
        code(by_id(Uuid::from_u128(9)).error_code),
        ErrorCode::UnknownTopicId
    );
}

#[rstest]
#[case::both_agree("true", true, ErrorCode::None)]
#[case::the_broker_does_not("false", true, ErrorCode::UnknownTopicOrPartition)]
#[case::the_client_does_not("true", false, ErrorCode::UnknownTopicOrPartition)]
fn a_topic_is_made_by_asking_only_where_both_sides_allow_it(
    #[case] broker_allows: &str,
    #[case] client_asks: bool,
    #[case] expected: ErrorCode,
) {
    let broker = open(
        &MemoryEnv::new(),
        &[("auto.create.topics.enable", broker_allows)],
    );
    assert_eq!(
        code(metadata(&broker, "t", client_asks).error_code),
        expected
    );
    assert_eq!(code(metadata(&broker, "t", false).error_code), expected);
    assert_eq!(
        code(metadata(&broker, "a b", client_asks).error_code),
        ErrorCode::InvalidTopicException
    );
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
fn deleting_is_by_name_or_id_and_each_topic_stands_for_itself() {
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
    use ErrorCode::{InvalidRequest, None as Fine, UnknownTopicId, UnknownTopicOrPartition};
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
        "checking makes nothing"
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
fn the_cluster_is_one_broker() {
    let broker = in_memory();
    let cluster = ask(&broker, DescribeClusterRequest::default());
    assert_eq!((cluster.controller_id, cluster.brokers.len()), (1, 1));
    assert_eq!(&*cluster.cluster_id, broker.cluster_id());
    assert_eq!(cluster.cluster_id.len(), 22);
}
