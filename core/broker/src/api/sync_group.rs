//! `SyncGroup` (key 14), versions 0-5.
//!
//! Behaviour: the leader brings the assignments of all members; the others wait for it. Nobody gets one before it is written to
//! `__consumer_offsets`. In a stable group the answer comes at once.
//!
//! Notes: from version 5 on a member says which protocol it means, and it must be the group's.

use headwater_env::Env;
use headwater_protocol::{ErrorCode, SyncGroupRequest, SyncGroupResponse};

use crate::RequestContext;
use crate::groups::Waiting;
use crate::state::State;

/// The first version that names the protocol.
const NAMES_PROTOCOL: i16 = 5;

/// Answers the request. Dropping the future gives up waiting; the member stays until its session ends.
pub(super) async fn handle<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    request: SyncGroupRequest,
) -> SyncGroupResponse {
    match begin(state, context, &request) {
        Ok(waiting) => waiting
            .await
            .unwrap_or_else(|_| refused(ErrorCode::CoordinatorNotAvailable)),
        Err(code) => refused(code),
    }
}

fn begin<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    request: &SyncGroupRequest,
) -> Result<Waiting<SyncGroupResponse>, ErrorCode> {
    if request.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    let names_protocol = request.protocol_type.is_some() && request.protocol_name.is_some();
    if context.is_at_least(NAMES_PROTOCOL) && !names_protocol {
        return Err(ErrorCode::InconsistentGroupProtocol);
    }
    state.sync_group(request)
}

fn refused(code: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse {
        error_code: code.code(),
        ..SyncGroupResponse::default()
    }
}
