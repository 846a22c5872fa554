//! Waits before requests to brokers that have throttled the client (KIP-219).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use headwater_protocol::Response;
use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use crate::mutants::{self, Mutant};
use crate::transport::Node;

/// The end of each node's throttling on a lane. A broker that throttles a client responds immediately with the time to
/// wait, and reads nothing from the connection during that time.
#[derive(Debug, Default)]
pub(super) struct Throttles {
    nodes: Mutex<HashMap<Node, Throttle>>,
    /// Whether there is any, so that calls without a throttle take no lock.
    is_any: AtomicBool,
}

/// A node that is throttled, or has requests that still wait.
#[derive(Debug)]
struct Throttle {
    until: Instant,
    /// Orders the waiting requests.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// The turn of a request that had to wait: the next one follows when it is dropped.
pub(super) type Turn = OwnedMutexGuard<()>;

impl Throttle {
    fn is_over(&self, now: Instant) -> bool {
        self.until <= now && Arc::strong_count(&self.turn) == 1
    }
}

impl Throttles {
    /// Waits until the node may get a request. Requests that wait keep their order, if each keeps its turn until the
    /// transport has it.
    pub(super) async fn wait(&self, node: Node) -> Option<Turn> {
        if !self.is_any.load(Ordering::Acquire) {
            return None;
        }
        let turn = {
            let nodes = self.nodes.lock();
            let throttle = nodes.get(&node)?;
            if throttle.is_over(Instant::now()) {
                return None;
            }
            Arc::clone(&throttle.turn)
        };
        let turn = turn.lock_owned().await;
        while let Some(until) = self.until(node) {
            tokio::time::sleep_until(until).await;
        }
        Some(turn)
    }

    /// The end of the node's throttling; `None` if it is not throttled.
    fn until(&self, node: Node) -> Option<Instant> {
        let nodes = self.nodes.lock();
        let until = nodes.get(&node)?.until;
        (until > Instant::now()).then_some(until)
    }

    /// Records the throttle time of a response, and returns it.
    pub(super) fn note(&self, node: Node, response: &Response) -> Duration {
        let throttled = throttle_time(response);
        if throttled.is_zero() || mutants::is_active(Mutant::IgnoreThrottle) {
            return throttled;
        }
        let now = Instant::now();
        let mut nodes = self.nodes.lock();
        nodes.retain(|_, throttle| !throttle.is_over(now));
        let of_node = nodes.entry(node).or_insert_with(|| Throttle {
            until: now,
            turn: Arc::default(),
        });
        of_node.until = if mutants::is_active(Mutant::ShortenThrottle) {
            now + throttled
        } else {
            of_node.until.max(now + throttled)
        };
        self.is_any.store(true, Ordering::Release);
        throttled
    }
}

/// The `throttle_time_ms` of a response. Zero for responses to requests that the client does not send.
fn throttle_time(response: &Response) -> Duration {
    macro_rules! throttle_time_ms {
        ($($api:ident),* $(,)?) => {
            match response {
                $(Response::$api(response) => response.throttle_time_ms,)*
                _ => 0,
            }
        };
    }
    let millis = throttle_time_ms!(
        AlterUserScramCredentials,
        ConsumerGroupDescribe,
        ConsumerGroupHeartbeat,
        CreatePartitions,
        CreateTopics,
        DeleteGroups,
        DeleteRecords,
        DeleteTopics,
        DescribeConfigs,
        DescribeGroups,
        DescribeLogDirs,
        DescribeUserScramCredentials,
        Fetch,
        FindCoordinator,
        Heartbeat,
        IncrementalAlterConfigs,
        InitProducerId,
        JoinGroup,
        LeaveGroup,
        ListGroups,
        ListOffsets,
        Metadata,
        OffsetCommit,
        OffsetFetch,
        OffsetForLeaderEpoch,
        Produce,
        SyncGroup,
    );
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use headwater_protocol::{FetchResponse, MetadataResponse};

    use super::*;

    fn fetched(throttle_time_ms: i32) -> Response {
        let response = FetchResponse {
            throttle_time_ms,
            ..Default::default()
        };
        response.into()
    }

    async fn waited(throttles: &Throttles, node: i32) -> u128 {
        let before = Instant::now();
        throttles.wait(Node::Id(node)).await;
        before.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_request_waits_for_the_longest_throttle_of_its_node() {
        let throttles = Throttles::default();
        throttles.note(Node::Id(1), &fetched(50));
        throttles.note(Node::Id(1), &fetched(30));
        assert_eq!(waited(&throttles, 2).await, 0);
        assert_eq!(waited(&throttles, 1).await, 50);
        assert_eq!(waited(&throttles, 1).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_without_a_throttle_changes_nothing() {
        let throttles = Throttles::default();
        throttles.note(Node::Id(1), &fetched(40));
        throttles.note(Node::Id(1), &MetadataResponse::default().into());
        assert_eq!(waited(&throttles, 1).await, 40);
    }
}
