//! `FindCoordinator` (key 10), versions 0-6.
//!
//! Behaviour: this broker coordinates every group. A lookup for a group creates `__consumer_offsets` if it does not
//! exist. From version 4 on a request has many keys, each with its own result.
//!
//! Notes: there is no transaction coordinator yet; docs/decisions/refusing-transactions.md explains the code. Share
//! groups (key type 2) are `INVALID_REQUEST`. Failed storage is `UNKNOWN_SERVER_ERROR`, because clients retry after
//! `KAFKA_STORAGE_ERROR`.

use headwater_env::Env;
use headwater_metadata::NodeId;
use headwater_protocol::find_coordinator_response::Coordinator;
use headwater_protocol::{ErrorCode, FindCoordinatorRequest, FindCoordinatorResponse, Str};

use super::support::errors::Refusal;
use super::support::transactions;
use crate::RequestContext;
use crate::controller::Controller;
use crate::groups::Groups;

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
/// The first version with many keys.
const BATCHED_SINCE: i16 = 4;

/// Handles the request.
pub(super) async fn handle<E: Env>(
    controller: &Controller<E>,
    groups: &Groups<E>,
    context: &RequestContext,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let found = find(groups, context, request.key_type).await;
    if context.is_at_least(BATCHED_SINCE) {
        let keys = request.coordinator_keys.into_iter();
        return FindCoordinatorResponse {
            coordinators: keys
                .map(|key| coordinator(controller.node.id, context, key, &found))
                .collect(),
            ..FindCoordinatorResponse::default()
        };
    }
    let found = coordinator(controller.node.id, context, request.key, &found);
    FindCoordinatorResponse {
        error_code: found.error_code,
        error_message: found.error_message,
        node_id: found.node_id,
        host: found.host,
        port: found.port,
        ..FindCoordinatorResponse::default()
    }
}

async fn find<E: Env>(
    groups: &Groups<E>,
    context: &RequestContext,
    key_type: i8,
) -> Result<(), Refusal> {
    match key_type {
        GROUP => groups.ensure_coordinators().await.map_err(|refusal| {
            let code = match refusal.code {
                ErrorCode::KafkaStorageError => ErrorCode::UnknownServerError,
                code => code,
            };
            Refusal::new(code, refusal.message)
        }),
        // The Java client uses these versions; it shows the message with this code and hides it with the other.
        TRANSACTION if context.is_at_least(BATCHED_SINCE) => {
            Err(transactions::refused(ErrorCode::UnsupportedVersion))
        }
        TRANSACTION => Err(transactions::refused(transactions::FATAL_FOR_PRODUCERS)),
        other => {
            let message = format!("keys of type {other} have no coordinator here: use 0 (group)");
            Err(Refusal::new(ErrorCode::InvalidRequest, message))
        }
    }
}

fn coordinator(
    node_id: NodeId,
    context: &RequestContext,
    key: Str,
    found: &Result<(), Refusal>,
) -> Coordinator {
    match found {
        Ok(()) => Coordinator {
            key,
            node_id,
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
