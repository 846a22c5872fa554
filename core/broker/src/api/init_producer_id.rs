//! `InitProducerId` (key 22), versions 0-5.
//!
//! Behaviour: gives an idempotent producer an id that nobody had before, with epoch 0. Ids come from blocks of 1,000 that the metadata
//! log reserves durably, so a crash never gives one out twice.
//!
//! Notes: as in Kafka an id and epoch that an idempotent producer already has are not kept, and one without the other is
//! `INVALID_REQUEST`. Transactional producers are not served yet; see
//! docs/decisions/refusing-transactions.md for the code.

use headwater_env::Env;
use headwater_protocol::{ErrorCode, InitProducerIdRequest, InitProducerIdResponse};

use super::transactions;
use crate::RequestContext;
use crate::state::State;

/// Answers the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
    _context: &RequestContext,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    if request.transactional_id.is_some() {
        return refused(transactions::STOPS_PRODUCERS);
    }
    let has_half = (request.producer_id == -1) != (request.producer_epoch == -1);
    if has_half {
        return refused(ErrorCode::InvalidRequest);
    }
    match state.controller.lock().next_producer_id(state) {
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
