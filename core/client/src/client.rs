//! The client of an engine or cluster: a factory for producers, consumers, topics and administration.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::admin::Admin;
use crate::cluster::Cluster;
use crate::config::ClientConfig;
use crate::consumer::{Consumer, ConsumerConfig, ConsumerRegistry};
use crate::error::Result;
use crate::metrics::ClientMetrics;
use crate::producer::{Producer, ProducerConfig, ProducerRegistry};
use crate::reporting::MetricsSource;
use crate::topic::Topic;
use crate::transport::{Purpose, Transport};

/// A connection to an engine or cluster. Cloning is cheap; clones share the connection.
///
/// All calls are futures: await them, or block on them with [`Handle::block_on`] on [`Client::runtime`].
#[derive(Clone)]
pub struct Client {
    cluster: Cluster,
    admin: Admin,
    producers: Arc<ProducerRegistry>,
    consumers: Arc<ConsumerRegistry>,
}

impl Client {
    /// A client over this transport. `runtime` drives timers and background work.
    pub fn new(transport: Arc<dyn Transport>, runtime: Handle, config: ClientConfig) -> Self {
        let cluster = Cluster::new(transport, runtime, config);
        Self {
            admin: Admin::new(cluster.clone()),
            cluster,
            producers: Arc::default(),
            consumers: Arc::default(),
        }
    }

    /// The runtime that drives timers and the background work of this client.
    pub fn runtime(&self) -> &Handle {
        self.cluster.runtime()
    }

    /// Its configuration.
    pub fn config(&self) -> &ClientConfig {
        self.cluster.config()
    }

    /// Requests the brokers of the cluster from one of them, once, to check whether the cluster is reachable. Does not
    /// retry.
    pub async fn check_reachable(&self) -> Result<()> {
        self.cluster.refresh_brokers().await
    }

    /// Administration of topics, configurations, groups and users.
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// A handle on the topic. Sends no request; an unknown topic fails at the first use.
    pub fn topic(&self, name: &str) -> Topic {
        Topic::new(self.cluster.clone(), name)
    }

    /// A producer. Sends no request before the first record.
    pub fn producer(&self, mut config: ProducerConfig) -> Producer {
        let cluster = self
            .cluster
            .with_own_keys(&config.own)
            .with_lane(Purpose::Produce);
        config.raise_delivery_timeout(cluster.config().request_timeout);
        let producer = Producer::new(cluster, config);
        self.producers.add(&producer);
        producer
    }

    /// A consumer without an assignment: see [`Consumer::assign`].
    pub fn consumer(&self, config: ConsumerConfig) -> Consumer {
        let cluster = self.cluster.with_own_keys(&config.own);
        let consumer = Consumer::new(cluster, config);
        self.consumers.add(consumer.gauge());
        consumer
    }

    /// The metrics of this client and its clones: connections, requests, latencies, queued records of producers, lag of
    /// consumers. Sends no request.
    pub fn metrics(&self) -> ClientMetrics {
        self.metrics_source().collect()
    }

    /// Calls `report` with the metrics every `statistics.interval.ms`, until the client is closed or dropped. `report`
    /// runs in a thread of the client's runtime and must not block it.
    pub fn report_metrics(&self, report: impl Fn(ClientMetrics) + Send + 'static) {
        let interval = self.config().statistics_interval;
        let reporting = self.metrics_source().report(interval, report);
        self.runtime().spawn(reporting);
    }

    fn metrics_source(&self) -> MetricsSource {
        MetricsSource::new(&self.cluster, &self.producers, &self.consumers)
    }

    /// Closes the producers of this client: they send their queued records and accept no more.
    ///
    /// Waits up to `delivery.timeout.ms` of each producer. Fails if records could not be sent: the error has their
    /// number and topics. Idempotent.
    pub async fn close(&self) -> Result<()> {
        self.producers.close(None).await
    }

    /// Like [`Client::close`], but waits at most for `timeout`.
    pub async fn close_within(&self, timeout: Duration) -> Result<()> {
        self.producers
            .close(Instant::now().checked_add(timeout))
            .await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}
