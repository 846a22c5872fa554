//! `DeleteGroups` (key 42), versions 0-2.
//!
//! Behaviour: deletes groups without members, with their offsets, once that is written. `NON_EMPTY_GROUP` for one that has members.

use headwater_env::Env;
use headwater_protocol::delete_groups_response::DeletableGroupResult;
use headwater_protocol::{DeleteGroupsRequest, DeleteGroupsResponse, ErrorCode};

use crate::RequestContext;
use crate::state::State;

/// Answers the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
    _context: &RequestContext,
    request: DeleteGroupsRequest,
) -> DeleteGroupsResponse {
    let results = request.groups_names.into_iter().map(|group_id| {
        let deleted = state.delete_group(&group_id);
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
