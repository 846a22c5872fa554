//! The cluster below producer, consumer, scan and admin: calls to brokers, and cached metadata.

mod call;
mod coordinator;
mod counters;
mod expected_topics;
mod leaders;
mod located;
mod metadata;
mod named_leaders;
mod other_brokers;
mod rebootstrap;
mod refresh;
mod retry;
mod throttles;
mod topic_metadata;
mod topic_names;

use std::fmt;
use std::sync::Arc;

use headwater_metadata::config::Layer;
use tokio::runtime::Handle;

use crate::config::ClientConfig;
use crate::transport::{Lane, Purpose, Transport};

use metadata::MetadataCache;
use throttles::Throttles;

pub(crate) use coordinator::Coordinator;
pub(crate) use counters::RequestCounters;
pub(crate) use leaders::LeaderPartitions;
pub(crate) use retry::can_retry;
pub(crate) use topic_metadata::{TopicMetadata, is_recreated};

/// A handle on a cluster, with a lane for one purpose. Cloning is cheap; all handles of a client share its metadata.
#[derive(Clone)]
pub(crate) struct Cluster {
    transport: Arc<dyn Transport>,
    lane: Arc<ClusterLane>,
    /// For metadata requests, so that they never wait behind a long poll.
    admin_lane: Arc<ClusterLane>,
    runtime: Handle,
    config: Arc<ClientConfig>,
    metadata: Arc<MetadataCache>,
    counters: Arc<RequestCounters>,
}

/// A lane, and the brokers that have throttled it.
#[derive(Debug)]
struct ClusterLane {
    lane: Arc<dyn Lane>,
    throttles: Throttles,
}

impl ClusterLane {
    fn open(transport: &Arc<dyn Transport>, purpose: Purpose, config: &ClientConfig) -> Arc<Self> {
        Arc::new(Self {
            lane: Arc::clone(transport).lane(purpose, config),
            throttles: Throttles::default(),
        })
    }
}

impl Cluster {
    /// A handle with a lane for administration. `runtime` drives timers and background work.
    pub(crate) fn new(
        transport: Arc<dyn Transport>,
        runtime: Handle,
        config: ClientConfig,
    ) -> Self {
        let lane = ClusterLane::open(&transport, Purpose::Admin, &config);
        Self {
            admin_lane: Arc::clone(&lane),
            lane,
            transport,
            runtime,
            config: Arc::new(config),
            metadata: Arc::default(),
            counters: Arc::default(),
        }
    }

    /// A handle with a lane for administration and with `own_keys` over the client's configuration.
    pub(crate) fn with_own_keys(&self, own_keys: &Layer) -> Self {
        let config = self.config.overlaid(own_keys);
        let is_same = config.client_id == self.config.client_id
            && config.request_timeout == self.config.request_timeout;
        let lane = if is_same {
            Arc::clone(&self.admin_lane)
        } else {
            ClusterLane::open(&self.transport, Purpose::Admin, &config)
        };
        Self {
            admin_lane: Arc::clone(&lane),
            lane,
            config: Arc::new(config),
            ..self.clone()
        }
    }

    /// A handle with the same configuration and its own lane for `purpose`.
    pub(crate) fn with_lane(&self, purpose: Purpose) -> Self {
        Self {
            lane: ClusterLane::open(&self.transport, purpose, &self.config),
            ..self.clone()
        }
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(crate) fn config(&self) -> &ClientConfig {
        &self.config
    }

    pub(crate) fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// The counters of all handles of the client.
    pub(crate) fn counters(&self) -> &Arc<RequestCounters> {
        &self.counters
    }

    /// Resolves when the engine, or the connection to the cluster, is closed.
    pub(crate) async fn closed(&self) {
        self.transport.closed().await;
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("lane", &self.lane)
            .finish_non_exhaustive()
    }
}
