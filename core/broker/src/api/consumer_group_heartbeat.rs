//! `ConsumerGroupHeartbeat` (key 68), versions 0-1.
//!
//! Behaviour: a member of a consumer group joins (epoch 0), sends its subscription and owned partitions, and leaves
//! (-1; -2 for a static member that will come back). The broker assigns (`uniform` or `range`), and the response
//! contains the member's assignment; see `groups::consumer`. From version 1 on a subscription may be a pattern, and
//! members choose their own ids.
//!
//! Notes: patterns use Rust's `regex`, which like Kafka's RE2/J supports neither look-around nor back references. A
//! pattern must match the whole name and matches internal topics too. A member that joins a classic group turns it into
//! a consumer group if `group.consumer.migration.policy` allows it; otherwise the response is `GROUP_ID_NOT_FOUND`.

use std::collections::BTreeSet;

use headwater_env::Env;
use headwater_protocol::consumer_group_heartbeat_request::TopicPartitions;
use headwater_protocol::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, ErrorCode, Str,
};

use super::support::errors::Refusal;
use super::support::members::client_host;
use crate::RequestContext;
use crate::groups::Groups;
use crate::groups::consumer::membership::ConsumerLeaver;
use crate::groups::consumer::{Assignment, Heartbeat, MemberIds};
use crate::groups::detached::detached;

/// The first version whose members choose their ids.
const CLIENT_MEMBER_IDS_SINCE: i16 = 1;
const LEAVE: i32 = -1;
const LEAVE_FOR_A_WHILE: i32 = -2;
/// The field has not changed.
const UNCHANGED: i32 = -1;

/// Handles the request.
pub(super) async fn handle<E: Env>(
    groups: &Groups<E>,
    context: &RequestContext,
    request: ConsumerGroupHeartbeatRequest,
) -> ConsumerGroupHeartbeatResponse {
    let answer = match request.member_epoch {
        LEAVE | LEAVE_FOR_A_WHILE => leave(groups, &request),
        _ => beat(groups, context, request).await,
    };
    answer.unwrap_or_else(|refusal| ConsumerGroupHeartbeatResponse {
        error_code: refusal.code.code(),
        error_message: Some(refusal.message.into()),
        ..ConsumerGroupHeartbeatResponse::default()
    })
}

fn leave<E: Env>(
    groups: &Groups<E>,
    request: &ConsumerGroupHeartbeatRequest,
) -> Result<ConsumerGroupHeartbeatResponse, Refusal> {
    if request.group_id.is_empty() || request.member_id.is_empty() {
        let message = "a member that leaves must send its group id and its member id";
        return Err(Refusal::new(ErrorCode::InvalidRequest, message));
    }
    let leaver = ConsumerLeaver {
        member_id: &request.member_id,
        instance_id: request.instance_id.as_ref(),
        epoch: request.member_epoch,
    };
    groups.leave_consumer_group(&request.group_id, leaver)
}

async fn beat<E: Env>(
    groups: &Groups<E>,
    context: &RequestContext,
    request: ConsumerGroupHeartbeatRequest,
) -> Result<ConsumerGroupHeartbeatResponse, Refusal> {
    if request.group_id.is_empty() {
        let message = "the group id must not be empty";
        return Err(Refusal::new(ErrorCode::InvalidRequest, message));
    }
    let optional = |text: &Option<Str>| text.as_deref().map(detached);
    let topics = request.subscribed_topic_names.as_ref();
    let mut beat = Heartbeat {
        member_id: detached(&request.member_id),
        epoch: request.member_epoch,
        instance_id: optional(&request.instance_id),
        rack_id: optional(&request.rack_id),
        rebalance_timeout_ms: Some(request.rebalance_timeout_ms).filter(|ms| *ms != UNCHANGED),
        topics: topics.map(|topics| topics.iter().map(|name| detached(name)).collect()),
        regex: optional(&request.subscribed_topic_regex),
        assignor: optional(&request.server_assignor),
        owned: request.topic_partitions.map(owned),
        client_id: detached(context.client_id.as_deref().unwrap_or_default()),
        client_host: client_host(context),
    };
    beat.check(if context.is_at_least(CLIENT_MEMBER_IDS_SINCE) {
        MemberIds::Members
    } else {
        MemberIds::Broker
    })?;
    if beat.member_id.is_empty() {
        beat.member_id = groups.random_uuid().to_string().into();
    }
    groups
        .consumer_group_heartbeat(&request.group_id, &beat)
        .await
}

fn owned(topics: Vec<TopicPartitions>) -> Assignment {
    let mut owned = Assignment::new();
    for topic in topics {
        let partitions: BTreeSet<i32> = topic.partitions.into_iter().collect();
        if !partitions.is_empty() {
            owned.entry(topic.topic_id).or_default().extend(partitions);
        }
    }
    owned
}
