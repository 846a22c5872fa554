//! Creation, description and deletion of topics.

use crate::support::*;
use headwater_env::MemoryEnv;
use headwater_protocol::ErrorCode::{InvalidRequest, InvalidTopicException, None as Fine};
use headwater_protocol::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use headwater_protocol::metadata_request::MetadataRequestTopic;
use headwater_protocol::metadata_response::MetadataResponseTopic;
use headwater_protocol::{CreateTopicsRequest, DescribeClusterRequest, ErrorCode, MetadataRequest};
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
fn a_new_topic_is_described_as_it_was_created() {
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
#[case::two_replicas(with_replicas(2), ErrorCode::InvalidReplicationFactor, "use 1")]
#[case::no_replicas(with_replicas(0), ErrorCode::InvalidReplicationFactor, "use 1")]
#[case::unknown_key(creatable("t", 1, &[("retenton.ms", "1")]), ErrorCode::InvalidConfig, "did you mean \"retention.ms\"?")]
#[case::wrong_value(creatable("t", 1, &[("retention.ms", "soon")]), ErrorCode::InvalidConfig, "an integer of at least -1")]
#[case::other_broker(assigned(&[(0, &[2])], -1), ErrorCode::InvalidReplicaAssignment, "the only broker is 1")]
#[case::gap(assigned(&[(1, &[1])], -1), ErrorCode::InvalidReplicaAssignment, "without gaps")]
#[case::both(assigned(&[(0, &[1])], 1), ErrorCode::InvalidRequest, "not both")]
fn an_invalid_topic_is_refused_with_a_remedy(
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
    assert_eq!(all.len(), 1, "a topic was created");
}

#[test]
fn an_assignment_to_this_broker_is_accepted() {
    let broker = in_memory();
    let topic = CreatableTopic {
        replication_factor: -1,
        ..assigned(&[(1, &[1]), (0, &[1])], -1)
    };
    assert_eq!(try_create(&broker, topic).num_partitions, 2);
}

#[test]
fn a_validated_topic_is_not_created() {
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
fn topics_of_one_request_have_separate_results() {
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
fn metadata_lists_all_none_or_requested_topics() {
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
fn a_topic_is_created_automatically_only_if_client_and_broker_allow_it(
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
fn the_cluster_is_one_broker() {
    let broker = in_memory();
    let cluster = ask(&broker, DescribeClusterRequest::default());
    assert_eq!((cluster.controller_id, cluster.brokers.len()), (1, 1));
    assert_eq!(&*cluster.cluster_id, broker.cluster_id());
    assert_eq!(cluster.cluster_id.len(), 22);
}

#[test]
fn the_partitions_of_one_request_are_limited() {
    let broker = in_memory();
    let request = CreateTopicsRequest {
        topics: vec![
            creatable("a", 9_000, &[]),
            creatable("b", 1_001, &[]),
            creatable("c", 1, &[]),
        ],
        validate_only: true,
        ..Default::default()
    };
    let response = ask(&broker, request);
    let codes: Vec<_> = response
        .topics
        .iter()
        .map(|topic| code(topic.error_code))
        .collect();
    let refused = ErrorCode::PolicyViolation;
    assert_eq!(codes, [ErrorCode::None, refused, refused]);
}
