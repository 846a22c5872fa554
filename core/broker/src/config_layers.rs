//! The configuration layers of a key, from the strongest to its default.

use std::sync::Arc;

use headwater_metadata::config::TopicView;
use headwater_metadata::{Definition, Image, Layer, NodeId, Source, Value};
use headwater_protocol::ErrorCode;

use crate::node::Node;
use crate::refusal::Refusal;

/// The values of a key, each with the name that set it. The strongest comes first; the default, if any, last.
#[derive(Debug, Clone, Default)]
pub(crate) struct LayeredValues {
    pub(crate) values: Vec<(&'static str, Value, Source)>,
}

impl LayeredValues {
    /// The values of a topic's key.
    pub(crate) fn of_topic(
        view: &TopicView<'_>,
        broker: &BrokerLayers,
        definition: &'static Definition,
    ) -> Self {
        let mut values: Vec<_> = view
            .topic
            .get(definition.name)
            .map(|value| (definition.name, value.clone(), Source::Topic))
            .into_iter()
            .collect();
        for (synonym, _) in definition.synonyms {
            values.extend(broker.set(synonym));
        }
        values.extend(default_of(definition));
        // Convert the effective value to the topic's own unit.
        if let (Some(first), Some((value, _))) = (values.first_mut(), view.lookup(definition)) {
            first.1 = value;
        }
        Self { values }
    }

    /// The effective value and its source.
    pub(crate) fn effective(&self) -> (Option<&Value>, Source) {
        self.values
            .first()
            .map_or((None, Source::Default), |(_, value, source)| {
                (Some(value), *source)
            })
    }
}

/// The configuration layers of a broker.
#[derive(Debug)]
pub(crate) struct BrokerLayers {
    own: Option<Arc<Layer>>,
    all: Option<Arc<Layer>>,
    given: Layer,
}

impl BrokerLayers {
    /// The layers of the broker with this id, or of all brokers for an empty name.
    pub(crate) fn new(this: &Node, image: &Image, name: &str) -> Result<Self, Refusal> {
        let node = broker_of(this, name)?;
        Ok(Self {
            own: node.and_then(|node| image.broker_config(Some(node)).cloned()),
            all: image.broker_config(None).cloned(),
            given: if node.is_some() {
                this.stated_config()
            } else {
                Layer::new(&headwater_metadata::config::BROKER)
            },
        })
    }

    /// The layers of this broker.
    pub(crate) fn of_this(this: &Node, image: &Image) -> Self {
        Self {
            own: image.broker_config(Some(this.id)).cloned(),
            all: image.broker_config(None).cloned(),
            given: this.stated_config(),
        }
    }

    /// The values of one key.
    pub(crate) fn of(&self, definition: &'static Definition) -> LayeredValues {
        let mut values: Vec<_> = self.set(definition.name).collect();
        values.extend(default_of(definition));
        LayeredValues { values }
    }

    /// The values that the layers set for one key.
    fn set(&self, name: &'static str) -> impl Iterator<Item = (&'static str, Value, Source)> {
        let layers = [
            (self.own.as_deref(), Source::DynamicBroker),
            (self.all.as_deref(), Source::DynamicDefaultBroker),
            (Some(&self.given), Source::StaticBroker),
        ];
        layers.into_iter().filter_map(move |(layer, source)| {
            let value = layer?.get(name)?;
            Some((name, value.clone(), source))
        })
    }
}

/// Parses a broker name: this broker, or all brokers if the name is empty.
pub(crate) fn broker_of(this: &Node, name: &str) -> Result<Option<NodeId>, Refusal> {
    if name.is_empty() {
        return Ok(None);
    }
    match name.parse() {
        Ok(node) if node == this.id => Ok(Some(node)),
        _ => {
            let message = format!("unknown broker \"{name}\": this one is {}", this.id);
            Err(Refusal::new(ErrorCode::InvalidRequest, message))
        }
    }
}

fn default_of(definition: &'static Definition) -> Option<(&'static str, Value, Source)> {
    let written = definition.default?;
    let value = definition.parse(written).ok()?;
    Some((definition.name, value, Source::Default))
}
