//! `Produce` (key 0), versions 3-13 (0-2 are advertised for old librdkafka and answered as unsupported).
//!
//! Behaviour: each partition stands for itself. Bytes are validated before any lock is taken; the log checks producer sequences and
//! answers a batch that it has already with the offsets of then. Topics by name up to version 12, by id from 13. Requests that a client
//! has on the way at the same time are appended together where they go together; the answers are those of one after the other.
//!
//! Notes: `acks=0` computes a response too, which the network layer drops. With one broker `acks=all` is `acks=1` plus the check of
//! `min.insync.replicas`; a topic with `flush.messages=1` is answered after its fsync either way. Transactions are not served yet.

mod accept;
mod answer;
mod append;

use headwater_env::Env;
use headwater_protocol::{ProduceRequest, ProduceResponse};

use crate::RequestContext;
use crate::state::State;
use accept::{Accepted, accept};
use append::append_all;

/// So many bytes of accepted batches are appended before more requests are looked at: recompressed they may be longer than what arrived.
const BYTES_MAX: usize = 1024 * 1024;

/// Where in the answers something belongs.
#[derive(Debug, Clone, Copy)]
struct Place {
    request: usize,
    topic: usize,
    partition: usize,
}

/// Answers one request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    request: ProduceRequest,
) -> ProduceResponse {
    handle_run(state, context, vec![request]).remove(0)
}

/// Answers requests that came one after the other.
pub(crate) fn handle_run<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    requests: Vec<ProduceRequest>,
) -> Vec<ProduceResponse> {
    let mut responses = Vec::with_capacity(requests.len());
    let mut accepted = Vec::with_capacity(requests.len());
    for request in requests {
        let number = responses.len();
        responses.push(accept(state, context, number, request, &mut accepted));
        let bytes = accepted.iter().map(|one| one.batches.size_in_bytes());
        if bytes.sum::<usize>() >= BYTES_MAX {
            settle(
                state,
                context,
                std::mem::take(&mut accepted),
                &mut responses,
            );
        }
    }
    settle(state, context, accepted, &mut responses);
    responses
}

/// Appends what was accepted, and answers.
fn settle<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    accepted: Vec<Accepted<E>>,
    responses: &mut [ProduceResponse],
) {
    for (place, partition, appended) in append_all(state, accepted) {
        let topic = &mut responses[place.request].responses[place.topic];
        let response = &mut topic.partition_responses[place.partition];
        *response = match appended {
            Ok(appended) => answer::appended(response.index, appended),
            Err(error) => {
                // Whatever failed, this may be why; then nothing more is tried.
                let _ = state.check_files();
                answer::not_appended(state, context, &partition, &error)
            }
        };
    }
}
