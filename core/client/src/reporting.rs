//! Collects the metrics of a client, and reports them periodically.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt as _;

use crate::cluster::{Cluster, RequestCounters};
use crate::consumer::ConsumerRegistry;
use crate::metrics::{BrokerMetrics, ClientMetrics};
use crate::producer::ProducerRegistry;
use crate::transport::{Node, Transport};

/// The source of a client's metrics. Does not keep the client alive.
#[derive(Clone)]
pub(crate) struct MetricsSource {
    transport: Weak<dyn Transport>,
    counters: Arc<RequestCounters>,
    producers: Arc<ProducerRegistry>,
    consumers: Arc<ConsumerRegistry>,
}

impl MetricsSource {
    pub(crate) fn new(
        cluster: &Cluster,
        producers: &Arc<ProducerRegistry>,
        consumers: &Arc<ConsumerRegistry>,
    ) -> Self {
        Self {
            transport: Arc::downgrade(cluster.transport()),
            counters: Arc::clone(cluster.counters()),
            producers: Arc::clone(producers),
            consumers: Arc::clone(consumers),
        }
    }

    /// The current metrics.
    pub(crate) fn collect(&self) -> ClientMetrics {
        ClientMetrics {
            requests: self.counters.snapshot(),
            brokers: self.brokers(),
            producers: self.producers.metrics(),
            consumers: self.consumers.snapshot(),
            skipped_records: self.counters.skipped_records(),
        }
    }

    fn brokers(&self) -> Vec<BrokerMetrics> {
        let transport = self.transport.upgrade();
        let mut brokers = transport.map_or_else(Vec::new, |transport| transport.broker_metrics());
        for broker in &mut brokers {
            if let Some(id) = broker.id {
                broker.throttle_time = self.counters.throttle_time(Node::Id(id));
            }
        }
        brokers
    }

    /// Calls `report` every `interval`, until the client is closed or dropped.
    pub(crate) async fn report(self, interval: Duration, report: impl Fn(ClientMetrics)) {
        loop {
            tokio::time::sleep(interval).await;
            if self.is_closed() {
                return;
            }
            report(self.collect());
        }
    }

    fn is_closed(&self) -> bool {
        let transport = self.transport.upgrade();
        transport.is_none_or(|transport| transport.closed().now_or_never().is_some())
    }
}
