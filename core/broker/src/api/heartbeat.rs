//! `Heartbeat` (key 12), versions 0-4.
//!
//! Behaviour: keeps a member of a classic group alive. `REBALANCE_IN_PROGRESS` asks it to join again; `UNKNOWN_MEMBER_ID`,
//! `ILLEGAL_GENERATION` and `FENCED_INSTANCE_ID` tell it that it is no member of this generation.

use headwater_env::Env;
use headwater_protocol::{ErrorCode, HeartbeatRequest, HeartbeatResponse};

use crate::RequestContext;
use crate::state::State;

/// Answers the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
    _context: &RequestContext,
    request: HeartbeatRequest,
) -> HeartbeatResponse {
    let result = if request.group_id.is_empty() {
        Err(ErrorCode::InvalidGroupId)
    } else {
        state.heartbeat(&request)
    };
    HeartbeatResponse {
        error_code: result.err().unwrap_or(ErrorCode::None).code(),
        ..HeartbeatResponse::default()
    }
}
