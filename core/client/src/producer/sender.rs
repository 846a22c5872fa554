//! The sender of one broker: sends requests with the next batch of each partition that the broker leads.
//!
//! A sender has no task of its own. The thread that closes a batch builds the request and polls it once, so that in
//! process a batch is written in the caller's thread. The response to a request that has to wait starts a task.
//!
//! Order: the thread that takes a batch of a partition has the claim of its queue until the request is polled for the
//! first time, which passes it to the transport. So the transport gets the batches of a partition in the order in which
//! they were taken.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use headwater_protocol::ProduceResponse;
use parking_lot::Mutex;

use super::batch::shut_down;
use super::context::ProducerContext;
use super::partition_queue::{PartitionLeader, PartitionQueue};
use super::produce_answer::ProduceAnswers;
use super::produce_request::{RequestPart, produce_request};
use super::queue_sending::{Listing, NotTaken, RefusedBatch};
use super::recovery;
use super::spawn_on_wake::SpawnOnWake;
use crate::error::Result;
use crate::transport::Node;

/// The sender of one broker. May be used concurrently.
#[derive(Debug)]
pub(super) struct Sender {
    node: i32,
    state: Mutex<SenderState>,
}

#[derive(Debug, Default)]
struct SenderState {
    /// The number of requests without a response: at most `max.in.flight.requests.per.connection`.
    in_flight: usize,
    /// Queues that may have a batch for the next request.
    listed: VecDeque<Arc<PartitionQueue>>,
}

/// Sends the closed batches of `queue` as far as possible without waiting. Tasks send the others.
pub(super) fn drain(queue: &Arc<PartitionQueue>) {
    if let Some(sender) = sender_of(queue) {
        sender.send(&queue.context, Some(queue));
    }
}

/// [`drain`] for several queues of one producer: a request contains the batches of all partitions that its broker
/// leads.
pub(super) fn drain_all(queues: &[Arc<PartitionQueue>]) {
    let mut senders: Vec<Arc<Sender>> = Vec::new();
    for queue in queues {
        if let Some(sender) = sender_of(queue) {
            sender.list(queue);
            if !senders.iter().any(|known| Arc::ptr_eq(known, &sender)) {
                senders.push(sender);
            }
        }
    }
    if let Some(queue) = queues.first() {
        for sender in senders {
            sender.send(&queue.context, None);
        }
    }
}

/// The sender for the next batch of the queue. `None` if there is nothing to send, or if the leader or the producer id
/// must be requested first; then this starts the request.
fn sender_of(queue: &Arc<PartitionQueue>) -> Option<Arc<Sender>> {
    if !queue.needs_sending() {
        return None;
    }
    let context = &queue.context;
    if context.config.idempotent && context.identity.current().is_none() {
        recovery::prepare(queue);
        return None;
    }
    let topic = context.cluster.cached_topic(&queue.topic);
    let leader = topic.and_then(|topic| {
        let node = topic.leader(queue.partition).ok().flatten()?;
        Some(PartitionLeader { node, topic })
    });
    let Some(leader) = leader else {
        recovery::prepare(queue);
        return None;
    };
    let sender = context.senders.of(leader.node);
    queue.set_leader(leader);
    Some(sender)
}

impl Sender {
    pub(super) fn new(node: i32) -> Self {
        Self {
            node,
            state: Mutex::default(),
        }
    }

    /// Sends the batches of `first` and of the listed queues until nothing may be sent, or enough requests are in
    /// flight.
    pub(super) fn send(
        self: &Arc<Self>,
        context: &Arc<ProducerContext>,
        first: Option<&Arc<PartitionQueue>>,
    ) {
        let runtime = context.cluster.runtime();
        let mut entered = None;
        while let Some(request) = self.next_request(context, first) {
            // The transport's timers need the runtime's context, which this thread may not have.
            entered.get_or_insert_with(|| runtime.enter());
            request.start();
        }
    }

    /// Takes the batches of the next request, at most one of each partition and `max.request.size` bytes in total.
    fn next_request(
        self: &Arc<Self>,
        context: &Arc<ProducerContext>,
        first: Option<&Arc<PartitionQueue>>,
    ) -> Option<InFlightRequest> {
        let mut request = RequestBuilder {
            node: self.node,
            room: context.config.max_request_bytes,
            parts: Vec::new(),
            without_producer_id: Vec::new(),
        };
        let mut state = self.state.lock();
        if state.in_flight >= context.config.max_in_flight {
            if let Some(first) = first
                && first.list_at(self.node) == Listing::Add
            {
                state.listed.push_back(Arc::clone(first));
            }
            context.expiry.watch();
            return None;
        }
        if let Some(first) = first
            && request.add(first) == Added::NoRoom
        {
            state.listed.push_back(Arc::clone(first));
        }
        for _ in 0..state.listed.len() {
            let Some(queue) = state.listed.pop_front() else {
                break;
            };
            if request.add(&queue) == Added::NoRoom {
                state.listed.push_front(queue);
                break;
            }
        }
        state.in_flight += usize::from(!request.parts.is_empty());
        drop(state);
        for queue in &request.without_producer_id {
            recovery::prepare_in_background(queue);
        }
        (!request.parts.is_empty()).then(|| InFlightRequest {
            sender: Arc::clone(self),
            context: Arc::clone(context),
            parts: request.parts,
            has_claims: true,
        })
    }

    /// Lists the queue for the next request, unless it is listed or has nothing to send.
    fn list(&self, queue: &Arc<PartitionQueue>) {
        if queue.list_at(self.node) == Listing::Add {
            self.state.lock().listed.push_back(Arc::clone(queue));
        }
    }

    /// Fails all batches of listed queues, because they can no longer be sent.
    fn give_up_listed(&self) {
        let listed = std::mem::take(&mut self.state.lock().listed);
        for queue in listed {
            recovery::give_up(&queue);
        }
    }
}

/// The batches of the next request.
struct RequestBuilder {
    node: i32,
    /// The remaining bytes of `max.request.size`.
    room: usize,
    parts: Vec<RequestPart>,
    without_producer_id: Vec<Arc<PartitionQueue>>,
}

/// The result of taking a batch from a queue.
#[derive(Debug, PartialEq, Eq)]
enum Added {
    /// The request is full; the queue stays listed.
    NoRoom,
    /// The batch is in the request, or no batch may be sent.
    Done,
}

impl RequestBuilder {
    fn add(&mut self, queue: &Arc<PartitionQueue>) -> Added {
        let room = (!self.parts.is_empty()).then_some(self.room);
        match queue.take(self.node, room) {
            Ok((batch, leader)) => {
                let part = RequestPart::new(Arc::clone(queue), batch, leader);
                self.room = self.room.saturating_sub(part.size_bound());
                self.parts.push(part);
                Added::Done
            }
            Err(NotTaken::NoRoom) => Added::NoRoom,
            Err(NotTaken::NoProducerId) => {
                self.without_producer_id.push(Arc::clone(queue));
                Added::Done
            }
            Err(NotTaken::Nothing) => Added::Done,
        }
    }
}

/// A request with its batches. Dropping it without a response, as on a shutdown of the runtime, fails them.
struct InFlightRequest {
    sender: Arc<Sender>,
    context: Arc<ProducerContext>,
    parts: Vec<RequestPart>,
    /// Whether the queues of `parts` are claimed.
    has_claims: bool,
}

impl InFlightRequest {
    /// Sends the request. If the response is not ready at once, it starts a task when it arrives.
    fn start(mut self) {
        self.encode();
        if self.parts.is_empty() {
            return;
        }
        let request = produce_request(&self.context, &mut self.parts);
        let context = Arc::clone(&self.context);
        let node = Node::Id(self.sender.node);
        let mut call = Box::pin(async move { context.cluster.call(node, request).await });
        let spawn = SpawnOnWake::new(self.context.cluster.runtime().clone());
        match call.as_mut().poll(&mut Context::from_waker(&spawn.waker())) {
            Poll::Ready(response) => self.answer(response),
            Poll::Pending => {
                self.release_claims();
                self.context.expiry.watch();
                spawn.set(async move {
                    let (sender, context) = (Arc::clone(&self.sender), Arc::clone(&self.context));
                    self.answer(call.await);
                    sender.send(&context, None);
                });
            }
        }
    }

    /// Encodes the batches. Fails those that cannot be encoded.
    fn encode(&mut self) {
        let mut index = 0;
        while let Some(part) = self.parts.get_mut(index) {
            match part.encode() {
                Ok(()) => index += 1,
                Err(error) => {
                    let part = self.parts.swap_remove(index);
                    part.queue.give_up(part.order, error.into());
                    self.release(&part.queue);
                }
            }
        }
    }

    /// Completes, fails or requeues the batches.
    fn answer(mut self, response: Result<ProduceResponse>) {
        let failed_at = Instant::now();
        let answers = ProduceAnswers::new(response, self.context.config.acks);
        while let Some(part) = self.parts.pop() {
            let queue = &part.queue;
            match answers.of_partition(&part.topic, queue.partition) {
                Ok(result) => queue.written(part.order, result),
                Err(failure) => {
                    let refused = RefusedBatch {
                        order: part.order,
                        bytes: part.bytes(),
                        topic: Arc::clone(&part.topic),
                        failed_at,
                    };
                    queue.refused(refused, failure);
                }
            }
            self.release(queue);
        }
    }

    /// Releases the claims, after the transport has got the request: others may take the next batches of its queues.
    fn release_claims(&mut self) {
        for part in &self.parts {
            self.release(&part.queue);
        }
        self.has_claims = false;
    }

    /// Releases the claim of a queue. If the queue has more to send, its leader's sender will send it.
    fn release(&self, queue: &Arc<PartitionQueue>) {
        let sender = &self.sender;
        let listing = if self.has_claims {
            queue.release_claim(sender.node)
        } else {
            queue.list_at(sender.node)
        };
        match listing {
            Listing::Add => sender.state.lock().listed.push_back(Arc::clone(queue)),
            Listing::OtherLeader => recovery::prepare_in_background(queue),
            Listing::NotNeeded => {}
        }
    }
}

impl Drop for InFlightRequest {
    fn drop(&mut self) {
        self.sender.state.lock().in_flight -= 1;
        if self.parts.is_empty() {
            return;
        }
        for part in std::mem::take(&mut self.parts) {
            if self.has_claims {
                part.queue.release_claim(self.sender.node);
            }
            part.queue.give_up(part.order, shut_down().into());
            recovery::give_up(&part.queue);
        }
        self.sender.give_up_listed();
    }
}
