//! `DescribeGroups` (key 15), versions 0-6.
//!
//! Behaviour: state, protocol and members of classic groups. Only stable groups have metadata and assignments.
//!
//! Notes: an unknown group is `Dead`, from version 6 on `GROUP_ID_NOT_FOUND`. There are no ACLs yet, so the authorized
//! operations are left out.

use headwater_env::Env;
use headwater_protocol::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use headwater_protocol::{DescribeGroupsRequest, DescribeGroupsResponse, ErrorCode, Str};

use super::support::authorized_operations::{self, if_requested};
use crate::RequestContext;
use crate::groups::Groups;
use crate::groups::classic::{ClassicGroup, Member};
use crate::groups::group::Group;
use crate::groups::shard::Entry;

/// The first version with an error code for unknown groups.
const UNKNOWN_GROUP_ERROR_SINCE: i16 = 6;

/// Handles the request.
pub(super) fn handle<E: Env>(
    groups: &Groups<E>,
    context: &RequestContext,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let operations = if_requested(
        request.include_authorized_operations,
        authorized_operations::GROUP,
    );
    let described = request.groups.into_iter().map(|group_id| {
        let mut group = describe(groups, context, group_id);
        if ErrorCode::from_code(group.error_code).is_ok() {
            group.authorized_operations = operations;
        }
        group
    });
    DescribeGroupsResponse {
        groups: described.collect(),
        ..DescribeGroupsResponse::default()
    }
}

fn describe<E: Env>(groups: &Groups<E>, context: &RequestContext, group_id: Str) -> DescribedGroup {
    let coordinator = match groups.coordinator_of(&group_id) {
        Ok(coordinator) => coordinator,
        Err(code) => return failed(group_id, code),
    };
    match coordinator.shard().get(&group_id) {
        Some(Entry {
            group: Group::Classic(group),
            ..
        }) => described(group_id, group),
        Some(_) | None => dead(context, group_id),
    }
}

fn described(group_id: Str, group: &ClassicGroup) -> DescribedGroup {
    // During a rebalance the members have no valid assignment.
    let protocol = group.protocol().filter(|_| group.is_stable());
    let member = |member: &Member| DescribedGroupMember {
        member_id: member.id.clone(),
        group_instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        member_metadata: protocol
            .and_then(|name| member.metadata(name).cloned())
            .unwrap_or_default(),
        member_assignment: protocol
            .map(|_| member.assignment.clone())
            .unwrap_or_default(),
        ..DescribedGroupMember::default()
    };
    DescribedGroup {
        error_code: ErrorCode::None.code(),
        group_id,
        group_state: group.state_name().into(),
        protocol_type: group.protocol_type().cloned().unwrap_or_default(),
        protocol_data: protocol.cloned().unwrap_or_default(),
        members: group.members().map(member).collect(),
        ..DescribedGroup::default()
    }
}

fn dead(context: &RequestContext, group_id: Str) -> DescribedGroup {
    let tells = context.is_at_least(UNKNOWN_GROUP_ERROR_SINCE);
    let message = format!("unknown classic group \"{group_id}\"");
    let code = if tells {
        ErrorCode::GroupIdNotFound
    } else {
        ErrorCode::None
    };
    DescribedGroup {
        error_code: code.code(),
        error_message: tells.then(|| message.into()),
        group_id,
        group_state: "Dead".into(),
        ..DescribedGroup::default()
    }
}

fn failed(group_id: Str, code: ErrorCode) -> DescribedGroup {
    DescribedGroup {
        error_code: code.code(),
        group_id,
        ..DescribedGroup::default()
    }
}
