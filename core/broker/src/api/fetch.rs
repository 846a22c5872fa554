//! `Fetch` (key 1), versions 4-18.
//!
//! Behaviour: reads the partitions in the order of the request until `max_bytes` are reached. The first batch of the
//! response is returned whole, even if it is larger; partitions whose first batch does not fit return nothing. With
//! fewer than `min_bytes` the fetch waits until the partitions have grown enough, one of them fails, or `max_wait_ms`
//! have passed. Topics are given by name up to version 12, by id from 13.
//!
//! Notes: fetch sessions (KIP-227, from version 7 on) are in `fetch_sessions`: an incremental fetch is expanded to a
//! full fetch, and its response is reduced to the changed partitions. `read_uncommitted` gets no list of aborted
//! transactions. Clients before version 10 do not support zstd and get `UNSUPPORTED_COMPRESSION_TYPE` for topics that
//! use it.

mod gather;
mod wait;

use std::time::Duration;

use headwater_env::Env;
use headwater_protocol::fetch_response::FetchableTopicResponse;
use headwater_protocol::{ErrorCode, FetchRequest, FetchResponse};
use tokio::time::Instant;

use crate::RequestContext;
use crate::controller::Controller;
use crate::fetch_sessions::{FetchSessions, TopicReference};
use crate::partitions::Partitions;
use crate::random::random_u32;
use gather::{FetchPlan, FetchedPartitions};
use wait::Registration;

/// The first version with topic ids instead of names.
const TOPIC_IDS_SINCE: i16 = 13;

/// Handles the request.
///
/// # Panics
/// If it has to wait and is not polled in a Tokio runtime with time enabled.
pub(super) async fn handle<E: Env>(
    partitions: &Partitions<E>,
    controller: &Controller<E>,
    fetch_sessions: &FetchSessions,
    context: &RequestContext,
    mut request: FetchRequest,
) -> FetchResponse {
    let topic_reference = if context.is_at_least(TOPIC_IDS_SINCE) {
        TopicReference::Ids
    } else {
        TopicReference::Names
    };
    let clock = || partitions.env.monotonic();
    let mode = match fetch_sessions.begin(&mut request, topic_reference, clock) {
        Ok(mode) => mode,
        Err(code) => return refused(code),
    };
    let responses = full_answer(partitions, controller, context, request).await;
    match fetch_sessions.finish(mode, responses, clock, || random_u32(&partitions.env)) {
        Ok(session) => FetchResponse {
            session_id: session.session_id,
            responses: session.responses,
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
    partitions: &Partitions<E>,
    controller: &Controller<E>,
    context: &RequestContext,
    request: FetchRequest,
) -> Vec<FetchableTopicResponse> {
    let max_wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let min_bytes = usize::try_from(request.min_bytes).unwrap_or(0);
    let plan = FetchPlan::new((partitions, controller), context, request);
    let first = plan.gather();
    if max_wait.is_zero() || first.can_respond(min_bytes) {
        return plan.respond(first);
    }
    let fetched = wait_for(&plan, min_bytes, Instant::now() + max_wait).await;
    plan.respond(fetched)
}

async fn wait_for<E: Env>(
    plan: &FetchPlan<'_, E>,
    min_bytes: usize,
    deadline: Instant,
) -> FetchedPartitions {
    let registration = Registration::new(plan.partitions());
    loop {
        // Read again after registering and after each wake-up, so that no append is missed.
        let mark = registration.mark();
        let fetched = plan.gather();
        if fetched.can_respond(min_bytes) {
            return fetched;
        }
        let missing = min_bytes - fetched.bytes;
        if registration.grown_since(mark, missing, deadline).await == wait::WaitResult::TimedOut {
            return plan.gather();
        }
    }
}
