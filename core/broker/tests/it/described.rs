//! Descriptions of features, partitions, producers and offsets, in the versions that support them.

use crate::support::*;
use headwater_broker::Broker;
use headwater_env::{Env, MemoryEnv};
use headwater_protocol::describe_topic_partitions_request::{Cursor, TopicRequest};
use headwater_protocol::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use headwater_protocol::list_offsets_response::ListOffsetsPartitionResponse;
use headwater_protocol::{
    ApiVersionsRequest, ApiVersionsResponse, DescribeProducersRequest,
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, ErrorCode,
    InitProducerIdRequest, ListOffsetsRequest, Message, describe_producers_request,
};
use rstest::rstest;

fn api_versions<E: Env>(broker: &Broker<E>, version: i16, software: &str) -> ApiVersionsResponse {
    let request = ApiVersionsRequest {
        client_software_name: software.into(),
        client_software_version: "4.1.0".into(),
        ..Default::default()
    };
    let response = ask_at(broker, version, request);
    let bytes = response.to_bytes(version).unwrap();
    ApiVersionsResponse::from_bytes(bytes, version).unwrap()
}

#[test]
fn features_are_sent_to_clients_that_can_decode_them() {
    let supported = |version| {
        let response = api_versions(&in_memory(), version, "apache-kafka-java");
        let levels = response.supported_features.iter();
        levels
            .map(|feature| {
                (
                    feature.name.to_string(),
                    feature.min_version,
                    feature.max_version,
                )
            })
            .collect::<Vec<_>>()
    };
    let metadata = ("metadata.version".to_owned(), 7, 7);
    assert_eq!(supported(0), []);
    assert_eq!(supported(3), std::slice::from_ref(&metadata));
    assert_eq!(supported(4), [("group.version".to_owned(), 0, 1), metadata]);
}

#[test]
fn finalized_levels_survive_a_restart() {
    let env = MemoryEnv::new();
    for _ in 0..2 {
        let broker = open(&env, &[]);
        let response = api_versions(&broker, 4, "x");
        assert!(response.finalized_features_epoch > 0);
        let levels: Vec<_> = response
            .finalized_features
            .iter()
            .map(|feature| (feature.name.to_string(), feature.max_version_level))
            .collect();
        assert_eq!(
            levels,
            [("group.version".into(), 1), ("metadata.version".into(), 7)]
        );
        broker.close().unwrap();
    }
}

#[rstest]
#[case::a_name(3, "apache-kafka-java", ErrorCode::None)]
#[case::one_letter(3, "x", ErrorCode::None)]
#[case::nothing(3, "", ErrorCode::InvalidRequest)]
#[case::a_dash_at_the_end(4, "x-", ErrorCode::InvalidRequest)]
#[case::a_space(4, "x y", ErrorCode::InvalidRequest)]
#[case::before_names(2, "", ErrorCode::None)]
fn the_name_of_the_clients_software_is_checked(
    #[case] version: i16,
    #[case] software: &str,
    #[case] expected: ErrorCode,
) {
    let response = api_versions(&in_memory(), version, software);
    assert_eq!(code(response.error_code), expected);
    assert_eq!(response.api_keys.is_empty(), expected != ErrorCode::None);
}

fn partitions_page(
    broker: &Broker<MemoryEnv>,
    topics: &[&str],
    limit: i32,
    cursor: Option<(&str, i32)>,
) -> DescribeTopicPartitionsResponse {
    let topic = |name: &&str| TopicRequest {
        name: (*name).into(),
        ..Default::default()
    };
    let request = DescribeTopicPartitionsRequest {
        topics: topics.iter().map(topic).collect(),
        response_partition_limit: limit,
        cursor: cursor.map(|(topic, partition_index)| Cursor {
            topic_name: topic.into(),
            partition_index,
            ..Default::default()
        }),
        ..Default::default()
    };
    ask_at(broker, 0, request)
}

/// A topic with a number: the number of described partitions, or the first partition of the next page.
type TopicNumber<N> = (String, N);

fn page(
    response: &DescribeTopicPartitionsResponse,
) -> (Vec<TopicNumber<usize>>, Option<TopicNumber<i32>>) {
    let topics = response.topics.iter();
    let topics = topics.map(|topic| {
        let name = topic.name.as_deref().unwrap().to_owned();
        (name, topic.partitions.len())
    });
    let next = response.next_cursor.as_ref();
    (
        topics.collect(),
        next.map(|next| (next.topic_name.to_string(), next.partition_index)),
    )
}

fn with_three_topics() -> Broker<MemoryEnv> {
    let broker = in_memory();
    for (name, partitions) in [("c", 2), ("a", 3), ("b", 1)] {
        create(&broker, name, partitions, &[]);
    }
    broker
}

#[test]
fn the_pages_contain_all_partitions_in_order() {
    let broker = with_three_topics();
    for limit in [-1, 1, 2, 3, 4, 5, 6, 2000] {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let at = cursor
                .as_ref()
                .map(|(topic, partition): &(String, i32)| (&**topic, *partition));
            let response = partitions_page(&broker, &[], limit, at);
            for topic in &response.topics {
                assert_eq!(code(topic.error_code), ErrorCode::None);
                let name = topic.name.clone().unwrap();
                let indexes = topic
                    .partitions
                    .iter()
                    .map(|partition| partition.partition_index);
                seen.extend(indexes.map(|index| (name.to_string(), index)));
            }
            let count: usize = page(&response).0.iter().map(|(_, count)| count).sum();
            assert!(count <= limit.max(1) as usize);
            cursor = page(&response).1;
            if cursor.is_none() {
                break;
            }
        }
        let all = [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("c", 0), ("c", 1)];
        let all = all.map(|(name, index)| (name.to_owned(), index));
        assert_eq!(seen, all, "limit {limit}");
    }
}

#[test]
fn the_broker_limits_the_size_of_a_page() {
    let broker = open(
        &MemoryEnv::new(),
        &[("max.request.partition.size.limit", "2")],
    );
    create(&broker, "t", 3, &[]);
    let response = partitions_page(&broker, &["t"], 2000, None);
    assert_eq!(
        page(&response),
        (vec![("t".into(), 2)], Some(("t".into(), 2)))
    );
}

#[test]
fn requested_topics_are_described_once_and_unknown_ones_have_an_error() {
    let broker = with_three_topics();
    let response = partitions_page(&broker, &["x", "b", "a b", "b"], 2000, None);
    let actual: Vec<_> = response
        .topics
        .iter()
        .map(|topic| (topic.name.as_deref().unwrap(), code(topic.error_code)))
        .collect();
    assert_eq!(
        actual,
        [
            ("a b", ErrorCode::InvalidTopicException),
            ("b", ErrorCode::None),
            ("x", ErrorCode::UnknownTopicOrPartition)
        ]
    );
    let partition = &response.topics[1].partitions[0];
    assert_eq!((partition.leader_id, &*partition.isr_nodes), (1, &[1][..]));
    assert_eq!(response.topics[1].topic_authorized_operations, 3576);
}

#[rstest]
#[case::before_the_first(("a", -1))]
#[case::of_another_topic(("c", 0))]
fn an_invalid_cursor_is_refused(#[case] cursor: (&str, i32)) {
    let response = partitions_page(&with_three_topics(), &["a", "b"], 10, Some(cursor));
    let codes: Vec<_> = response
        .topics
        .iter()
        .map(|topic| code(topic.error_code))
        .collect();
    assert_eq!(codes, [ErrorCode::InvalidRequest; 2]);
}

#[test]
fn producers_are_described_with_their_last_batch() {
    let broker = in_memory();
    create(&broker, "t", 2, &[]);
    let id = ask(
        &broker,
        InitProducerIdRequest {
            transactional_id: None,
            ..Default::default()
        },
    )
    .producer_id;
    append(&broker, "t", 0, batch_of((id, 0, 0), &["a", "b"]));
    let request = DescribeProducersRequest {
        topics: ["t", "u", "a b"]
            .map(|name| describe_producers_request::TopicRequest {
                name: name.into(),
                partition_indexes: vec![0, 1, 2, 0],
                ..Default::default()
            })
            .into(),
        ..Default::default()
    };
    let response = ask_at(&broker, 0, request);
    let actual = |topic: usize| {
        let partitions = response.topics[topic].partitions.iter();
        partitions
            .map(|partition| (code(partition.error_code), partition.active_producers.len()))
            .collect::<Vec<_>>()
    };
    let unknown = (ErrorCode::UnknownTopicOrPartition, 0);
    assert_eq!(
        actual(0),
        [(ErrorCode::None, 1), (ErrorCode::None, 0), unknown]
    );
    assert_eq!(actual(1), [unknown; 3]);
    assert_eq!(actual(2), [(ErrorCode::InvalidTopicException, 0); 3]);
    let producer = &response.topics[0].partitions[0].active_producers[0];
    assert_eq!(
        (
            producer.producer_id,
            producer.producer_epoch,
            producer.last_sequence
        ),
        (id, 0, 1)
    );
    assert_eq!(
        (
            producer.last_timestamp,
            producer.coordinator_epoch,
            producer.current_txn_start_offset
        ),
        (1000, -1, -1)
    );
}

fn listed(
    broker: &Broker<MemoryEnv>,
    version: i16,
    partitions: &[(i32, i64)],
) -> Vec<ListOffsetsPartitionResponse> {
    let wanted = |(partition_index, timestamp): &(i32, i64)| ListOffsetsPartition {
        partition_index: *partition_index,
        timestamp: *timestamp,
        ..Default::default()
    };
    let request = ListOffsetsRequest {
        topics: vec![ListOffsetsTopic {
            name: "t".into(),
            partitions: partitions.iter().map(wanted).collect(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut response = ask_at(broker, version, request);
    response.to_bytes(version).unwrap();
    response.topics.remove(0).partitions
}

#[rstest]
#[case::latest(-1, 1, 2)]
#[case::earliest(-2, 1, 0)]
#[case::of_the_greatest_time(-3, 7, 1)]
#[case::earliest_here(-4, 8, 0)]
#[case::latest_elsewhere(-5, 9, -1)]
#[case::earliest_not_elsewhere(-6, 11, -1)]
#[case::a_time(500, 1, 1)]
fn special_timestamps_need_the_versions_that_define_them(
    #[case] timestamp: i64,
    #[case] since: i16,
    #[case] offset: i64,
) {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch_at(&[(100, "a"), (500, "b")]));
    for version in 1..=11 {
        let listed = listed(&broker, version, &[(0, timestamp)]).remove(0);
        if version >= since {
            let actual = (code(listed.error_code), listed.offset);
            assert_eq!(actual, (ErrorCode::None, offset), "version {version}");
        } else {
            assert_eq!(code(listed.error_code), ErrorCode::UnsupportedVersion);
        }
        let has_epoch = version >= 4 && version >= since && offset >= 0;
        assert_eq!(listed.leader_epoch >= 0, has_epoch, "version {version}");
    }
}

#[test]
fn a_repeated_partition_is_refused() {
    let broker = in_memory();
    create(&broker, "t", 2, &[]);
    let codes: Vec<_> = listed(&broker, 11, &[(0, -1), (1, -1), (0, -2)])
        .iter()
        .map(|partition| code(partition.error_code))
        .collect();
    let refused = ErrorCode::InvalidRequest;
    assert_eq!(codes, [refused, ErrorCode::None, refused]);
}

#[rstest]
#[case::neither(-1, -1, ErrorCode::None)]
#[case::both(7, 0, ErrorCode::None)]
#[case::an_id_alone(7, -1, ErrorCode::InvalidRequest)]
#[case::an_epoch_alone(-1, 0, ErrorCode::InvalidRequest)]
fn an_idempotent_producer_has_an_id_and_an_epoch_or_neither(
    #[case] producer_id: i64,
    #[case] producer_epoch: i16,
    #[case] expected: ErrorCode,
) {
    let request = InitProducerIdRequest {
        transactional_id: None,
        producer_id,
        producer_epoch,
        ..Default::default()
    };
    let response = ask(&in_memory(), request);
    assert_eq!(code(response.error_code), expected);
    assert_eq!(
        response.producer_epoch,
        if expected == ErrorCode::None { 0 } else { -1 }
    );
}
