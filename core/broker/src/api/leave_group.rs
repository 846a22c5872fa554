//! `LeaveGroup` (key 13), versions 0-5.
//!
//! Behaviour: removes members, and the others rebalance. From version 3 on a request has many members, each with its
//! own result, and a static member may be identified by its `group.instance.id` alone.
//!
//! Notes: in an unknown group every member is unknown.

use headwater_env::Env;
use headwater_protocol::leave_group_request::MemberIdentity;
use headwater_protocol::leave_group_response::MemberResponse;
use headwater_protocol::{ErrorCode, LeaveGroupRequest, LeaveGroupResponse};

use crate::RequestContext;
use crate::groups::Groups;
use crate::groups::classic::Leaver;

/// The first version with many members.
const BATCHED_SINCE: i16 = 3;

/// Handles the request.
pub(super) fn handle<E: Env>(
    groups: &Groups<E>,
    context: &RequestContext,
    request: LeaveGroupRequest,
) -> LeaveGroupResponse {
    let is_batched = context.is_at_least(BATCHED_SINCE);
    let leavers = if is_batched {
        request.members.into_iter().map(leaver).collect()
    } else {
        vec![Leaver {
            member_id: request.member_id,
            instance_id: None,
        }]
    };
    let result = if request.group_id.is_empty() {
        Err(ErrorCode::InvalidGroupId)
    } else {
        groups.leave_group(&request.group_id, leavers.clone())
    };
    let (code, members) = match result {
        Ok(members) => (ErrorCode::None, members),
        Err(ErrorCode::UnknownMemberId) => (ErrorCode::None, all_unknown(leavers)),
        Err(code) => (code, Vec::new()),
    };
    if is_batched {
        return LeaveGroupResponse {
            error_code: code.code(),
            members,
            ..LeaveGroupResponse::default()
        };
    }
    let own = members
        .first()
        .map_or(code.code(), |member| member.error_code);
    LeaveGroupResponse {
        error_code: own,
        ..LeaveGroupResponse::default()
    }
}

fn leaver(member: MemberIdentity) -> Leaver {
    Leaver {
        member_id: member.member_id,
        instance_id: member.group_instance_id,
    }
}

fn all_unknown(leavers: Vec<Leaver>) -> Vec<MemberResponse> {
    let unknown = |leaver: Leaver| MemberResponse {
        member_id: leaver.member_id,
        group_instance_id: leaver.instance_id,
        error_code: ErrorCode::UnknownMemberId.code(),
        ..MemberResponse::default()
    };
    leavers.into_iter().map(unknown).collect()
}
