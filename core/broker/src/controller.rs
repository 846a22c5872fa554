//! Metadata changes: planned one after the other, decided by a quorum, then published.

mod config_changes;
mod creation;
mod producer_ids;
mod proposal;
mod quorum;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::{BrokerConfig, Image, Layer, NodeId, TopicConfig, config};
use headwater_protocol::ErrorCode;
use parking_lot::{Mutex, RwLock};
use uuid::Uuid;

use crate::metadata_log::CommitError;
use crate::node::Node;
use crate::partitions::Partitions;
use crate::random::random_uuid;
use producer_ids::ProducerIds;
use quorum::{Decision, Quorum};

pub(crate) use config_changes::{Change, Operation};
pub(crate) use proposal::{Changes, Proposal};
pub(crate) use quorum::LocalQuorum;

/// The metadata of the cluster: their image, and the configuration of this broker that follows from it. A single broker
/// is its own controller.
#[derive(Debug)]
pub(crate) struct Controller<E: Env> {
    pub(crate) node: Node,
    partitions: Arc<Partitions<E>>,
    /// Serialises the planning of changes. It is the first lock that is taken, before those of all components.
    turn: Mutex<()>,
    quorum: Box<dyn Quorum>,
    producer_ids: Mutex<ProducerIds>,
    config: RwLock<Arc<BrokerConfig>>,
    published: RwLock<Decision>,
}

impl<E: Env> Controller<E> {
    /// A controller whose changes `quorum` decides. `config` is the configuration of the node with the dynamic changes.
    pub(crate) fn new(
        node: Node,
        config: BrokerConfig,
        quorum: Box<dyn Quorum>,
        partitions: Arc<Partitions<E>>,
    ) -> Self {
        Self {
            node,
            partitions,
            turn: Mutex::new(()),
            producer_ids: Mutex::default(),
            config: RwLock::new(Arc::new(config)),
            published: RwLock::new(quorum.decided()),
            quorum,
        }
    }

    /// The current metadata image.
    pub(crate) fn image(&self) -> Arc<Image> {
        Arc::clone(&self.published.read().image)
    }

    /// The current metadata image, and a number that grows with every published image. The end of the metadata log
    /// cannot be that number, because it grows before the image is published.
    pub(crate) fn versioned_image(&self) -> (Arc<Image>, i64) {
        let published = self.published.read();
        (Arc::clone(&published.image), published.log_end_offset.get())
    }

    /// The current configuration of the broker.
    pub(crate) fn config(&self) -> Arc<BrokerConfig> {
        Arc::clone(&self.config.read())
    }

    /// The configuration of a topic in `image`.
    pub(crate) fn topic_config(&self, image: &Image, name: &str) -> Arc<TopicConfig> {
        resolve_topic(image, name, &self.config())
    }

    /// A random id for something new.
    pub(crate) fn random_uuid(&self) -> Uuid {
        random_uuid(&self.partitions.env)
    }

    /// Begins a change. Others wait until the result is dropped.
    pub(crate) fn changes(self: &Arc<Self>) -> Changes<'_, E> {
        Changes::new(self, self.turn.lock())
    }

    /// Closes the metadata log cleanly. The caller holds [`changes`](Self::changes).
    pub(crate) fn close(&self) -> Result<(), headwater_log::ChangeError> {
        self.quorum.close()
    }

    /// Publishes a decided change. Checkpoints the recovery points too, so that damage to an acknowledged change is not
    /// mistaken for a torn end.
    fn publish(&self, decision: Decision) {
        *self.published.write() = decision;
        self.partitions.write_recovery_points();
    }
}

/// The configuration of a topic in `image`, on top of `broker`.
pub(crate) fn resolve_topic(image: &Image, name: &str, broker: &BrokerConfig) -> Arc<TopicConfig> {
    let resolved = match image.topic_config(name) {
        Some(layer) => TopicConfig::resolve(layer, broker.layer()),
        None => TopicConfig::resolve(&Layer::new(&config::TOPIC), broker.layer()),
    };
    Arc::new(resolved)
}

/// The configuration of the broker with the dynamic changes of the image: for all brokers, then for this one.
pub(crate) fn resolve_broker(image: &Image, node_id: NodeId, given: &BrokerConfig) -> BrokerConfig {
    let mut config = given.clone();
    for layer in [
        image.broker_config(None),
        image.broker_config(Some(node_id)),
    ]
    .into_iter()
    .flatten()
    {
        config = config.overlaid(layer);
    }
    config
}

impl CommitError {
    /// Kafka's error code.
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Append(_) | Self::Flush(_) | Self::Undecided(_) => ErrorCode::KafkaStorageError,
            Self::Closed => ErrorCode::BrokerNotAvailable,
            Self::TooLarge => ErrorCode::PolicyViolation,
            Self::Apply(_) | Self::Encode(_) | Self::Batch(_) => ErrorCode::UnknownServerError,
        }
    }
}
