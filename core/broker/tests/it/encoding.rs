//! Every request and response can be encoded at every supported version.

use crate::support::*;
use headwater_broker::{Broker, RequestContext};
use headwater_env::MemoryEnv;
use headwater_protocol::alter_user_scram_credentials_request::ScramCredentialDeletion;
use headwater_protocol::codec::Decoder;
use headwater_protocol::describe_configs_request::DescribeConfigsResource;
use headwater_protocol::describe_user_scram_credentials_request::UserName;
use headwater_protocol::*;

/// Encodes and decodes at one version. Fields that the version does not have may be lost, but nothing else may fail.
fn crosses(api: ApiKey, request: Option<&Request>, response: &Response, version: i16) {
    let mut out = bytes::BytesMut::new();
    if let Some(request) = request {
        request
            .encode(&mut out, version)
            .unwrap_or_else(|error| panic!("{api} {version}: {error}"));
        let mut decoder = Decoder::new(out.split().freeze());
        Request::decode(api, &mut decoder, version).unwrap();
        decoder.finish().unwrap();
    }
    response
        .encode(&mut out, version)
        .unwrap_or_else(|error| panic!("answer to {api} {version}: {error}"));
    let mut decoder = Decoder::new(out.freeze());
    Response::decode(api, &mut decoder, version).unwrap();
    decoder.finish().unwrap();
}

/// Requests that create a topic, produce and fetch.
fn record_requests() -> Vec<Request> {
    vec![
        CreateTopicsRequest {
            topics: vec![creatable("t", 1, &[]), creatable("?", 1, &[])],
            ..Default::default()
        }
        .into(),
        produce_request("t", 0, -1, batch(&["a"])).into(),
        produce_request("t", 0, -1, batch_at(&[(i64::MAX, "late")])).into(),
        produce_request("nothing", 0, -1, batch(&["a"])).into(),
        fetch_request("t", &[(0, 0)]).into(),
        fetch_request("t", &[(0, 99)]).into(),
        fetch_request("nothing", &[(0, 0)]).into(),
    ]
}

/// Requests about metadata, offsets and configurations.
fn cluster_requests() -> Vec<Request> {
    let resource = |resource_type, name: &str| DescribeConfigsResource {
        resource_type,
        resource_name: name.into(),
        configuration_keys: None,
        ..Default::default()
    };
    let described = DescribeConfigsRequest {
        resources: vec![resource(2, "t"), resource(4, "1"), resource(2, "nothing")],
        ..Default::default()
    };
    vec![
        MetadataRequest {
            topics: None,
            ..Default::default()
        }
        .into(),
        ListOffsetsRequest {
            replica_id: -1,
            ..Default::default()
        }
        .into(),
        described.into(),
        IncrementalAlterConfigsRequest::default().into(),
        AlterConfigsRequest::default().into(),
        ApiVersionsRequest {
            client_software_name: "test".into(),
            client_software_version: "1".into(),
            ..Default::default()
        }
        .into(),
        InitProducerIdRequest {
            transactional_id: None,
            ..Default::default()
        }
        .into(),
    ]
}

/// Requests of administrators. Deletions come last.
fn admin_requests() -> Vec<Request> {
    vec![
        DescribeLogDirsRequest {
            topics: None,
            ..Default::default()
        }
        .into(),
        DescribeClusterRequest::default().into(),
        DescribeProducersRequest {
            topics: vec![describe_producers_request::TopicRequest {
                name: "t".into(),
                partition_indexes: vec![0, 7],
                ..Default::default()
            }],
            ..Default::default()
        }
        .into(),
        DescribeTopicPartitionsRequest {
            response_partition_limit: 1,
            ..Default::default()
        }
        .into(),
        AlterUserScramCredentialsRequest {
            deletions: vec![ScramCredentialDeletion::default()],
            ..Default::default()
        }
        .into(),
        DescribeUserScramCredentialsRequest {
            users: Some(vec![UserName::default()]),
            ..Default::default()
        }
        .into(),
        CreatePartitionsRequest::default().into(),
        DeleteRecordsRequest::default().into(),
        OffsetForLeaderEpochRequest {
            replica_id: -2,
            ..Default::default()
        }
        .into(),
        DeleteTopicsRequest {
            topic_names: vec!["t".into(), "nothing".into()],
            ..Default::default()
        }
        .into(),
    ]
}

/// Requests about groups. Those of members are refused, because valid ones wait.
fn group_requests() -> Vec<Request> {
    let find = FindCoordinatorRequest {
        key_type: 0,
        coordinator_keys: vec!["g".into()],
        ..Default::default()
    };
    let members = vec![leave_group_request::MemberIdentity::default()];
    let leave = LeaveGroupRequest {
        group_id: "g".into(),
        members,
        ..Default::default()
    };
    let fetch = OffsetFetchRequest {
        groups: vec![groups::all_offsets()],
        topics: None,
        ..Default::default()
    };
    let describe = DescribeGroupsRequest {
        groups: vec!["g".into(), "nothing".into()],
        ..Default::default()
    };
    let refused_join = JoinGroupRequest {
        session_timeout_ms: 1,
        ..groups::join_request("", None)
    };
    vec![
        find.into(),
        FindCoordinatorRequest {
            key_type: 9,
            ..Default::default()
        }
        .into(),
        groups::commit_request(None, 0, 5).into(),
        fetch.into(),
        refused_join.into(),
        SyncGroupRequest::default().into(),
        HeartbeatRequest::default().into(),
        leave.into(),
        describe.into(),
        ListGroupsRequest::default().into(),
        ConsumerGroupHeartbeatRequest::default().into(),
        ConsumerGroupHeartbeatRequest {
            group_id: "c".into(),
            member_id: "m".into(),
            rebalance_timeout_ms: 1000,
            subscribed_topic_names: Some(vec!["t".into()]),
            topic_partitions: Some(Vec::new()),
            ..Default::default()
        }
        .into(),
        ConsumerGroupDescribeRequest {
            group_ids: vec!["c".into(), "g".into()],
            ..Default::default()
        }
        .into(),
        OffsetDeleteRequest {
            group_id: "g".into(),
            ..Default::default()
        }
        .into(),
        DeleteGroupsRequest {
            groups_names: vec!["g".into(), "nothing".into()],
            ..Default::default()
        }
        .into(),
    ]
}

fn requests() -> Vec<Request> {
    [
        record_requests(),
        cluster_requests(),
        admin_requests(),
        group_requests(),
    ]
    .concat()
}

#[test]
fn every_response_can_be_encoded_at_every_version() {
    let broker: Broker<MemoryEnv> = in_memory();
    let mut seen = Vec::new();
    for request in requests() {
        let api = request.api_key();
        for version in api.supported().iter() {
            let context = RequestContext {
                api_version: Some(version),
                ..RequestContext::default()
            };
            let response = now(broker.handle(&context, request.clone()));
            assert_eq!(response.api_key(), api);
            // Some requests identify topics as only some versions can; they are encoded where possible.
            let mut out = bytes::BytesMut::new();
            let fits = request.encode(&mut out, version).is_ok();
            crosses(api, fits.then_some(&request), &response, version);
        }
        seen.push(api);
    }
    for api in Broker::<MemoryEnv>::served() {
        assert!(seen.contains(api), "{api} is served and was not tried");
    }
}

#[test]
fn the_future_of_a_request_is_send() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let broker = in_memory();
    let context = RequestContext::default();
    let future = is_send(broker.handle(&context, ApiVersionsRequest::default().into()));
    assert_eq!(now(future).api_key(), ApiKey::ApiVersions);
}
