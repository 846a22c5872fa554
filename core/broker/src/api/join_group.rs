//! `JoinGroup` (key 11), versions 0-9.
//!
//! Behaviour: answers when the next generation of the group starts; see `groups::classic`. From version 4 on a new
//! member first gets an id (`MEMBER_ID_REQUIRED`) and joins again with it. From 5 on `group.instance.id` makes a member
//! static. From 9 on a static leader that restarts in a stable group skips the assignment.
//!
//! In a consumer group (KIP-848), which may have members of both protocols, the response is not deferred; see
//! `groups::consumer::classic_members`. The same applies to the other classic requests.
//!
//! Notes: the members' protocol metadata counts as request memory; a member that exceeds it gets
//! `COORDINATOR_NOT_AVAILABLE`. Version 0 has no rebalance time-out; the session time-out is used.

use std::sync::Arc;
use std::time::Duration;

use headwater_env::Env;
use headwater_protocol::{ErrorCode, JoinGroupRequest, JoinGroupResponse, Str};
use uuid::Uuid;

use super::support::members::client_host;
use crate::RequestContext;
use crate::controller::Controller;
use crate::groups::Groups;
use crate::groups::classic::{Join, MemberIdRule, Protocol, SkipRule};
use crate::groups::coordinator::PendingResponse;
use crate::groups::detached::{detached, detached_bytes};
use crate::memory::{MemoryReservation, RequestMemory};

/// The first version in which a new member joins again with the id of the response.
const MEMBER_ID_REQUIRED_SINCE: i16 = 4;
/// The first version with a nullable protocol.
const NULL_PROTOCOL_SINCE: i16 = 7;
/// The first version with `skip_assignment`.
const SKIP_ASSIGNMENT_SINCE: i16 = 9;

/// Handles the request. Dropping the future stops the wait; the member stays until its session expires.
pub(super) async fn handle<E: Env>(
    controller: &Controller<E>,
    memory: &Arc<RequestMemory>,
    groups: &Groups<E>,
    context: &RequestContext,
    request: JoinGroupRequest,
) -> JoinGroupResponse {
    let member_id = request.member_id.clone();
    let mut response = match begin(controller, memory, groups, context, request).await {
        Ok(waiting) => waiting
            .await
            .unwrap_or_else(|_| refused(member_id, ErrorCode::CoordinatorNotAvailable)),
        Err(code) => refused(member_id, code),
    };
    if !context.is_at_least(NULL_PROTOCOL_SINCE) {
        response.protocol_name.get_or_insert_default();
    }
    response
}

async fn begin<E: Env>(
    controller: &Controller<E>,
    memory: &Arc<RequestMemory>,
    groups: &Groups<E>,
    context: &RequestContext,
    request: JoinGroupRequest,
) -> Result<PendingResponse<JoinGroupResponse>, ErrorCode> {
    if request.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    let config = controller.config();
    let allowed = config.group_session_timeout_min_ms..=config.group_session_timeout_max_ms;
    if !allowed.contains(&request.session_timeout_ms) {
        return Err(ErrorCode::InvalidSessionTimeout);
    }
    let group_id = request.group_id.clone();
    let held = hold(memory, &request)?;
    let join = join(groups.random_uuid(), context, request, held);
    groups.join_group(&group_id, join).await
}

/// Reserves memory for the metadata in the member's protocols, for as long as it is a member.
fn hold(
    memory: &Arc<RequestMemory>,
    request: &JoinGroupRequest,
) -> Result<Option<Arc<MemoryReservation>>, ErrorCode> {
    let sizes = request.protocols.iter();
    let bytes = sizes
        .map(|protocol| protocol.name.len() + protocol.metadata.len())
        .sum();
    let Some(held) = memory.reserve_for_members(bytes, 0) else {
        let group = &*request.group_id;
        tracing::warn!(
            group,
            bytes,
            "the member is refused: all members together hold as much as a quarter of queued.max.request.bytes; raise it, or end some"
        );
        return Err(ErrorCode::CoordinatorNotAvailable);
    };
    Ok(Some(Arc::new(held)))
}

fn join(
    id: Uuid,
    context: &RequestContext,
    request: JoinGroupRequest,
    memory: Option<Arc<MemoryReservation>>,
) -> Join {
    let milliseconds = |ms: i32| u64::try_from(ms).ok().map(Duration::from_millis);
    let session_timeout = milliseconds(request.session_timeout_ms).unwrap_or_default();
    let client_id = context.client_id.as_deref().unwrap_or_default();
    let stem = request.group_instance_id.as_deref().unwrap_or(client_id);
    let new_member_id = format!("{stem}-{id}");
    let protocols = request.protocols.iter().map(|protocol| Protocol {
        name: detached(&protocol.name),
        metadata: detached_bytes(&protocol.metadata),
    });
    Join {
        member_id: detached(&request.member_id),
        instance_id: request.group_instance_id.as_deref().map(detached),
        client_id: detached(client_id),
        client_host: client_host(context),
        session_timeout,
        rebalance_timeout: milliseconds(request.rebalance_timeout_ms).unwrap_or(session_timeout),
        protocol_type: detached(&request.protocol_type),
        protocols: protocols.collect(),
        memory,
        new_member_id: new_member_id.into(),
        member_id_rule: if context.is_at_least(MEMBER_ID_REQUIRED_SINCE) {
            MemberIdRule::Required
        } else {
            MemberIdRule::Given
        },
        skip_rule: if context.is_at_least(SKIP_ASSIGNMENT_SINCE) {
            SkipRule::Skip
        } else {
            SkipRule::Hide
        },
    }
}

fn refused(member_id: Str, code: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code: code.code(),
        member_id,
        ..JoinGroupResponse::default()
    }
}
