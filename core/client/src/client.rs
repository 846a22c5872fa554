//! The client: one per engine or cluster, shared by everything that is made from it.

use std::fmt;
use std::sync::Arc;

use headwater_metadata::Layer;
use tokio::runtime::Handle;

use crate::config::ClientConfig;
use crate::consumer::{Consumer, ConsumerConfig};
use crate::metadata_cache::MetadataCache;
use crate::producer::{Producer, ProducerConfig};
use crate::topic::Topic;
use crate::transport::Transport;

/// A connection to an engine or a cluster. Cloning is cheap and shares it.
///
/// All calls are futures without a runtime of their own: await them, or wait for them with [`Handle::block_on`] on
/// [`Client::runtime`].
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) runtime: Handle,
    pub(crate) config: ClientConfig,
    /// Shared by all clients on the transport.
    pub(crate) metadata: Arc<MetadataCache>,
}

impl Client {
    /// A client over this transport. `runtime` drives timers and whatever runs in the background.
    pub fn new(transport: Arc<dyn Transport>, runtime: Handle, config: ClientConfig) -> Self {
        Self {
            shared: Arc::new(Shared {
                transport,
                runtime,
                config,
                metadata: Arc::default(),
            }),
        }
    }

    /// The same client for a producer or a consumer that sets some of its keys for itself.
    fn with_own_keys(&self, own: &Layer) -> Self {
        if own.is_empty() {
            return self.clone();
        }
        let shared = &self.shared;
        let config = shared.config.overlaid(own);
        let transport = if config.client_id == shared.config.client_id {
            Arc::clone(&shared.transport)
        } else {
            Arc::clone(&shared.transport).named(&config.client_id)
        };
        Self {
            shared: Arc::new(Shared {
                transport,
                runtime: shared.runtime.clone(),
                config,
                metadata: Arc::clone(&shared.metadata),
            }),
        }
    }

    /// The runtime that drives timers and the background work of this client.
    pub fn runtime(&self) -> &Handle {
        &self.shared.runtime
    }

    /// The topic of this name. Nothing is asked of the broker: an unknown topic is an error at the first use.
    pub fn topic(&self, name: &str) -> Topic {
        Topic::new(self.clone(), name)
    }

    /// A producer. It starts its work at the first send.
    pub fn producer(&self, config: ProducerConfig) -> Producer {
        Producer::new(self.with_own_keys(&config.own), config)
    }

    /// A consumer without an assignment: see [`Consumer::assign`].
    pub fn consumer(&self, config: ConsumerConfig) -> Consumer {
        Consumer::new(self.with_own_keys(&config.own), config)
    }

    /// Done when the engine, or the connection to the cluster, is closed.
    pub(crate) async fn closed(&self) {
        self.shared.transport.closed().await;
    }

    /// What it was told.
    pub fn config(&self) -> &ClientConfig {
        &self.shared.config
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("transport", &self.shared.transport)
            .finish_non_exhaustive()
    }
}
