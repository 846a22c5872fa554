//! Topics and their configuration: made, listed, altered, deleted.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_record::{Offset, PartitionId};
use uuid::Uuid;

use crate::client::Client;
use crate::error::Result;
use crate::position::Position;
use crate::topic::Topic;

/// What to do when a topic exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfExists {
    /// Fail with `TOPIC_ALREADY_EXISTS`.
    #[default]
    Error,
    /// Take the one that is there, as it is.
    Ignore,
}

/// A topic to be made.
#[derive(Debug, Clone, Default)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions; at least one. `None`: the broker's `num.partitions`.
    pub partitions: Option<i32>,
    /// Copies of each partition; `None`: the broker's default.
    pub replication_factor: Option<i16>,
    /// What to do when it exists.
    pub if_exists: IfExists,
    /// Topic configuration, with Kafka's keys.
    pub config: BTreeMap<String, String>,
}

impl NewTopic {
    /// A topic of this name with one partition and the broker's defaults.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), partitions: Some(1), ..Self::default() }
    }

    /// With this many partitions.
    #[must_use]
    pub fn partitions(mut self, partitions: i32) -> Self {
        self.partitions = Some(partitions);
        self
    }

    /// With this configuration entry.
    #[must_use]
    pub fn config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.insert(key.into(), value.into());
        self
    }

    /// Take the topic that is there, if there is one.
    #[must_use]
    pub fn or_existing(mut self) -> Self {
        self.if_exists = IfExists::Ignore;
        self
    }
}

/// What is to change about a topic.
#[derive(Debug, Clone, Default)]
pub struct TopicChanges {
    /// The new number of partitions: only more, never fewer.
    pub partitions: Option<i32>,
    /// Configuration entries to set (`Some`) or to put back to the default (`None`).
    pub config: BTreeMap<String, Option<String>>,
}

/// A line of the list of topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicInfo {
    /// Its name.
    pub name: Arc<str>,
    /// Its id, which a topic made again under the same name does not share.
    pub topic_id: Uuid,
    /// How many partitions it has.
    pub partitions: usize,
    /// Kafka's own bookkeeping, such as `__consumer_offsets`.
    pub internal: bool,
}

/// One configuration entry of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Kafka's key.
    pub name: String,
    /// The value in force; `None` for a secret.
    pub value: Option<String>,
    /// Whether it was set on the topic, on the broker, or is the default: Kafka's `ConfigSource` name.
    pub source: &'static str,
    /// What it does.
    pub documentation: Option<String>,
}

impl Client {
    /// Makes a topic.
    pub async fn create_topic(&self, topic: NewTopic) -> Result<Topic> {
        let _ = topic;
        todo!()
    }

    /// Every topic, by name. `internal` adds Kafka's own.
    pub async fn topics(&self, internal: bool) -> Result<Vec<TopicInfo>> {
        let _ = internal;
        todo!()
    }

    /// Adds partitions or changes configuration.
    pub async fn alter_topic(&self, name: &str, changes: TopicChanges) -> Result<()> {
        let _ = (name, changes);
        todo!()
    }

    /// Deletes a topic with everything in it. Returns whether it was there; a missing one is an error unless `missing_ok`.
    pub async fn delete_topic(&self, name: &str, missing_ok: bool) -> Result<bool> {
        let _ = (name, missing_ok);
        todo!()
    }

    /// Deletes the records before a position; returns the new `log_start_offset` of each partition.
    pub async fn delete_records(&self, name: &str, before: &Position) -> Result<BTreeMap<PartitionId, Offset>> {
        let _ = (name, before);
        todo!()
    }

    /// The configuration in force for a topic, with the source of each value.
    pub async fn topic_config(&self, name: &str) -> Result<Vec<ConfigEntry>> {
        let _ = name;
        todo!()
    }
}
