//! Changes to the configuration of topics and of the running broker.

use std::collections::HashSet;
use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::config::{BROKER, TOPIC, check_topic};
use headwater_metadata::{
    BrokerConfig, Definition, Image, Layer, MetadataRecord, NodeId, RESOURCE_BROKER,
    RESOURCE_TOPIC, TopicConfig, Value,
};
use headwater_protocol::{ConfigRecord, ErrorCode};

use super::{Controller, Proposal, resolve_broker};
use crate::config_layers::broker_of;
use crate::log_config::log_config;
use crate::metadata_log::CommitError;
use crate::partitions::Topic;
use crate::refusal::Refusal;

/// A change of one key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) name: &'a str,
    pub(crate) operation: Operation,
    pub(crate) value: Option<&'a str>,
}

/// The operation on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Set,
    Delete,
    Append,
    Subtract,
}

/// The resource that is changed.
enum Target {
    Topic,
    Broker(Option<NodeId>),
}

impl<E: Env> Controller<E> {
    /// Changes keys of one resource, all or none: validates them, makes them durable, then applies them.
    pub(crate) async fn change_configs(
        self: &Arc<Self>,
        resource: (i8, &str),
        changes: &[Change<'_>],
        validate_only: bool,
    ) -> Result<(), Refusal> {
        match self.propose_configs(resource, changes, validate_only)? {
            Some(proposal) => Ok(proposal.decided().await?),
            None => Ok(()),
        }
    }

    /// Proposes changes of one resource; `None` if they are only validated.
    fn propose_configs(
        self: &Arc<Self>,
        (resource_type, name): (i8, &str),
        changes: &[Change<'_>],
        validate_only: bool,
    ) -> Result<Option<Proposal>, Refusal> {
        let mut turn = self.changes();
        let image = turn.image();
        let target = self.target(&image, resource_type, name)?;
        let (layer, below) = self.present(&image, &target, name);
        let altered = with_changes(&layer, &below, changes)?;
        if let Target::Broker(node) = target {
            check_dynamic(changes)?;
            check_topic(
                &Layer::new(&TOPIC),
                self.with_broker(&image, node, &altered).layer(),
            )?;
        } else {
            check_topic(&altered, self.config().layer())?;
        }
        if validate_only {
            return Ok(None);
        }
        let records = records((resource_type, name), &layer, &altered);
        let (controller, name) = (Arc::clone(self), name.to_owned());
        let apply = move |made: &Result<(), CommitError>| {
            if made.is_err() {
                return;
            }
            match target {
                Target::Topic => controller
                    .partitions
                    .topic(&name)
                    .iter()
                    .for_each(|topic| controller.reconfigure(topic)),
                Target::Broker(_) => controller.reconfigure_broker(),
            }
        };
        Ok(Some(turn.propose(records, apply)))
    }

    fn target(&self, image: &Image, resource_type: i8, name: &str) -> Result<Target, Refusal> {
        match resource_type {
            RESOURCE_TOPIC => image
                .topic(name)
                .map(|_| Target::Topic)
                .ok_or_else(|| Refusal::unknown_topic(name)),
            RESOURCE_BROKER => broker_of(&self.node, name).map(Target::Broker),
            other => {
                let message = format!(
                    "resources of type {other} cannot be configured here: use a topic ({RESOURCE_TOPIC}) or a broker ({RESOURCE_BROKER})"
                );
                Err(Refusal::new(ErrorCode::InvalidRequest, message))
            }
        }
    }

    /// The values that the resource sets, and the layer below it, for append and subtract on lists.
    fn present(&self, image: &Image, target: &Target, name: &str) -> (Layer, Layer) {
        match target {
            Target::Topic => {
                let own = image
                    .topic_config(name)
                    .map_or_else(|| Layer::new(&TOPIC), |layer| (**layer).clone());
                (own, self.config().layer().clone())
            }
            Target::Broker(node) => {
                let own = image
                    .broker_config(*node)
                    .map_or_else(|| Layer::new(&BROKER), |layer| (**layer).clone());
                (own, self.node.static_config.layer().clone())
            }
        }
    }

    /// The configuration of this broker if `altered` is set on `node`, or on all brokers.
    fn with_broker(&self, image: &Image, node: Option<NodeId>, altered: &Layer) -> BrokerConfig {
        let layer_of = |of: Option<NodeId>| {
            if of == node {
                Some(altered)
            } else {
                image.broker_config(of).map(|layer| &**layer)
            }
        };
        let layers = [layer_of(None), layer_of(Some(self.node.id))];
        let over = |config: BrokerConfig, layer: &Layer| config.overlaid(layer);
        layers
            .into_iter()
            .flatten()
            .fold(self.node.static_config.clone(), over)
    }

    /// Applies the configuration of the image to all partitions of a topic.
    fn reconfigure(&self, topic: &Topic<E>) {
        self.partitions.reconfigure(topic, || {
            let config: Arc<TopicConfig> = self.topic_config(&self.image(), &topic.name);
            let log = log_config(&config, &self.config());
            (config, log)
        });
    }

    fn reconfigure_broker(&self) {
        let config = resolve_broker(&self.image(), self.node.id, &self.node.static_config);
        *self.config.write() = Arc::new(config);
        for topic in self.partitions.topics() {
            self.reconfigure(&topic);
        }
    }
}

/// The layer after the changes.
fn with_changes(layer: &Layer, below: &Layer, changes: &[Change<'_>]) -> Result<Layer, Refusal> {
    let mut seen = HashSet::new();
    let mut altered = layer.clone();
    for change in changes {
        let definition = layer.table().require(change.name)?;
        if !seen.insert(definition.name) {
            return Err(Refusal::new(
                ErrorCode::InvalidRequest,
                format!("the request changes {} twice", change.name),
            ));
        }
        match (change.operation, change.value) {
            (Operation::Delete, _) => {
                altered.unset(definition.name);
            }
            (_, None) => {
                return Err(Refusal::new(
                    ErrorCode::InvalidRequest,
                    format!("{} needs a value", change.name),
                ));
            }
            (Operation::Set, Some(value)) => altered.set(definition.name, value)?,
            (Operation::Append | Operation::Subtract, Some(value)) => {
                let words = edited(definition, layer, below, change.operation, value)?;
                altered.set(definition.name, &words)?;
            }
        }
    }
    Ok(altered)
}

/// Adds words to a list or removes them.
fn edited(
    definition: &'static Definition,
    layer: &Layer,
    below: &Layer,
    operation: Operation,
    value: &str,
) -> Result<String, Refusal> {
    let Value::List(given) = definition.parse(value)? else {
        let message = format!("{} is not a list: set it instead", definition.name);
        return Err(Refusal::new(ErrorCode::InvalidConfig, message));
    };
    let inherited = definition
        .synonyms
        .iter()
        .find_map(|(name, _)| below.get(name))
        .cloned();
    let present = layer
        .get(definition.name)
        .cloned()
        .or(inherited)
        .or_else(|| layer.value(definition.name));
    let mut words = match present {
        Some(Value::List(words)) => words,
        _ => Vec::new(),
    };
    match operation {
        Operation::Subtract => words.retain(|word| !given.contains(word)),
        _ => words.extend(given),
    }
    Ok(words.join(","))
}

fn check_dynamic(changes: &[Change<'_>]) -> Result<(), Refusal> {
    let fixed = changes.iter().find(|change| {
        BROKER
            .find(change.name)
            .is_some_and(|definition| !definition.dynamic)
    });
    match fixed {
        None => Ok(()),
        Some(change) => {
            let dynamic: Vec<_> = BROKER
                .definitions()
                .iter()
                .filter(|definition| definition.dynamic)
                .map(|definition| definition.name)
                .collect();
            let message = format!(
                "{} cannot be changed while the broker runs: set it when opening. Dynamic keys: {}",
                change.name,
                dynamic.join(", ")
            );
            Err(Refusal::new(ErrorCode::InvalidConfig, message))
        }
    }
}

/// The metadata records that change `before` to `after`.
fn records(
    (resource_type, name): (i8, &str),
    before: &Layer,
    after: &Layer,
) -> Vec<MetadataRecord> {
    let record = |key: &str, value: Option<&Value>| {
        MetadataRecord::Config(ConfigRecord {
            resource_type,
            resource_name: name.into(),
            name: key.into(),
            value: value.map(|value| value.to_string().into()),
            ..ConfigRecord::default()
        })
    };
    let gone = before
        .iter()
        .filter(|(key, _)| after.get(key).is_none())
        .map(|(key, _)| record(key, None));
    let set = after
        .iter()
        .filter(|(key, value)| before.get(key) != Some(value))
        .map(|(key, value)| record(key, Some(value)));
    gone.chain(set).collect()
}
