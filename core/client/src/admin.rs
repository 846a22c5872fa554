//! Topics and their configuration: made, listed, altered, deleted.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_metadata::config::canonical_key;
use headwater_protocol::create_partitions_request::CreatePartitionsTopic;
use headwater_protocol::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use headwater_protocol::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use headwater_protocol::delete_topics_request::DeleteTopicState;
use headwater_protocol::describe_configs_request::DescribeConfigsResource;
use headwater_protocol::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use headwater_protocol::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest,
    DescribeConfigsRequest, ErrorCode, IncrementalAlterConfigsRequest, Str,
};
use headwater_record::{Offset, PartitionId};
use uuid::Uuid;

use crate::client::Client;
use crate::error::Result;
use crate::error_codes;
use crate::list_offsets;
use crate::position::Position;
use crate::scan::IsolationLevel;
use crate::topic::Topic;
use crate::transport::Node;

const RESOURCE_TOPIC: i8 = 2;

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
        Self {
            name: name.into(),
            partitions: Some(1),
            ..Self::default()
        }
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
        let configs = topic
            .config
            .iter()
            .map(|(key, value)| CreatableTopicConfig {
                name: Str::from(canonical_key(key)),
                value: Some(Str::from(value.as_str())),
                ..Default::default()
            });
        let asked = CreatableTopic {
            name: Str::from(topic.name.as_str()),
            num_partitions: topic.partitions.unwrap_or(-1),
            replication_factor: topic.replication_factor.unwrap_or(-1),
            configs: configs.collect(),
            ..Default::default()
        };
        let request = CreateTopicsRequest {
            topics: vec![asked],
            timeout_ms: self.admin_timeout_ms(),
            ..Default::default()
        };
        let response = self.call(Node::Any, request).await?;
        let result = response
            .topics
            .into_iter()
            .next()
            .ok_or_else(|| error_codes::no_answer("CreateTopics"))?;
        let code = error_codes::code(result.error_code);
        if code == ErrorCode::TopicAlreadyExists && topic.if_exists == IfExists::Ignore {
            return Ok(self.topic(&topic.name));
        }
        checked(code, result.error_message.as_deref(), "create", &topic.name)?;
        self.forget_topic(&topic.name);
        Ok(self.topic(&topic.name))
    }

    /// Every topic, by name. `internal` adds Kafka's own.
    pub async fn topics(&self, internal: bool) -> Result<Vec<TopicInfo>> {
        let topics = self.all_topics().await?;
        let wanted = topics.iter().filter(|topic| internal || !topic.internal);
        Ok(wanted
            .map(|topic| TopicInfo {
                name: Arc::clone(&topic.name),
                topic_id: topic.topic_id,
                partitions: topic.partitions.len(),
                internal: topic.internal,
            })
            .collect())
    }

    /// Adds partitions or changes configuration. The configuration comes first: if it is refused, no partition is added.
    pub async fn alter_topic(&self, name: &str, changes: TopicChanges) -> Result<()> {
        if !changes.config.is_empty() {
            self.alter_config(name, &changes.config).await?;
        }
        if let Some(count) = changes.partitions {
            let asked = CreatePartitionsTopic {
                name: Str::from(name),
                count,
                assignments: None,
                ..Default::default()
            };
            let request = CreatePartitionsRequest {
                topics: vec![asked],
                timeout_ms: self.admin_timeout_ms(),
                ..Default::default()
            };
            let response = self.call(Node::Any, request).await?;
            let result = response
                .results
                .into_iter()
                .next()
                .ok_or_else(|| error_codes::no_answer("CreatePartitions"))?;
            let code = error_codes::code(result.error_code);
            checked(
                code,
                result.error_message.as_deref(),
                "add partitions to",
                name,
            )?;
            self.forget_topic(name);
        }
        Ok(())
    }

    async fn alter_config(
        &self,
        name: &str,
        config: &BTreeMap<String, Option<String>>,
    ) -> Result<()> {
        const SET: i8 = 0;
        const DELETE: i8 = 1;
        let configs = config.iter().map(|(key, value)| AlterableConfig {
            name: Str::from(canonical_key(key)),
            config_operation: if value.is_some() { SET } else { DELETE },
            value: value.as_deref().map(Str::from),
            ..Default::default()
        });
        let resource = AlterConfigsResource {
            resource_type: RESOURCE_TOPIC,
            resource_name: Str::from(name),
            configs: configs.collect(),
            ..Default::default()
        };
        let request = IncrementalAlterConfigsRequest {
            resources: vec![resource],
            validate_only: false,
            ..Default::default()
        };
        let response = self.call(Node::Any, request).await?;
        let result = response
            .responses
            .into_iter()
            .next()
            .ok_or_else(|| error_codes::no_answer("IncrementalAlterConfigs"))?;
        checked(
            error_codes::code(result.error_code),
            result.error_message.as_deref(),
            "configure",
            name,
        )
    }

    /// Deletes a topic with everything in it. Returns whether it was there; a missing one is an error unless `missing_ok`.
    pub async fn delete_topic(&self, name: &str, missing_ok: bool) -> Result<bool> {
        let asked = DeleteTopicState {
            name: Some(Str::from(name)),
            ..Default::default()
        };
        let request = DeleteTopicsRequest {
            topics: vec![asked],
            timeout_ms: self.admin_timeout_ms(),
            ..Default::default()
        };
        let response = self.call(Node::Any, request).await?;
        let result = response
            .responses
            .into_iter()
            .next()
            .ok_or_else(|| error_codes::no_answer("DeleteTopics"))?;
        let code = error_codes::code(result.error_code);
        if code == ErrorCode::UnknownTopicOrPartition && missing_ok {
            return Ok(false);
        }
        checked(code, result.error_message.as_deref(), "delete", name)?;
        self.forget_topic(name);
        Ok(true)
    }

    /// Deletes the records before a position; returns the new `log_start_offset` of each partition concerned.
    pub async fn delete_records(
        &self,
        name: &str,
        before: &Position,
    ) -> Result<BTreeMap<PartitionId, Offset>> {
        let metadata = self.refresh_topic(name).await?;
        metadata.check(before)?;
        let partitions: Vec<_> = metadata.partition_ids().collect();
        let before = list_offsets::resolve(
            self,
            name,
            &partitions,
            before,
            IsolationLevel::ReadUncommitted,
        )
        .await?;
        let mut deleted = BTreeMap::new();
        for (partition, offset) in before {
            let leader = metadata.leader(partition)?.map_or(Node::Any, Node::Id);
            let asked = DeleteRecordsPartition {
                partition_index: partition.get(),
                offset: offset.get(),
                ..Default::default()
            };
            let topic = DeleteRecordsTopic {
                name: metadata.wire_name(),
                partitions: vec![asked],
                ..Default::default()
            };
            let request = DeleteRecordsRequest {
                topics: vec![topic],
                timeout_ms: self.admin_timeout_ms(),
                ..Default::default()
            };
            let response = self.call(leader, request).await?;
            let result = response
                .topics
                .into_iter()
                .flat_map(|topic| topic.partitions)
                .next();
            let result = result.ok_or_else(|| error_codes::no_answer("DeleteRecords"))?;
            checked(
                error_codes::code(result.error_code),
                None,
                "delete records of",
                name,
            )
            .map_err(|error| error.in_partition(partition).at_offset(offset))?;
            deleted.insert(partition, Offset::new(result.low_watermark));
        }
        Ok(deleted)
    }

    /// The configuration in force for a topic, with the source of each value.
    pub async fn topic_config(&self, name: &str) -> Result<Vec<ConfigEntry>> {
        let resource = DescribeConfigsResource {
            resource_type: RESOURCE_TOPIC,
            resource_name: Str::from(name),
            configuration_keys: None,
            ..Default::default()
        };
        let request = DescribeConfigsRequest {
            resources: vec![resource],
            include_synonyms: false,
            include_documentation: true,
            ..Default::default()
        };
        let response = self.call(Node::Any, request).await?;
        let result = response
            .results
            .into_iter()
            .next()
            .ok_or_else(|| error_codes::no_answer("DescribeConfigs"))?;
        checked(
            error_codes::code(result.error_code),
            result.error_message.as_deref(),
            "describe",
            name,
        )?;
        let entries = result.configs.into_iter().map(|config| ConfigEntry {
            name: config.name.to_string(),
            value: config.value.as_deref().map(str::to_owned),
            source: source_name(config.config_source),
            documentation: config.documentation.as_deref().map(str::to_owned),
        });
        Ok(entries.collect())
    }

    fn admin_timeout_ms(&self) -> i32 {
        i32::try_from(self.config().request_timeout.as_millis()).unwrap_or(i32::MAX)
    }
}

fn checked(code: ErrorCode, told: Option<&str>, doing: &str, topic: &str) -> Result<()> {
    if code == ErrorCode::None {
        return Ok(());
    }
    Err(error_codes::error(code, told, &format!("{doing} topic \"{topic}\"")).in_topic(topic))
}

/// Kafka's `ConfigSource`.
fn source_name(source: i8) -> &'static str {
    match source {
        1 => "DYNAMIC_TOPIC_CONFIG",
        2 => "DYNAMIC_BROKER_CONFIG",
        3 => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        4 => "STATIC_BROKER_CONFIG",
        5 => "DEFAULT_CONFIG",
        _ => "UNKNOWN",
    }
}
