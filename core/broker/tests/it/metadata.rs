//! Metadata responses for old and new clients.

use std::sync::Arc;

use crate::support::*;
use headwater_broker::{Listener, RequestContext};
use headwater_env::MemoryEnv;
use headwater_protocol::metadata_request::MetadataRequestTopic;
use headwater_protocol::{
    DescribeClusterRequest, ErrorCode, Message, MetadataRequest, MetadataResponse, Response,
};
use rstest::rstest;
use uuid::Uuid;

fn named(name: &str) -> MetadataRequestTopic {
    MetadataRequestTopic {
        name: Some(name.into()),
        ..Default::default()
    }
}

fn with_id(name: Option<&str>, topic_id: Uuid) -> MetadataRequestTopic {
    MetadataRequestTopic {
        name: name.map(Into::into),
        topic_id,
        ..Default::default()
    }
}

fn wanting(topics: Option<Vec<MetadataRequestTopic>>) -> MetadataRequest {
    MetadataRequest {
        topics,
        ..Default::default()
    }
}

fn names(response: &MetadataResponse) -> Vec<String> {
    let name = |topic: &headwater_protocol::metadata_response::MetadataResponseTopic| {
        topic.name.as_deref().unwrap_or("?").to_owned()
    };
    response.topics.iter().map(name).collect()
}

#[rstest]
#[case::the_first_version(0, vec!["a", "b"])]
#[case::versions_with_null(1, vec![])]
#[case::the_newest(13, vec![])]
fn an_empty_list_means_all_topics_in_version_0(#[case] version: i16, #[case] expected: Vec<&str>) {
    let broker = in_memory();
    create(&broker, "a", 1, &[]);
    create(&broker, "b", 1, &[]);
    assert_eq!(
        names(&ask_at(&broker, version, wanting(Some(vec![])))),
        expected
    );
    assert_eq!(
        names(&ask_at(&broker, version, wanting(None))),
        ["a", "b"],
        "null means all topics in every version"
    );
}

#[test]
fn the_response_can_be_encoded_in_every_version() {
    let broker = in_memory();
    let id = try_create(&broker, creatable("t", 2, &[])).topic_id;
    for version in 0..=13 {
        for topics in [
            None,
            Some(vec![named("t"), named("a b"), named("made"), named("x")]),
            Some(vec![with_id(None, id), with_id(None, Uuid::from_u128(7))]),
            Some(vec![with_id(Some("t"), Uuid::from_u128(8))]),
        ] {
            let response = ask_at(&broker, version, wanting(topics));
            let bytes = response.to_bytes(version).unwrap();
            let read = MetadataResponse::from_bytes(bytes, version).unwrap();
            assert_eq!(names(&read), names(&response), "version {version}");
        }
    }
}

#[test]
fn an_id_takes_precedence_over_a_name_and_needs_a_version_with_ids() {
    let broker = in_memory();
    let id = try_create(&broker, creatable("t", 1, &[])).topic_id;
    let actual = |version, topic| {
        let response = ask_at(&broker, version, wanting(Some(vec![topic])));
        (
            code(response.topics[0].error_code),
            names(&response).remove(0),
        )
    };
    assert_eq!(
        actual(12, with_id(Some("other"), id)),
        (ErrorCode::None, "t".into())
    );
    assert_eq!(
        actual(12, with_id(Some("t"), Uuid::from_u128(9))),
        (ErrorCode::UnknownTopicId, "?".into())
    );
    assert_eq!(
        actual(11, with_id(Some("t"), id)),
        (ErrorCode::InvalidRequest, "t".into())
    );
    assert_eq!(
        actual(10, with_id(None, Uuid::nil())),
        (ErrorCode::InvalidRequest, String::new())
    );
}

#[test]
fn a_repeated_topic_is_answered_once() {
    let broker = in_memory();
    let twice = wanting(Some(vec![
        named("t"),
        named("t"),
        named("a b"),
        named("a b"),
    ]));
    assert_eq!(names(&ask(&broker, twice)), ["t", "a b"]);
}

#[test]
fn topics_are_created_automatically_with_the_brokers_defaults() {
    let broker = open(&MemoryEnv::new(), &[("num.partitions", "3")]);
    let response = ask(
        &broker,
        wanting(Some(vec![named("t"), named("a b"), named("u")])),
    );
    let actual: Vec<_> = response
        .topics
        .iter()
        .map(|topic| (code(topic.error_code), topic.partitions.len()))
        .collect();
    let made = (ErrorCode::None, 3);
    assert_eq!(
        actual,
        [made, (ErrorCode::InvalidTopicException, 0), made],
        "an invalid name affects other topics"
    );
    append(&broker, "u", 2, batch(&["usable at once"]));
}

#[test]
fn a_topic_that_cannot_be_created_has_an_error_with_the_reason() {
    let broker = open(&MemoryEnv::new(), &[("default.replication.factor", "3")]);
    let response = ask(&broker, wanting(Some(vec![named("t")])));
    assert_eq!(
        code(response.topics[0].error_code),
        ErrorCode::InvalidReplicationFactor
    );
    let broker = in_memory();
    create(&broker, "a.b", 1, &[]);
    let response = ask(&broker, wanting(Some(vec![named("a_b")])));
    assert_eq!(
        code(response.topics[0].error_code),
        ErrorCode::InvalidTopicException
    );
}

#[test]
fn internal_topics_are_flagged_and_not_created_automatically() {
    let broker = in_memory();
    let response = ask(&broker, wanting(Some(vec![named("__transaction_state")])));
    let topic = &response.topics[0];
    assert_eq!(
        (code(topic.error_code), topic.is_internal),
        (ErrorCode::UnknownTopicOrPartition, true)
    );
}

#[test]
fn authorized_operations_are_returned_on_request() {
    let broker = in_memory();
    create(&broker, "t", 1, &[]);
    let actual = |asked| {
        let request = MetadataRequest {
            include_cluster_authorized_operations: asked,
            include_topic_authorized_operations: asked,
            ..wanting(None)
        };
        let response = ask_at(&broker, 8, request);
        (
            response.topics[0].topic_authorized_operations,
            response.cluster_authorized_operations,
        )
    };
    assert_eq!(actual(false), (i32::MIN, i32::MIN));
    assert_eq!(actual(true), (3576, 8096));
}

#[test]
fn the_brokers_have_the_address_of_the_clients_listener() {
    let broker = in_memory();
    let context = RequestContext {
        listener: Listener {
            name: Arc::from("PLAINTEXT"),
            host: Arc::from("kafka.example"),
            port: 9093,
        },
        ..RequestContext::default()
    };
    match now(broker.handle(&context, wanting(None).into())) {
        Response::Metadata(response) => {
            let broker = &response.brokers[0];
            assert_eq!((&*broker.host, broker.port), ("kafka.example", 9093));
        }
        other => panic!("{other:?}"),
    }
    match now(broker.handle(&context, DescribeClusterRequest::default().into())) {
        Response::DescribeCluster(response) => {
            let broker = &response.brokers[0];
            assert_eq!((&*broker.host, broker.port), ("kafka.example", 9093));
        }
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::brokers(1, ErrorCode::None)]
#[case::controllers(2, ErrorCode::MismatchedEndpointType)]
#[case::nothing_known(7, ErrorCode::UnsupportedEndpointType)]
fn only_brokers_can_be_described(#[case] endpoint_type: i8, #[case] expected: ErrorCode) {
    let request = DescribeClusterRequest {
        endpoint_type,
        ..Default::default()
    };
    let response = ask_at(&in_memory(), 1, request);
    assert_eq!(code(response.error_code), expected);
}
