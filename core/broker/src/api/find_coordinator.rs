//! `FindCoordinator` (key 10), versions 0-6.
//!
//! Behaviour: this broker coordinates every group. Asking for the coordinator of a group makes `__consumer_offsets`, if it is not there.
//! From version 4 on many keys are asked for at once, and each has its own answer.
//!
//! Notes: nobody coordinates transactions yet; see docs/decisions/refusing-transactions.md for the code. Share groups (key type 2) are not
//! served: `INVALID_REQUEST`. Storage that fails is `UNKNOWN_SERVER_ERROR` here, because clients go on asking after
//! `KAFKA_STORAGE_ERROR`.

use headwater_env::Env;
use headwater_protocol::find_coordinator_response::Coordinator;
use headwater_protocol::{ErrorCode, FindCoordinatorRequest, FindCoordinatorResponse, Str};

use super::errors::Refusal;
use super::transactions;
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
    let found = find(state, context, request.key_type);
    if context.is_at_least(BATCHED) {
        let keys = request.coordinator_keys.into_iter();
        return FindCoordinatorResponse {
            coordinators: keys
                .map(|key| coordinator(state, context, key, &found))
                .collect(),
            ..FindCoordinatorResponse::default()
        };
    }
    let found = coordinator(state, context, request.key, &found);
    FindCoordinatorResponse {
        error_code: found.error_code,
        error_message: found.error_message,
        node_id: found.node_id,
        host: found.host,
        port: found.port,
        ..FindCoordinatorResponse::default()
    }
}

fn find<E: Env>(state: &State<E>, context: &RequestContext, key_type: i8) -> Result<(), Refusal> {
    match key_type {
        GROUP => state.ensure_coordinators().map_err(|refusal| {
            let code = match refusal.code {
                ErrorCode::KafkaStorageError => ErrorCode::UnknownServerError,
                code => code,
            };
            Refusal::new(code, refusal.message)
        }),
        // Java, which asks in these versions, shows the sentence with this code and hides it with the other.
        TRANSACTION if context.is_at_least(BATCHED) => {
            Err(transactions::refused(ErrorCode::UnsupportedVersion))
        }
        TRANSACTION => Err(transactions::refused(transactions::STOPS_PRODUCERS)),
        other => {
            let message = format!("nobody coordinates keys of type {other}: ask for a group (0)");
            Err(Refusal::new(ErrorCode::InvalidRequest, message))
        }
    }
}

fn coordinator<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    key: Str,
    found: &Result<(), Refusal>,
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
        Err(refusal) => Coordinator {
            key,
            node_id: -1,
            port: -1,
            error_code: refusal.code.code(),
            error_message: Some(refusal.message.clone().into()),
            ..Coordinator::default()
        },
    }
}
