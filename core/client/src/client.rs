//! The client: one per engine or cluster. It hands out producers, consumers, topics and administration.

use std::fmt;
use std::sync::Arc;

use tokio::runtime::Handle;

use crate::admin::Admin;
use crate::cluster::Cluster;
use crate::config::ClientConfig;
use crate::consumer::{Consumer, ConsumerConfig};
use crate::producer::{Producer, ProducerConfig};
use crate::topic::Topic;
use crate::transport::{Purpose, Transport};

/// A connection to an engine or a cluster. Cloning is cheap and shares it.
///
/// All calls are futures without a runtime of their own: await them, or wait for them with [`Handle::block_on`] on
/// [`Client::runtime`].
#[derive(Clone)]
pub struct Client {
    cluster: Cluster,
    admin: Admin,
}

impl Client {
    /// A client over this transport. `runtime` drives timers and whatever runs in the background.
    pub fn new(transport: Arc<dyn Transport>, runtime: Handle, config: ClientConfig) -> Self {
        let cluster = Cluster::new(transport, runtime, config);
        Self {
            admin: Admin::new(cluster.clone()),
            cluster,
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

    /// Topics, configurations, groups and users: created, listed, altered, deleted.
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// The topic of this name. Sends no request: an unknown topic is an error at the first use.
    pub fn topic(&self, name: &str) -> Topic {
        Topic::new(self.cluster.clone(), name)
    }

    /// A producer. It starts its work at the first send.
    pub fn producer(&self, config: ProducerConfig) -> Producer {
        let cluster = self.cluster.for_purpose(Purpose::Produce, &config.own);
        Producer::new(cluster, config)
    }

    /// A consumer without an assignment: see [`Consumer::assign`].
    pub fn consumer(&self, config: ConsumerConfig) -> Consumer {
        let cluster = self.cluster.for_purpose(Purpose::Admin, &config.own);
        Consumer::new(cluster, config)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}
