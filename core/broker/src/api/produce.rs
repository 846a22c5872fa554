//! `Produce` (key 0), versions 3-13 (0-2 are advertised for old librdkafka and answered as unsupported).
//!
//! Behaviour: partitions are independent of each other. Bytes are validated before any lock is taken. The log checks
//! producer sequences and answers a duplicate batch with its original offsets. Topics are given by name up to version
//! 12, by id from 13. Requests that a client has in flight are appended together where possible; the responses are
//! those of one request after the other.
//!
//! Notes: `acks=0` computes a response too, which the network layer drops. With one broker `acks=all` is `acks=1` plus
//! the check of `min.insync.replicas`; a topic with `flush.messages=1` is answered after its fsync either way. There
//! are no transactions yet.

mod accept;
mod answer;
mod append;

use std::sync::Arc;

use headwater_env::Env;
use headwater_protocol::{ProduceRequest, ProduceResponse};

use crate::RequestContext;
use crate::controller::Controller;
use crate::directory_watch::DirectoryWatch;
use crate::memory::RequestMemory;
use crate::partitions::Partitions;
use crate::storage::Storage;
use accept::{AcceptedBatches, accept};
use append::append_all;

/// The bytes of batches that are appended before more requests are accepted. Recompressed batches may be larger than
/// the request.
const BYTES_MAX: usize = 1024 * 1024;

/// The components that appends need.
#[derive(Debug)]
pub(crate) struct Components<'a, E: Env> {
    pub(crate) partitions: &'a Partitions<E>,
    pub(crate) storage: &'a Storage<E>,
    pub(crate) controller: &'a Controller<E>,
    pub(crate) memory: &'a Arc<RequestMemory>,
    pub(crate) directory_watch: &'a DirectoryWatch<E>,
}

/// The position of a partition in the responses.
#[derive(Debug, Clone, Copy)]
struct PartitionSlot {
    request: usize,
    topic: usize,
    partition: usize,
}

/// Handles one request.
pub(super) fn handle<E: Env>(
    partitions: &Partitions<E>,
    storage: &Storage<E>,
    controller: &Controller<E>,
    memory: &Arc<RequestMemory>,
    directory_watch: &DirectoryWatch<E>,
    context: &RequestContext,
    request: ProduceRequest,
) -> ProduceResponse {
    let components = Components {
        partitions,
        storage,
        controller,
        memory,
        directory_watch,
    };
    handle_run(&components, context, vec![request]).remove(0)
}

/// Handles requests that arrived together, in order.
pub(crate) fn handle_run<E: Env>(
    components: &Components<'_, E>,
    context: &RequestContext,
    requests: Vec<ProduceRequest>,
) -> Vec<ProduceResponse> {
    let mut responses = Vec::with_capacity(requests.len());
    let mut accepted = Vec::with_capacity(requests.len());
    for request in requests {
        let number = responses.len();
        responses.push(accept(components, context, number, request, &mut accepted));
        let bytes = accepted.iter().map(|one| one.batches.size_in_bytes());
        if bytes.sum::<usize>() >= BYTES_MAX {
            settle(
                components,
                context,
                std::mem::take(&mut accepted),
                &mut responses,
            );
        }
    }
    settle(components, context, accepted, &mut responses);
    responses
}

/// Appends the accepted batches and completes the responses.
fn settle<E: Env>(
    components: &Components<'_, E>,
    context: &RequestContext,
    accepted: Vec<AcceptedBatches<E>>,
    responses: &mut [ProduceResponse],
) {
    for (slot, partition, appended) in append_all(components.storage, accepted) {
        let topic = &mut responses[slot.request].responses[slot.topic];
        let response = &mut topic.partition_responses[slot.partition];
        *response = match appended {
            Ok(appended) => answer::appended(response.index, appended),
            Err(error) => {
                // If the files have been moved or deleted, this check closes the broker.
                let _ = components.directory_watch.check_files();
                answer::not_appended(components, context, &partition, &error)
            }
        };
    }
}
