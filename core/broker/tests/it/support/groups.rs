//! Helpers of the group tests: join, sync, commit and fetch.

use std::time::Duration;

use super::*;
use headwater_broker::{Broker, RequestContext};
use headwater_env::{Env, SimEnv};
use headwater_protocol::describe_groups_response::DescribedGroup;
use headwater_protocol::join_group_request::JoinGroupRequestProtocol;
use headwater_protocol::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use headwater_protocol::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use headwater_protocol::sync_group_request::SyncGroupRequestAssignment;
use headwater_protocol::{
    ApiRequest, ConsumerProtocolSubscription, DescribeGroupsRequest, ErrorCode, HeartbeatRequest,
    JoinGroupRequest, JoinGroupResponse, Message, OffsetCommitRequest, OffsetFetchRequest, Str,
    SyncGroupRequest, SyncGroupResponse,
};
use tokio::task::JoinHandle;

pub type Sim = Broker<SimEnv>;

/// Starts a request that may wait.
pub fn begin<R: ApiRequest + Send + 'static>(broker: &Sim, request: R) -> JoinHandle<R::Response>
where
    R::Response: Send,
{
    begin_from(broker, on_the_network(), request)
}

/// Starts a request that may wait, with this context.
pub fn begin_from<R: ApiRequest + Send + 'static>(
    broker: &Sim,
    context: RequestContext,
    request: R,
) -> JoinHandle<R::Response>
where
    R::Response: Send,
{
    let broker = broker.clone();
    tokio::spawn(async move {
        let response = broker.handle(&context, request.into()).await;
        R::Response::try_from(response).unwrap()
    })
}

/// Runs pending tasks until they wait.
pub async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

pub async fn pass(env: &SimEnv, broker: &Sim, time: Duration) {
    settle().await;
    env.advance(time);
    broker.housekeeping();
    settle().await;
}

pub fn join_request(member_id: &str, instance_id: Option<&str>) -> JoinGroupRequest {
    let subscription = ConsumerProtocolSubscription {
        topics: vec!["t".into()],
        ..Default::default()
    };
    JoinGroupRequest {
        group_id: "g".into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 30_000,
        member_id: member_id.into(),
        group_instance_id: instance_id.map(Into::into),
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".into(),
            metadata: subscription.to_versioned_bytes(3).unwrap(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// The id of a new dynamic member.
pub fn new_id(broker: &Sim) -> Str {
    let response = ask(broker, join_request("", None));
    assert_eq!(code(response.error_code), ErrorCode::MemberIdRequired);
    response.member_id
}

pub fn sync_request(joined: &JoinGroupResponse) -> SyncGroupRequest {
    let assignments = joined
        .members
        .iter()
        .map(|member| SyncGroupRequestAssignment {
            member_id: member.member_id.clone(),
            assignment: format!("for {}", member.member_id).into(),
            ..Default::default()
        });
    SyncGroupRequest {
        group_id: "g".into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        protocol_type: Some("consumer".into()),
        protocol_name: Some("range".into()),
        assignments: assignments.collect(),
        ..Default::default()
    }
}

pub fn synced(response: &SyncGroupResponse, joined: &JoinGroupResponse) {
    assert_eq!(code(response.error_code), ErrorCode::None);
    assert_eq!(response.assignment, format!("for {}", joined.member_id));
}

/// A stable group of one member, in its first generation.
pub async fn alone(env: &SimEnv, broker: &Sim, instance_id: Option<&str>) -> JoinGroupResponse {
    let id = match instance_id {
        Some(_) => Str::new(),
        None => new_id(broker),
    };
    let joining = begin(broker, join_request(&id, instance_id));
    pass(env, broker, Duration::from_secs(3)).await;
    let joined = joining.await.unwrap();
    assert_eq!(code(joined.error_code), ErrorCode::None);
    let response = begin(broker, sync_request(&joined)).await.unwrap();
    synced(&response, &joined);
    joined
}

pub fn heartbeat(broker: &Sim, joined: &JoinGroupResponse) -> ErrorCode {
    let request = HeartbeatRequest {
        group_id: "g".into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        ..Default::default()
    };
    code(ask(broker, request).error_code)
}

pub fn commit_request(
    who: Option<&JoinGroupResponse>,
    partition: i32,
    offset: i64,
) -> OffsetCommitRequest {
    OffsetCommitRequest {
        group_id: "g".into(),
        generation_id_or_member_epoch: who.map_or(-1, |joined| joined.generation_id),
        member_id: who
            .map(|joined| joined.member_id.clone())
            .unwrap_or_default(),
        topics: vec![OffsetCommitRequestTopic {
            name: "t".into(),
            partitions: vec![OffsetCommitRequestPartition {
                partition_index: partition,
                committed_offset: offset,
                committed_leader_epoch: 4,
                committed_metadata: Some("note".into()),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

pub fn commit<E: Env>(broker: &Broker<E>, request: OffsetCommitRequest) -> ErrorCode {
    code(ask(broker, request).topics[0].partitions[0].error_code)
}

pub fn committed<E: Env>(broker: &Broker<E>, partition: i32) -> (i64, String) {
    let topic = OffsetFetchRequestTopics {
        name: "t".into(),
        partition_indexes: vec![partition],
        ..Default::default()
    };
    let group = fetch_offsets(broker, Some(vec![topic]));
    let found = &group.topics[0].partitions[0];
    assert_eq!(code(found.error_code), ErrorCode::None);
    (
        found.committed_offset,
        found.metadata.clone().unwrap().to_string(),
    )
}

pub fn fetch_offsets<E: Env>(
    broker: &Broker<E>,
    topics: Option<Vec<OffsetFetchRequestTopics>>,
) -> headwater_protocol::offset_fetch_response::OffsetFetchResponseGroup {
    let request = OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: "g".into(),
            topics,
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut response = ask(broker, request);
    assert_eq!(code(response.groups[0].error_code), ErrorCode::None);
    response.groups.remove(0)
}

/// A fetch of all committed offsets.
pub fn all_offsets() -> OffsetFetchRequestGroup {
    OffsetFetchRequestGroup {
        group_id: "g".into(),
        topics: None,
        ..Default::default()
    }
}

pub fn described<E: Env>(broker: &Broker<E>) -> DescribedGroup {
    let request = DescribeGroupsRequest {
        groups: vec!["g".into()],
        ..Default::default()
    };
    ask(broker, request).groups.remove(0)
}

pub fn world() -> (SimEnv, Sim) {
    let env = SimEnv::new(1);
    env.set_wall_clock_ms(1_000_000_000);
    let broker = open(&env, &[]);
    create(&broker, "t", 4, &[]);
    (env, broker)
}
