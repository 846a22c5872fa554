//! `InitProducerId` (key 22), versions 0-5.
//!
//! Behaviour: returns an unused producer id with epoch 0. Ids come from blocks of 1,000 that are reserved durably in
//! the metadata log, so ids are never reused after a crash.
//!
//! Notes: as in Kafka the id and epoch of an idempotent producer are not kept, and one without the other is
//! `INVALID_REQUEST`. There are no transactional producers yet; docs/decisions/refusing-transactions.md explains the
//! code.

use std::sync::Arc;

use headwater_env::Env;
use headwater_protocol::{ErrorCode, InitProducerIdRequest, InitProducerIdResponse};

use super::support::transactions;
use crate::RequestContext;
use crate::controller::Controller;

/// Handles the request.
pub(super) async fn handle<E: Env>(
    controller: &Arc<Controller<E>>,
    _context: &RequestContext,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    if request.transactional_id.is_some() {
        return refused(transactions::FATAL_FOR_PRODUCERS);
    }
    let has_half = (request.producer_id == -1) != (request.producer_epoch == -1);
    if has_half {
        return refused(ErrorCode::InvalidRequest);
    }
    match controller.next_producer_id().await {
        Ok(id) => InitProducerIdResponse {
            error_code: ErrorCode::None.code(),
            producer_id: id.get(),
            producer_epoch: 0,
            ..InitProducerIdResponse::default()
        },
        Err(error) => {
            tracing::error!(%error, "no producer id could be reserved");
            refused(error.code())
        }
    }
}

fn refused(code: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse {
        error_code: code.code(),
        producer_id: -1,
        producer_epoch: -1,
        ..InitProducerIdResponse::default()
    }
}
