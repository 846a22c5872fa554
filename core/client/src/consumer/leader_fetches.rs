//! Fetches in flight, at most one per node, so that an idle node does not delay the records of another.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hashbrown::HashMap;
use headwater_protocol::{FetchRequest, FetchResponse, Str};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::batch::TopicPartition;
use crate::cluster::Cluster;
use crate::config::RetryConfig;
use crate::error::Result;
use crate::fetch::{
    self, FetchLimits, FetchSession, FetchTarget, NodeTargets, PartitionAnswer, Validation,
};
use crate::isolation::IsolationLevel;
use crate::mutants::{self, Mutant};
use crate::transport::Node;

/// The time that a close waits for nodes to close their fetch sessions. A broker evicts open sessions when it needs the
/// space.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// The fetches of one consumer. They survive the call that sent them, so a cancelled call loses no response.
#[derive(Debug)]
pub(super) struct LeaderFetches {
    in_flight: Vec<NodeFetch>,
    /// The fetch session with each node.
    sessions: BTreeMap<i32, FetchSession>,
    /// Failed nodes, and the times of their next attempts.
    backoffs: BTreeMap<i32, Backoff>,
    /// The generation of the metadata from which the nodes were taken.
    generation: u64,
    /// `client.rack`
    rack_id: Str,
}

struct NodeFetch {
    targets: Arc<NodeTargets>,
    by_partition: HashMap<TopicPartition, FetchTarget>,
    isolation: IsolationLevel,
    /// Never contended: the mutex only makes the consumer `Sync`.
    response: Mutex<ResponseFuture>,
}

type ResponseFuture = Pin<Box<dyn Future<Output = Result<NodeResponse>> + Send>>;

enum NodeResponse {
    Fetched(FetchResponse),
    Validated(Vec<Validation>),
}

#[derive(Debug, Clone, Copy)]
struct Backoff {
    failures: u32,
    until: Instant,
}

/// The answer of a node, or its error.
#[derive(Debug)]
pub(super) struct NodeAnswer {
    pub(super) node: i32,
    pub(super) targets: Vec<FetchTarget>,
    pub(super) answer: Result<TargetAnswers>,
}

/// The answers for the targets of a node.
#[derive(Debug)]
pub(super) enum TargetAnswers {
    Fetched(Vec<PartitionAnswer>),
    Validated(Vec<Validation>),
}

impl LeaderFetches {
    /// No fetches. `rack` is the consumer's `client.rack`.
    pub(super) fn new(rack: &str) -> Self {
        Self {
            in_flight: Vec::new(),
            sessions: BTreeMap::new(),
            backoffs: BTreeMap::new(),
            generation: 0,
            rack_id: Str::from(rack),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Whether fetches of all these targets are in flight to nodes that were taken from this generation of the
    /// metadata.
    pub(super) fn covers(&self, targets: &[FetchTarget], generation: u64) -> bool {
        let is_in_flight = |target: &FetchTarget| {
            let mut fetches = self.in_flight.iter();
            fetches.any(|fetch| fetch.has(target))
        };
        generation == self.generation
            && !mutants::is_active(Mutant::DropFetches)
            && targets.iter().all(is_in_flight)
    }

    /// Drops fetches that do not match the current targets, after a seek or a new assignment. Returns the nodes without
    /// a fetch in flight that are not backing off.
    pub(super) fn retain_current(
        &mut self,
        current: Vec<NodeTargets>,
        generation: u64,
        now: Instant,
    ) -> Vec<NodeTargets> {
        self.generation = generation;
        let mut to_send = Vec::with_capacity(current.len());
        for current in current {
            let node = current.node;
            let mut in_flight = self.in_flight.iter();
            match in_flight.position(|fetch| fetch.targets.node == node) {
                Some(index) if self.in_flight[index].covers(&current) => continue,
                Some(index) => drop(self.in_flight.swap_remove(index)),
                None => {}
            }
            let backoff = self.backoffs.get(&node);
            if backoff.is_none_or(|backoff| backoff.until <= now) {
                to_send.push(current);
            }
        }
        to_send
    }

    /// Sends a fetch, or a request that validates the fetch offsets, to a node that has none in flight.
    pub(super) fn start(&mut self, cluster: &Cluster, targets: NodeTargets, limits: FetchLimits) {
        let targets = Arc::new(targets);
        let response = if targets.validates {
            validate(cluster.clone(), Arc::clone(&targets))
        } else {
            let mut request = fetch::request(&targets, limits);
            request.rack_id = self.rack_id.clone();
            let session = self.sessions.entry(targets.node).or_default();
            session.request(&mut request);
            send(cluster.clone(), targets.node, request, limits.max_wait)
        };
        let by_partition = targets
            .targets()
            .map(|target| (target.partition.clone(), target.clone()));
        self.in_flight.push(NodeFetch {
            by_partition: by_partition.collect(),
            targets,
            isolation: limits.isolation,
            response: Mutex::new(response),
        });
    }

    /// Waits for at least one response, and returns all that have arrived. Never resolves if no fetch is in flight.
    pub(super) async fn answered(&mut self) -> Vec<NodeAnswer> {
        std::future::poll_fn(|context| {
            let mut answered = Vec::new();
            let sessions = &mut self.sessions;
            self.in_flight.retain_mut(|fetch| {
                let Poll::Ready(response) = fetch.response.get_mut().as_mut().poll(context) else {
                    return true;
                };
                answered.push(NodeAnswer {
                    node: fetch.targets.node,
                    targets: fetch.targets.targets().cloned().collect(),
                    answer: response.and_then(|response| read(sessions, fetch, response)),
                });
                false
            });
            if answered.is_empty() {
                Poll::Pending
            } else {
                Poll::Ready(answered)
            }
        })
        .await
    }

    /// Resets the backoff of a node.
    pub(super) fn succeeded(&mut self, node: i32) {
        if !self.backoffs.is_empty() {
            self.backoffs.remove(&node);
        }
    }

    /// Increases the backoff of a node.
    pub(super) fn failed(&mut self, node: i32, retry: &RetryConfig, now: Instant) {
        let failures = self
            .backoffs
            .get(&node)
            .map_or(0, |backoff| backoff.failures)
            + 1;
        let until = now + retry.jittered_pause(failures);
        self.backoffs.insert(node, Backoff { failures, until });
    }

    /// The time when the next node may be retried.
    pub(super) fn next_retry(&self, now: Instant) -> Option<Instant> {
        let retry_times = self.backoffs.values().map(|backoff| backoff.until);
        retry_times.filter(|until| *until > now).min()
    }

    /// Drops the fetches in flight and closes the sessions. Brokers that do not answer delay it by at most
    /// [`CLOSE_WAIT`].
    pub(super) async fn close(&mut self, cluster: &Cluster) {
        self.in_flight.clear();
        let sessions = std::mem::take(&mut self.sessions);
        let closing = sessions.into_iter().filter_map(|(node, mut session)| {
            let request = session.close()?;
            Some(cluster.call_within(Node::Id(node), request, CLOSE_WAIT))
        });
        futures_util::future::join_all(closing).await;
    }
}

impl NodeFetch {
    fn has(&self, target: &FetchTarget) -> bool {
        self.by_partition.get(&target.partition) == Some(target)
    }

    fn covers(&self, current: &NodeTargets) -> bool {
        !mutants::is_active(Mutant::DropFetches)
            && self.targets.validates == current.validates
            && current.targets().all(|target| self.has(target))
    }
}

fn validate(cluster: Cluster, targets: Arc<NodeTargets>) -> ResponseFuture {
    Box::pin(async move {
        let validations = fetch::validate_at(&cluster, &targets).await?;
        Ok(NodeResponse::Validated(validations))
    })
}

fn send(cluster: Cluster, node: i32, request: FetchRequest, max_wait: Duration) -> ResponseFuture {
    let timeout = cluster.config().request_timeout + max_wait;
    Box::pin(async move {
        let response = cluster
            .call_within(Node::Id(node), request, timeout)
            .await?;
        Ok(NodeResponse::Fetched(response))
    })
}

fn read(
    sessions: &mut BTreeMap<i32, FetchSession>,
    fetch: &NodeFetch,
    response: NodeResponse,
) -> Result<TargetAnswers> {
    let mut response = match response {
        NodeResponse::Validated(validations) => return Ok(TargetAnswers::Validated(validations)),
        NodeResponse::Fetched(response) => response,
    };
    let session = sessions.entry(fetch.targets.node).or_default();
    if session.answered(&mut response) {
        return Ok(TargetAnswers::Fetched(Vec::new()));
    }
    fetch::read(response, &fetch.targets, fetch.isolation).map(TargetAnswers::Fetched)
}

impl fmt::Debug for NodeFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeFetch")
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}
