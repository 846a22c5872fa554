//! `Heartbeat` (key 12), versions 0-4.
//!
//! Behaviour: extends the session of a member of a classic group. `REBALANCE_IN_PROGRESS` makes the member join again;
//! `UNKNOWN_MEMBER_ID`, `ILLEGAL_GENERATION` and `FENCED_INSTANCE_ID` mean that it is not a member of this generation.

use headwater_env::Env;
use headwater_protocol::{ErrorCode, HeartbeatRequest, HeartbeatResponse};

use crate::RequestContext;
use crate::groups::Groups;

/// Handles the request.
pub(super) fn handle<E: Env>(
    groups: &Groups<E>,
    _context: &RequestContext,
    request: HeartbeatRequest,
) -> HeartbeatResponse {
    let result = if request.group_id.is_empty() {
        Err(ErrorCode::InvalidGroupId)
    } else {
        groups.heartbeat(&request)
    };
    HeartbeatResponse {
        error_code: result.err().unwrap_or(ErrorCode::None).code(),
        ..HeartbeatResponse::default()
    }
}
