//! Reads the configuration of topics and brokers, and changes that of topics.

use std::collections::{BTreeMap, BTreeSet};

use headwater_metadata::config::{self, canonical_key};
use headwater_protocol::describe_configs_request::DescribeConfigsResource;
use headwater_protocol::describe_configs_response::DescribeConfigsResult;
use headwater_protocol::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use headwater_protocol::{DescribeConfigsRequest, ErrorCode, IncrementalAlterConfigsRequest, Str};

use super::{Admin, check, check_topic};
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes::only;
use crate::transport::Node;

/// Kafka's `ConfigResource.Type`.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
/// Kafka's `AlterConfigOp.OpType`.
const SET: i8 = 0;
const DELETE: i8 = 1;

/// One configuration entry of a topic or a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Kafka's key.
    pub name: String,
    /// The value in force; `None` for a secret.
    pub value: Option<String>,
    /// The source of the value, by its name in Kafka's `ConfigSource`.
    pub source: &'static str,
    /// Its description.
    pub documentation: Option<String>,
}

impl Admin {
    /// The effective configuration of a topic, with the source of each value.
    pub async fn topic_config(&self, name: &str) -> Result<Vec<ConfigEntry>> {
        let request = described(TOPIC, name);
        let described = self
            .cluster
            .retried(None, || async {
                let response = self.cluster.call(Node::Any, request.clone()).await?;
                let result = only(response.results, "DescribeConfigs")?;
                let reason = result.error_message.as_deref();
                check_topic(result.error_code, reason, "describe", name)
                    .map_err(|error| self.retriable_if_expected(error, name))?;
                Ok(entries(result))
            })
            .await;
        match described {
            Err(error) => Err(self.cluster.with_nearest_topic(error).await),
            described => described,
        }
    }

    /// The effective configuration of a broker, with the source of each value. `None`: the broker with the lowest id.
    pub async fn broker_config(&self, broker: Option<i32>) -> Result<Vec<ConfigEntry>> {
        self.cluster
            .retried(None, || async {
                let id = self.broker_id(broker).await?;
                let name = id.to_string();
                let request = described(BROKER, &name);
                let response = self.cluster.call(Node::Id(id), request).await?;
                let result = only(response.results, "DescribeConfigs")?;
                let reason = result.error_message.as_deref();
                check(
                    result.error_code,
                    reason,
                    &format!("describe broker {name}"),
                )?;
                Ok(entries(result))
            })
            .await
    }

    /// The id of a broker of the cluster: this one, or by default the lowest.
    async fn broker_id(&self, broker: Option<i32>) -> Result<i32> {
        let brokers = self.cluster.brokers().await?;
        let ids = brokers.into_iter().filter_map(|node| match node {
            Node::Id(id) => Some(id),
            Node::Any => None,
        });
        let ids: BTreeSet<i32> = ids.collect();
        let found = match broker {
            Some(broker) => ids.get(&broker),
            None => ids.first(),
        };
        found.copied().ok_or_else(|| {
            let known: Vec<_> = ids.iter().map(i32::to_string).collect();
            Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "The cluster has no broker {}: its brokers are {}.",
                    broker.unwrap_or_default(),
                    known.join(", ")
                ),
            )
        })
    }

    /// Makes the error for an unknown topic retriable if this client has recently created or used the topic: the broker
    /// may lag behind.
    fn retriable_if_expected(&self, error: Error, topic: &str) -> Error {
        let is_unknown = error.code() == ErrorCode::UnknownTopicOrPartition;
        if is_unknown && self.cluster.may_exist(topic) {
            return error.retriable(true);
        }
        error
    }

    /// Sets entries (`Some`), or resets them to their defaults (`None`).
    pub(super) async fn alter_config(
        &self,
        name: &str,
        config: &BTreeMap<String, Option<String>>,
    ) -> Result<()> {
        let entry = |(key, value): (&String, &Option<String>)| {
            let value = value.as_deref().map(|value| topic_value(name, key, value));
            Ok(AlterableConfig {
                name: Str::from(canonical_key(key)),
                config_operation: if value.is_some() { SET } else { DELETE },
                value: value.transpose()?,
                ..Default::default()
            })
        };
        let configs = config.iter().map(entry).collect::<Result<_>>()?;
        let resource = AlterConfigsResource {
            resource_type: TOPIC,
            resource_name: Str::from(name),
            configs,
            ..Default::default()
        };
        let request = IncrementalAlterConfigsRequest {
            resources: vec![resource],
            validate_only: false,
            ..Default::default()
        };
        self.at_controller(request, |response| {
            let result = only(response.responses, "IncrementalAlterConfigs")?;
            let reason = result.error_message.as_deref();
            check_topic(result.error_code, reason, "configure", name)
        })
        .await
    }
}

/// A request for all entries of a resource.
fn described(resource_type: i8, name: &str) -> DescribeConfigsRequest {
    let resource = DescribeConfigsResource {
        resource_type,
        resource_name: Str::from(name),
        configuration_keys: None,
        ..Default::default()
    };
    DescribeConfigsRequest {
        resources: vec![resource],
        include_synonyms: false,
        include_documentation: true,
        ..Default::default()
    }
}

fn entries(result: DescribeConfigsResult) -> Vec<ConfigEntry> {
    let entries = result.configs.into_iter().map(|config| ConfigEntry {
        name: config.name.to_string(),
        value: config.value.as_deref().map(str::to_owned),
        source: source_name(config.config_source),
        documentation: config.documentation.as_deref().map(str::to_owned),
    });
    entries.collect()
}

/// The value of a topic's key in Kafka's spelling. The broker checks it, and may have keys that this client has not.
pub(super) fn topic_value(topic: &str, key: &str, given: &str) -> Result<Str> {
    let Some(definition) = config::TOPIC.find(&canonical_key(key)) else {
        return Ok(Str::from(given));
    };
    let written = definition
        .written(given)
        .map_err(|error| Error::from(error).in_topic(topic))?;
    Ok(Str::from(&*written))
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
