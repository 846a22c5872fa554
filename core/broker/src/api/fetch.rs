//! `Fetch` (key 1), versions 4-18.
//!
//! Behaviour: reads the partitions in the order of the request until `max_bytes` are gathered; the first batch of the answer comes
//! whole however large it is. With fewer than `min_bytes` it waits, woken by the partitions, until there are enough, an error, or
//! `max_wait_ms` are over. Topics by name up to version 12, by id from 13.
//!
//! Notes: without sessions yet: a request for a new session is answered in full with session 0, which tells the client that there is
//! none; one for a session that is there gets `FETCH_SESSION_ID_NOT_FOUND`. `read_uncommitted` gets no list of aborted transactions.

mod gather;
mod wait;

use std::time::Duration;

use headwater_env::Env;
use headwater_protocol::{ErrorCode, FetchRequest, FetchResponse};
use tokio::time::Instant;

use crate::RequestContext;
use crate::state::State;
use gather::{Gathered, Plan};
use wait::Registration;

/// Answers the request.
///
/// # Panics
/// If it has to wait and is not polled inside a Tokio runtime with time.
pub(super) async fn handle<E: Env>(
    state: &State<E>,
    _context: &RequestContext,
    request: FetchRequest,
) -> FetchResponse {
    if request.session_id != 0 || request.session_epoch > 0 {
        return FetchResponse {
            error_code: ErrorCode::FetchSessionIdNotFound.code(),
            ..FetchResponse::default()
        };
    }
    let max_wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let min_bytes = usize::try_from(request.min_bytes).unwrap_or(0);
    let plan = Plan::new(state, request);
    let first = plan.gather(state);
    if max_wait.is_zero() || first.suffices(min_bytes) {
        return plan.respond(first);
    }
    let gathered = wait_for(state, &plan, min_bytes, Instant::now() + max_wait).await;
    plan.respond(gathered)
}

async fn wait_for<E: Env>(
    state: &State<E>,
    plan: &Plan<E>,
    min_bytes: usize,
    deadline: Instant,
) -> Gathered {
    let registration = Registration::new(plan.partitions());
    loop {
        // After registering, and after every wake-up, the partitions are looked at again: nothing is missed in between.
        let mark = registration.mark();
        let gathered = plan.gather(state);
        if gathered.suffices(min_bytes) {
            return gathered;
        }
        let missing = min_bytes - gathered.bytes;
        if registration.grown_since(mark, missing, deadline).await == wait::Outcome::TimedOut {
            return plan.gather(state);
        }
    }
}
