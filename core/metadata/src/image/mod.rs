//! The image of the cluster: the state that its metadata records describe.
//!
//! An [`Image`] is a value: [`Image::apply`] applies a record, [`Image::records`] returns records that rebuild the
//! image. Publishing an image requires a clone, which copies one pointer for each topic.

mod apply;
mod snapshot;
mod topic;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use headwater_record::{PartitionId, ProducerId};
use uuid::Uuid;

use crate::config::Layer;
use crate::scram::{ScramCredential, ScramMechanism};
use crate::topic_name::collision_key;

pub use apply::ApplyError;
pub use topic::{BrokerImage, PartitionImage, TopicImage};

/// The id of a broker.
pub type NodeId = i32;

/// Topics, partitions, brokers, configurations, credentials and the next producer id: all durable state except users'
/// records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Image {
    topics: HashMap<Uuid, Arc<TopicImage>>,
    ids: BTreeMap<Arc<str>, Uuid>,
    collisions: HashMap<String, Arc<str>>,
    topic_configs: HashMap<Arc<str>, Arc<Layer>>,
    broker_configs: BTreeMap<Option<NodeId>, Arc<Layer>>,
    brokers: BTreeMap<NodeId, BrokerImage>,
    features: BTreeMap<String, i16>,
    next_producer_id: ProducerId,
    scram_credentials: BTreeMap<Arc<str>, BTreeMap<ScramMechanism, ScramCredential>>,
}

impl Image {
    /// An empty image.
    pub fn new() -> Self {
        Self::default()
    }

    /// The topic with this name.
    pub fn topic(&self, name: &str) -> Option<&Arc<TopicImage>> {
        self.topics.get(self.ids.get(name)?)
    }

    /// The topic with this id.
    pub fn topic_by_id(&self, id: Uuid) -> Option<&Arc<TopicImage>> {
        self.topics.get(&id)
    }

    /// A partition of a topic.
    pub fn partition(&self, topic: &str, partition: PartitionId) -> Option<&PartitionImage> {
        self.topic(topic)?.partition(partition)
    }

    /// All topics, by name.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<TopicImage>> {
        self.ids.values().filter_map(|id| self.topics.get(id))
    }

    /// The number of topics.
    pub fn topic_count(&self) -> usize {
        self.topics.len()
    }

    /// An existing topic whose name differs from `name` only in `.` and `_`.
    pub fn collision(&self, name: &str) -> Option<&Arc<str>> {
        self.collisions
            .get(&collision_key(name))
            .filter(|other| &***other != name)
    }

    /// The configuration of a topic.
    pub fn topic_config(&self, name: &str) -> Option<&Arc<Layer>> {
        self.topic_configs.get(name)
    }

    /// The dynamic configuration of a broker, or of all brokers with `None`.
    pub fn broker_config(&self, node: Option<NodeId>) -> Option<&Arc<Layer>> {
        self.broker_configs.get(&node)
    }

    /// The brokers, by id.
    pub fn brokers(&self) -> impl Iterator<Item = (NodeId, &BrokerImage)> {
        self.brokers.iter().map(|(id, broker)| (*id, broker))
    }

    /// The broker with this id.
    pub fn broker(&self, id: NodeId) -> Option<&BrokerImage> {
        self.brokers.get(&id)
    }

    /// The finalized level of a feature, such as `metadata.version`.
    pub fn feature(&self, name: &str) -> Option<i16> {
        self.features.get(name).copied()
    }

    /// The SCRAM credential of a user for a mechanism.
    pub fn scram_credential(
        &self,
        user: &str,
        mechanism: ScramMechanism,
    ) -> Option<&ScramCredential> {
        self.scram_credentials.get(user)?.get(&mechanism)
    }

    /// The users with SCRAM credentials, by name, each with its credentials.
    pub fn scram_users(
        &self,
    ) -> impl Iterator<Item = (&Arc<str>, &BTreeMap<ScramMechanism, ScramCredential>)> {
        self.scram_credentials.iter()
    }

    /// The first producer id that is not reserved by a broker.
    pub const fn next_producer_id(&self) -> ProducerId {
        self.next_producer_id
    }
}
