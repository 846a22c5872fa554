//! `Fetch` (key 1), versions 4-18.
//!
//! Behaviour: reads the partitions in the order of the request until `max_bytes` are gathered; the first batch of the answer comes
//! whole however large it is, and another partition whose first batch does not fit gives nothing. With fewer than `min_bytes` it waits,
//! woken by the partitions, until there are enough, an error, or `max_wait_ms` are over. Topics by name up to version 12, by id from 13.
//!
//! Notes: sessions (KIP-227, from version 7 on) are kept in `fetch_sessions`: a fetch in a session is read as the full fetch that it stands
//! for, and its answer is cut down to the news. `read_uncommitted` gets no list of aborted transactions. Clients before version 10 do not
//! know zstd: of a topic that stores with it they get `UNSUPPORTED_COMPRESSION_TYPE`.

mod gather;
mod wait;

use std::time::Duration;

use headwater_env::Env;
use headwater_protocol::fetch_response::FetchableTopicResponse;
use headwater_protocol::{ErrorCode, FetchRequest, FetchResponse};
use tokio::time::Instant;

use crate::RequestContext;
use crate::fetch_sessions::Naming;
use crate::random::random_u32;
use crate::state::State;
use gather::{Gathered, Plan};
use wait::Registration;

/// From this version on topics are named by their ids alone.
const TOPIC_IDS_SINCE: i16 = 13;

/// Answers the request.
///
/// # Panics
/// If it has to wait and is not polled inside a Tokio runtime with time.
pub(super) async fn handle<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    mut request: FetchRequest,
) -> FetchResponse {
    let naming = if context.is_at_least(TOPIC_IDS_SINCE) {
        Naming::Ids
    } else {
        Naming::Names
    };
    let clock = || state.env.monotonic();
    let sessions = &state.fetch_sessions;
    let answering = match sessions.begin(&mut request, naming, clock) {
        Ok(answering) => answering,
        Err(code) => return refused(code),
    };
    let responses = full_answer(state, context, request).await;
    match sessions.finish(answering, responses, clock, || random_u32(&state.env)) {
        Ok(told) => FetchResponse {
            session_id: told.session_id,
            responses: told.responses,
            ..FetchResponse::default()
        },
        Err(code) => refused(code),
    }
}

fn refused(code: ErrorCode) -> FetchResponse {
    FetchResponse {
        error_code: code.code(),
        ..FetchResponse::default()
    }
}

async fn full_answer<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    request: FetchRequest,
) -> Vec<FetchableTopicResponse> {
    let max_wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let min_bytes = usize::try_from(request.min_bytes).unwrap_or(0);
    let plan = Plan::new(state, context, request);
    let first = plan.gather(state);
    if max_wait.is_zero() || first.suffices(min_bytes) {
        return plan.respond(first);
    }
    let gathered = wait_for(state, &plan, min_bytes, Instant::now() + max_wait).await;
    plan.respond(gathered)
}

async fn wait_for<E: Env>(
    state: &State<E>,
    plan: &Plan<'_, E>,
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
