//! `DeleteGroups` (key 42), versions 0-2.
//!
//! Behaviour: deletes groups without members, and their offsets; the deletion is written before the response. A group
//! with members is `NON_EMPTY_GROUP`.

use headwater_env::Env;
use headwater_protocol::delete_groups_response::DeletableGroupResult;
use headwater_protocol::{DeleteGroupsRequest, DeleteGroupsResponse, ErrorCode};

use crate::RequestContext;
use crate::groups::Groups;

/// Handles the request.
pub(super) fn handle<E: Env>(
    groups: &Groups<E>,
    _context: &RequestContext,
    request: DeleteGroupsRequest,
) -> DeleteGroupsResponse {
    let results = request.groups_names.into_iter().map(|group_id| {
        let deleted = groups.delete_group(&group_id);
        DeletableGroupResult {
            group_id,
            error_code: deleted.err().unwrap_or(ErrorCode::None).code(),
            ..DeletableGroupResult::default()
        }
    });
    DeleteGroupsResponse {
        results: results.collect(),
        ..DeleteGroupsResponse::default()
    }
}
