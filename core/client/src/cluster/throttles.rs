//! Waits before requests to brokers that have throttled the client (KIP-219).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use headwater_protocol::Response;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::mutants::{self, Mutant};
use crate::transport::Node;

/// The end of each node's throttling on a lane. A broker that throttles a client responds immediately with the time to
/// wait, and reads nothing from the connection during that time.
#[derive(Debug, Default)]
pub(super) struct Throttles {
    until: Mutex<HashMap<Node, Instant>>,
    /// Whether there is any, so that calls without a throttle take no lock.
    is_any: AtomicBool,
}

impl Throttles {
    /// Waits until the node may get a request.
    pub(super) async fn wait(&self, node: Node) {
        while self.is_any.load(Ordering::Acquire) {
            let until = self.until.lock().get(&node).copied();
            match until {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                _ => return,
            }
        }
    }

    /// Records the throttle time of a response, and returns it.
    pub(super) fn note(&self, node: Node, response: &Response) -> Duration {
        let throttled = throttle_time(response);
        if throttled.is_zero() || mutants::is_active(Mutant::IgnoreThrottle) {
            return throttled;
        }
        let now = Instant::now();
        let mut until = self.until.lock();
        until.retain(|_, until| *until > now);
        let of_node = until.entry(node).or_insert(now);
        *of_node = if mutants::is_active(Mutant::ShortenThrottle) {
            now + throttled
        } else {
            (*of_node).max(now + throttled)
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
