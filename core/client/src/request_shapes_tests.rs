//! Each shaped request can be encoded in its version, and keeps its meaning.

use headwater_protocol::delete_topics_request::DeleteTopicState;
use headwater_protocol::describe_groups_response::DescribedGroup;
use headwater_protocol::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use headwater_protocol::leave_group_request::MemberIdentity;
use headwater_protocol::list_groups_response::ListedGroup;
use headwater_protocol::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use headwater_protocol::offset_fetch_request::OffsetFetchRequestTopics;
use headwater_protocol::offset_fetch_response::OffsetFetchResponseTopic;
use headwater_protocol::{
    DescribeConfigsRequest, DescribeGroupsRequest, DescribeUserScramCredentialsRequest,
    ListGroupsRequest,
};
use rstest::rstest;

use super::*;
use crate::transport::TransportErrorKind;

/// Shapes a request for a broker whose highest version of its API is `highest`, and checks that it can be encoded.
fn shape(request: impl Into<Request>, highest: i16) -> ShapedRequest {
    let shaped = try_shape(request, highest).unwrap();
    let mut bytes = bytes::BytesMut::new();
    shaped.request.encode(&mut bytes, shaped.version).unwrap();
    shaped
}

fn try_shape(request: impl Into<Request>, highest: i16) -> Result<ShapedRequest, TransportError> {
    let request = request.into();
    let broker = NodeVersions::new([(request.api_key(), VersionRange::new(0, highest))]);
    ShapedRequest::new(request, &broker)
}

fn fetch(id: u128) -> FetchRequest {
    let topic = FetchTopic {
        topic: "t".into(),
        topic_id: Uuid::from_u128(id),
        partitions: vec![FetchPartition::default()],
        ..Default::default()
    };
    FetchRequest {
        topics: vec![topic],
        ..Default::default()
    }
}

fn offset_fetch(topics: Option<Vec<OffsetFetchRequestTopics>>) -> OffsetFetchRequest {
    let group = OffsetFetchRequestGroup {
        group_id: "g".into(),
        topics,
        ..Default::default()
    };
    OffsetFetchRequest {
        groups: vec![group],
        require_stable: true,
        ..Default::default()
    }
}

#[rstest]
#[case::by_id(1, 18, 18)]
#[case::broker_without_ids(1, 12, 12)]
#[case::topic_without_id(0, 18, 12)]
fn a_topic_is_fetched_by_id_if_it_has_one(
    #[case] id: u128,
    #[case] highest: i16,
    #[case] version: i16,
) {
    assert_eq!(shape(fetch(id), highest).version, version);
}

#[test]
fn a_recreated_topic_is_not_forgotten_by_name() {
    let mut request = fetch(2);
    request.forgotten_topics_data = vec![ForgottenTopic {
        topic: "t".into(),
        topic_id: Uuid::from_u128(1),
        partitions: vec![0, 1],
        ..Default::default()
    }];
    let forgotten = |shaped: ShapedRequest| match shaped.request {
        Request::Fetch(request) => request.forgotten_topics_data[0].partitions.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(forgotten(shape(request.clone(), 12)), [1]);
    assert_eq!(forgotten(shape(request, 13)), [0, 1]);
}

#[test]
fn a_coordinator_is_looked_up_by_one_key() {
    let request = FindCoordinatorRequest {
        coordinator_keys: vec!["g".into()],
        ..Default::default()
    };
    let shaped = shape(request.clone(), 3);
    let response = FindCoordinatorResponse {
        node_id: 7,
        host: "h".into(),
        port: 9,
        ..Default::default()
    };
    let Response::FindCoordinator(restored) = shaped.restore(response.into()) else {
        panic!("another response")
    };
    let found = &restored.coordinators[0];
    assert_eq!((&*found.key, found.node_id, found.port), ("g", 7, 9));
    let mut several = request;
    several.coordinator_keys.push("h".into());
    let error = try_shape(several.clone(), 3).unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Unsupported);
    assert_eq!(shape(several, 6).version, 6);
}

#[rstest]
#[case(1)]
#[case(2)]
#[case(7)]
fn the_offsets_of_a_group_are_fetched_without_a_list_of_groups(#[case] version: i16) {
    let topic = OffsetFetchRequestTopics {
        name: "t".into(),
        topic_id: Uuid::from_u128(1),
        partition_indexes: vec![3],
        ..Default::default()
    };
    let shaped = shape(offset_fetch(Some(vec![topic])), version);
    let partition = OffsetFetchResponsePartition {
        partition_index: 3,
        committed_offset: 5,
        committed_leader_epoch: 2,
        ..Default::default()
    };
    let response = OffsetFetchResponse {
        topics: vec![OffsetFetchResponseTopic {
            name: "t".into(),
            partitions: vec![partition],
            ..Default::default()
        }],
        error_code: 16,
        ..Default::default()
    };
    let Response::OffsetFetch(restored) = shaped.restore(response.into()) else {
        panic!("another response")
    };
    let group = &restored.groups[0];
    assert_eq!((&*group.group_id, group.error_code), ("g", 16));
    let found = &group.topics[0].partitions[0];
    assert_eq!((found.partition_index, found.committed_offset), (3, 5));
    assert_eq!(found.committed_leader_epoch, 2);
}

#[test]
fn the_offsets_of_all_topics_are_fetched_by_name() {
    assert_eq!(shape(offset_fetch(None), 10).version, 9);
}

#[test]
fn a_member_leaves_alone() {
    let request = LeaveGroupRequest {
        members: vec![MemberIdentity {
            member_id: "m".into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let Request::LeaveGroup(shaped) = shape(request, 2).request else {
        panic!("another request")
    };
    assert_eq!(&*shaped.member_id, "m");
}

#[test]
fn topics_are_deleted_by_name() {
    let request = DeleteTopicsRequest {
        topics: vec![DeleteTopicState {
            name: Some("t".into()),
            ..Default::default()
        }],
        ..Default::default()
    };
    let Request::DeleteTopics(shaped) = shape(request, 5).request else {
        panic!("another request")
    };
    assert_eq!(shaped.topic_names, [Str::from("t")]);
}

#[test]
fn configurations_are_described_without_documentation() {
    let request = DescribeConfigsRequest {
        include_documentation: true,
        ..Default::default()
    };
    assert_eq!(shape(request, 2).version, 2);
}

#[test]
fn an_unknown_group_is_an_error_in_every_version() {
    let shaped = shape(DescribeGroupsRequest::default(), 5);
    let response = DescribeGroupsResponse {
        groups: vec![DescribedGroup {
            group_state: "Dead".into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let Response::DescribeGroups(restored) = shaped.restore(response.into()) else {
        panic!("another response")
    };
    let code = ErrorCode::from_code(restored.groups[0].error_code);
    assert_eq!(code, ErrorCode::GroupIdNotFound);
}

#[test]
fn groups_without_a_type_are_classic() {
    let shaped = shape(ListGroupsRequest::default(), 4);
    let response = ListGroupsResponse {
        groups: vec![ListedGroup::default()],
        ..Default::default()
    };
    let Response::ListGroups(restored) = shaped.restore(response.into()) else {
        panic!("another response")
    };
    assert_eq!(&*restored.groups[0].group_type, "classic");
}

#[rstest]
#[case(-2, 1)]
#[case(-3, 7)]
#[case(-4, 8)]
#[case(-5, 9)]
#[case(-6, 11)]
fn special_timestamps_need_a_version(#[case] timestamp: i64, #[case] lowest: i16) {
    let partition = ListOffsetsPartition {
        timestamp,
        ..Default::default()
    };
    let request = ListOffsetsRequest {
        topics: vec![ListOffsetsTopic {
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    };
    assert_eq!(shape(request.clone(), lowest).version, lowest);
    if lowest > 1 {
        let error = try_shape(request, lowest - 1).unwrap_err();
        assert_eq!(error.kind, TransportErrorKind::Unsupported);
        assert!(error.reason.contains(&format!("version {lowest} or newer")));
    }
}

#[test]
fn the_error_of_a_missing_api_has_the_required_release() {
    let request = DescribeUserScramCredentialsRequest::default();
    let error = ShapedRequest::new(request.into(), &NodeVersions::new([])).unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Unsupported);
    assert!(!error.sent);
    assert!(
        error
            .reason
            .contains("Apache Kafka 2.7 with ZooKeeper, or 3.5 or newer")
    );
}
