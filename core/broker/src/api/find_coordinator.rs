//! `FindCoordinator` (key 10), versions 0-6.
//!
//! Behaviour: this broker coordinates every group and every transactional id. Asking for the coordinator of a group makes
//! `__consumer_offsets`, if it is not there. From version 4 on many keys are asked for at once, and each has its own answer.
//!
//! Notes: share groups (key type 2) are not served: `INVALID_REQUEST`.

use headwater_env::Env;
use headwater_protocol::find_coordinator_response::Coordinator;
use headwater_protocol::{ErrorCode, FindCoordinatorRequest, FindCoordinatorResponse, Str};

use crate::RequestContext;
use crate::state::State;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
/// The first version with many keys.
const BATCHED: i16 = 4;

/// Answers the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let found = match request.key_type {
        GROUP => state.ensure_coordinators(),
        TRANSACTION => Ok(()),
        _ => Err(ErrorCode::InvalidRequest),
    };
    if context.is_at_least(BATCHED) {
        let keys = request.coordinator_keys.into_iter();
        return FindCoordinatorResponse {
            coordinators: keys
                .map(|key| coordinator(state, context, key, found))
                .collect(),
            ..FindCoordinatorResponse::default()
        };
    }
    let found = coordinator(state, context, request.key, found);
    FindCoordinatorResponse {
        error_code: found.error_code,
        error_message: found.error_message,
        node_id: found.node_id,
        host: found.host,
        port: found.port,
        ..FindCoordinatorResponse::default()
    }
}

fn coordinator<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    key: Str,
    found: Result<(), ErrorCode>,
) -> Coordinator {
    match found {
        Ok(()) => Coordinator {
            key,
            node_id: state.node_id,
            host: (&*context.listener.host).into(),
            port: i32::from(context.listener.port),
            error_code: ErrorCode::None.code(),
            ..Coordinator::default()
        },
        Err(code) => Coordinator {
            key,
            node_id: -1,
            port: -1,
            error_code: code.code(),
            error_message: Some(code.message().into()),
            ..Coordinator::default()
        },
    }
}
