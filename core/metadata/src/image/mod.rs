//! The cluster as its records describe it.
//!
//! An [`Image`] is a value: [`Image::apply`] takes one record and changes it, [`Image::records`] gives records that make the same
//! image from nothing. Whoever publishes an image clones it, which costs a pointer for each topic.

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

/// The number of a broker.
pub type NodeId = i32;

/// Topics, partitions, brokers, configurations, passwords and the next producer id: everything that outlives a broker and is no record of a user.
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
    /// An image of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The topic of that name.
    pub fn topic(&self, name: &str) -> Option<&Arc<TopicImage>> {
        self.topics.get(self.ids.get(name)?)
    }

    /// The topic of that id.
    pub fn topic_by_id(&self, id: Uuid) -> Option<&Arc<TopicImage>> {
        self.topics.get(&id)
    }

    /// One partition of a topic.
    pub fn partition(&self, topic: &str, partition: PartitionId) -> Option<&PartitionImage> {
        self.topic(topic)?.partition(partition)
    }

    /// All topics, by name.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<TopicImage>> {
        self.ids.values().filter_map(|id| self.topics.get(id))
    }

    /// How many topics there are.
    pub fn topic_count(&self) -> usize {
        self.topics.len()
    }

    /// A topic that `name` must not stand beside, because the names differ only in `.` and `_`.
    pub fn collision(&self, name: &str) -> Option<&Arc<str>> {
        self.collisions
            .get(&collision_key(name))
            .filter(|other| &***other != name)
    }

    /// What is set on a topic.
    pub fn topic_config(&self, name: &str) -> Option<&Arc<Layer>> {
        self.topic_configs.get(name)
    }

    /// What was set while it ran on one broker, or on all of them with `None`.
    pub fn broker_config(&self, node: Option<NodeId>) -> Option<&Arc<Layer>> {
        self.broker_configs.get(&node)
    }

    /// The brokers, by number.
    pub fn brokers(&self) -> impl Iterator<Item = (NodeId, &BrokerImage)> {
        self.brokers.iter().map(|(id, broker)| (*id, broker))
    }

    /// The broker of that number.
    pub fn broker(&self, id: NodeId) -> Option<&BrokerImage> {
        self.brokers.get(&id)
    }

    /// The level of a feature that was set, such as `metadata.version`.
    pub fn feature(&self, name: &str) -> Option<i16> {
        self.features.get(name).copied()
    }

    /// What proves a user's password with a mechanism.
    pub fn scram_credential(
        &self,
        user: &str,
        mechanism: ScramMechanism,
    ) -> Option<&ScramCredential> {
        self.scram_credentials.get(user)?.get(&mechanism)
    }

    /// Users with passwords, by name, and what they have for each mechanism.
    pub fn scram_users(
        &self,
    ) -> impl Iterator<Item = (&Arc<str>, &BTreeMap<ScramMechanism, ScramCredential>)> {
        self.scram_credentials.iter()
    }

    /// The first producer id that no broker was given.
    pub const fn next_producer_id(&self) -> ProducerId {
        self.next_producer_id
    }
}
