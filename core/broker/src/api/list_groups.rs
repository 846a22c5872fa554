//! `ListGroups` (key 16), versions 0-5.
//!
//! Behaviour: all groups of this broker, filtered by state (from version 4 on) and by type (from version 5 on).
//!
//! Notes: filters ignore case; an empty filter matches all groups.

use headwater_env::Env;
use headwater_protocol::list_groups_response::ListedGroup;
use headwater_protocol::{ListGroupsRequest, ListGroupsResponse, Str};

use crate::RequestContext;
use crate::groups::Groups;
use crate::groups::shard::Entry;

/// Handles the request.
pub(super) fn handle<E: Env>(
    groups: &Groups<E>,
    _context: &RequestContext,
    request: ListGroupsRequest,
) -> ListGroupsResponse {
    let mut listed_groups = Vec::new();
    for index in 0..groups.coordinators() {
        match groups.coordinator(index) {
            Ok(coordinator) => listed_groups.extend(
                coordinator
                    .shard()
                    .iter()
                    .map(|(group_id, entry)| listed(group_id, entry)),
            ),
            Err(code) => {
                return ListGroupsResponse {
                    error_code: code.code(),
                    ..ListGroupsResponse::default()
                };
            }
        }
    }
    let lets_through = |filter: &[Str], value: &str| {
        filter.is_empty()
            || filter
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(value))
    };
    listed_groups.retain(|group| {
        lets_through(&request.states_filter, &group.group_state)
            && lets_through(&request.types_filter, &group.group_type)
    });
    ListGroupsResponse {
        groups: listed_groups,
        ..ListGroupsResponse::default()
    }
}

fn listed(group_id: &Str, entry: &Entry) -> ListedGroup {
    ListedGroup {
        group_id: group_id.clone(),
        protocol_type: entry.group.protocol_type(),
        group_state: entry.group.state_name().into(),
        group_type: entry.group.kind().into(),
        ..ListedGroup::default()
    }
}
