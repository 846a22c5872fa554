//! Creates, lists, alters and deletes topics.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use headwater_metadata::config::canonical_key;
use headwater_protocol::create_partitions_request::CreatePartitionsTopic;
use headwater_protocol::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use headwater_protocol::delete_topics_request::DeleteTopicState;
use headwater_protocol::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, ErrorCode, Str,
};
use uuid::Uuid;

use super::configs::topic_value;
use super::{Admin, check_topic};
use crate::choice;
use crate::error::{Error, Result};
use crate::error_codes::only;

/// The handling of a topic that already exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfExists {
    /// Fail with `TOPIC_ALREADY_EXISTS`.
    #[default]
    Error,
    /// Keep the existing topic unchanged.
    Ignore,
}

impl FromStr for IfExists {
    type Err = Error;

    /// `error` or `ignore`.
    fn from_str(given: &str) -> Result<Self> {
        let choices = [("error", Self::Error), ("ignore", Self::Ignore)];
        choice::parse("if_exists", given, &choices)
    }
}

/// A topic to create.
#[derive(Debug, Clone, Default)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// The number of partitions, at least one. `None`: the broker's `num.partitions`.
    pub partitions: Option<i32>,
    /// The replication factor; `None`: the broker's default.
    pub replication_factor: Option<i16>,
    /// The handling of an existing topic.
    pub if_exists: IfExists,
    /// Topic configuration, with Kafka's keys.
    pub config: BTreeMap<String, String>,
}

impl NewTopic {
    /// A topic of this name with one partition and the broker's defaults.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            partitions: Some(1),
            ..Self::default()
        }
    }

    /// Sets the number of partitions.
    #[must_use]
    pub fn partitions(mut self, partitions: i32) -> Self {
        self.partitions = Some(partitions);
        self
    }

    /// Adds a configuration entry.
    #[must_use]
    pub fn config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.insert(key.into(), value.into());
        self
    }

    /// Keeps an existing topic.
    #[must_use]
    pub fn or_existing(mut self) -> Self {
        self.if_exists = IfExists::Ignore;
        self
    }
}

/// Changes to a topic.
#[derive(Debug, Clone, Default)]
pub struct TopicChanges {
    /// The new number of partitions, which must be larger.
    pub partitions: Option<i32>,
    /// Configuration entries to set (`Some`), or to reset to the default (`None`).
    pub config: BTreeMap<String, Option<String>>,
}

/// A listed topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicInfo {
    /// Its name.
    pub name: Arc<str>,
    /// Its id. A recreated topic has a different one.
    pub topic_id: Uuid,
    /// The number of partitions.
    pub partitions: usize,
    /// Whether it is an internal topic, such as `__consumer_offsets`.
    pub internal: bool,
}

impl Admin {
    /// Creates a topic.
    ///
    /// Like Kafka's admin client, it retries after a lost response, and may then fail because the topic exists.
    pub async fn create_topic(&self, topic: NewTopic) -> Result<()> {
        let request = CreateTopicsRequest {
            topics: vec![creatable(&topic)?],
            timeout_ms: self.timeout_ms(),
            ..Default::default()
        };
        // An existing topic, or one with the broker's default, has at least one partition.
        let given = topic
            .partitions
            .and_then(|count| usize::try_from(count).ok());
        let partitions = self
            .at_controller(request, |response| {
                let result = only(response.topics, "CreateTopics")?;
                let exists = result.error_code == ErrorCode::TopicAlreadyExists.code();
                if exists && topic.if_exists == IfExists::Ignore {
                    return Ok(1);
                }
                let reason = result.error_message.as_deref();
                check_topic(result.error_code, reason, "create", &topic.name)?;
                Ok(given.unwrap_or(1))
            })
            .await?;
        self.cluster.topic_changed(&topic.name, partitions);
        Ok(())
    }

    /// All topics, sorted by name. `internal` includes internal topics.
    pub async fn topics(&self, internal: bool) -> Result<Vec<TopicInfo>> {
        let list = || self.cluster.all_topics();
        let topics = self.cluster.retried(None, list).await?;
        let listed = topics.iter().filter(|topic| internal || !topic.internal);
        Ok(listed
            .map(|topic| TopicInfo {
                name: Arc::clone(&topic.name),
                topic_id: topic.topic_id,
                partitions: topic.partitions.len(),
                internal: topic.internal,
            })
            .collect())
    }

    /// Changes the configuration, then adds partitions. If the configuration is rejected, no partition is added.
    pub async fn alter_topic(&self, name: &str, changes: TopicChanges) -> Result<()> {
        if !changes.config.is_empty() {
            self.alter_config(name, &changes.config).await?;
        }
        match changes.partitions {
            Some(count) => self.add_partitions(name, count).await,
            None => Ok(()),
        }
    }

    async fn add_partitions(&self, name: &str, count: i32) -> Result<()> {
        let topic = CreatePartitionsTopic {
            name: Str::from(name),
            count,
            assignments: None,
            ..Default::default()
        };
        let request = CreatePartitionsRequest {
            topics: vec![topic],
            timeout_ms: self.timeout_ms(),
            ..Default::default()
        };
        self.at_controller(request, |response| {
            let result = only(response.results, "CreatePartitions")?;
            let reason = result.error_message.as_deref();
            check_topic(result.error_code, reason, "add partitions to", name)
        })
        .await?;
        self.cluster
            .topic_changed(name, usize::try_from(count).unwrap_or_default());
        Ok(())
    }

    /// Deletes a topic. Returns whether it existed; an unknown topic is an error unless `missing_ok`.
    pub async fn delete_topic(&self, name: &str, missing_ok: bool) -> Result<bool> {
        let topic = DeleteTopicState {
            name: Some(Str::from(name)),
            ..Default::default()
        };
        let request = DeleteTopicsRequest {
            topics: vec![topic],
            timeout_ms: self.timeout_ms(),
            ..Default::default()
        };
        let deleted = self
            .at_controller(request, |response| {
                let result = only(response.responses, "DeleteTopics")?;
                let is_unknown = result.error_code == ErrorCode::UnknownTopicOrPartition.code();
                if is_unknown && missing_ok {
                    return Ok(false);
                }
                let reason = result.error_message.as_deref();
                check_topic(result.error_code, reason, "delete", name).map(|()| true)
            })
            .await?;
        self.cluster.topic_deleted(name);
        Ok(deleted)
    }
}

fn creatable(topic: &NewTopic) -> Result<CreatableTopic> {
    let entry = |(key, value): (&String, &String)| {
        Ok(CreatableTopicConfig {
            name: Str::from(canonical_key(key)),
            value: Some(topic_value(&topic.name, key, value)?),
            ..Default::default()
        })
    };
    Ok(CreatableTopic {
        name: Str::from(topic.name.as_str()),
        num_partitions: topic.partitions.unwrap_or(-1),
        replication_factor: topic.replication_factor.unwrap_or(-1),
        configs: topic.config.iter().map(entry).collect::<Result<_>>()?,
        ..Default::default()
    })
}
