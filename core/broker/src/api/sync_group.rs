//! `SyncGroup` (key 14), versions 0-5.
//!
//! Behaviour: the leader sends the assignments of all members; the other members wait for them. They are written to
//! `__consumer_offsets` before any response. In a stable group the response is not deferred.
//!
//! Notes: from version 5 on the request contains the protocol, which must be the group's.

use headwater_env::Env;
use headwater_protocol::{ErrorCode, SyncGroupRequest, SyncGroupResponse};

use crate::RequestContext;
use crate::groups::Groups;
use crate::groups::coordinator::PendingResponse;

/// The first version with the protocol.
const PROTOCOL_SINCE: i16 = 5;

/// Handles the request. Dropping the future stops the wait; the member stays until its session expires.
pub(super) async fn handle<E: Env>(
    groups: &Groups<E>,
    context: &RequestContext,
    request: SyncGroupRequest,
) -> SyncGroupResponse {
    match begin(groups, context, &request) {
        Ok(waiting) => waiting
            .await
            .unwrap_or_else(|_| refused(ErrorCode::CoordinatorNotAvailable)),
        Err(code) => refused(code),
    }
}

fn begin<E: Env>(
    groups: &Groups<E>,
    context: &RequestContext,
    request: &SyncGroupRequest,
) -> Result<PendingResponse<SyncGroupResponse>, ErrorCode> {
    if request.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    let names_protocol = request.protocol_type.is_some() && request.protocol_name.is_some();
    if context.is_at_least(PROTOCOL_SINCE) && !names_protocol {
        return Err(ErrorCode::InconsistentGroupProtocol);
    }
    groups.sync_group(request)
}

fn refused(code: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse {
        error_code: code.code(),
        ..SyncGroupResponse::default()
    }
}
