//! `DescribeConfigs` (key 32), versions 1-4.
//!
//! Behaviour: every key of a topic or of this broker with its value, source and type, and on request its synonyms and
//! documentation. `configuration_keys` selects keys; unknown keys are left out, as in Kafka.
//!
//! Notes: a resource that appears several times is described as often, up to a limit that keeps a short request from
//! causing a huge response. Other resources (groups, loggers) have no configuration here yet: `INVALID_REQUEST`.

use std::collections::HashMap;

use headwater_env::Env;
use headwater_metadata::config::{BROKER, TOPIC, TopicView};
use headwater_metadata::{
    Definition, Image, Kind, Layer, RESOURCE_BROKER, RESOURCE_TOPIC, Source, Value,
};
use headwater_protocol::create_topics_response::CreatableTopicConfigs;
use headwater_protocol::describe_configs_request::DescribeConfigsResource;
use headwater_protocol::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use headwater_protocol::{DescribeConfigsRequest, DescribeConfigsResponse, ErrorCode, Str};

use super::support::errors::Refusal;
use crate::RequestContext;
use crate::config_layers::{BrokerLayers, LayeredValues};
use crate::controller::Controller;

/// How often a request may contain one resource. The response is hundreds of times as long as the name.
const TIMES_MAX: usize = 100;

/// Handles the request.
pub(super) fn handle<E: Env>(
    controller: &Controller<E>,
    _context: &RequestContext,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let extras = Extras {
        synonyms: request.include_synonyms,
        documentation: request.include_documentation,
    };
    let mut named: HashMap<(i8, Str), usize> = HashMap::new();
    let results = request.resources.into_iter().map(|resource| {
        let key = (resource.resource_type, resource.resource_name.clone());
        let times = named.entry(key).or_default();
        *times += 1;
        let described = if *times > TIMES_MAX {
            Err(repeated_too_often(&resource.resource_name))
        } else {
            describe(controller, &resource, extras)
        };
        let (code, message, configs) = match described {
            Ok(configs) => (ErrorCode::None, None, configs),
            Err(refusal) => (refusal.code, Some(refusal.message.into()), Vec::new()),
        };
        DescribeConfigsResult {
            error_code: code.code(),
            error_message: message,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
            configs,
            ..DescribeConfigsResult::default()
        }
    });
    DescribeConfigsResponse {
        results: results.collect(),
        ..DescribeConfigsResponse::default()
    }
}

fn repeated_too_often(name: &str) -> Refusal {
    let message = format!(
        "the request names the resource \"{name}\" more than {TIMES_MAX} times: name it once"
    );
    Refusal::new(ErrorCode::InvalidRequest, message)
}

/// The configuration of a topic in the format of `CreateTopics`.
pub(super) fn creatable_configs<E: Env>(
    controller: &Controller<E>,
    image: &Image,
    name: &str,
) -> Vec<CreatableTopicConfigs> {
    let described = topic_configs(
        controller,
        image,
        name,
        &|_| true,
        Extras {
            synonyms: false,
            documentation: false,
        },
    );
    let convert = |config: DescribeConfigsResourceResult| CreatableTopicConfigs {
        name: config.name,
        value: config.value,
        read_only: config.read_only,
        config_source: config.config_source,
        is_sensitive: config.is_sensitive,
        ..CreatableTopicConfigs::default()
    };
    described.into_iter().map(convert).collect()
}

/// The optional parts of the response.
#[derive(Debug, Clone, Copy)]
struct Extras {
    synonyms: bool,
    documentation: bool,
}

fn describe<E: Env>(
    controller: &Controller<E>,
    resource: &DescribeConfigsResource,
    extras: Extras,
) -> Result<Vec<DescribeConfigsResourceResult>, Refusal> {
    let selects = |definition: &Definition| match &resource.configuration_keys {
        None => true,
        Some(keys) => keys.iter().any(|key| &**key == definition.name),
    };
    let name = &*resource.resource_name;
    let image = controller.image();
    match resource.resource_type {
        RESOURCE_TOPIC => {
            image
                .topic(name)
                .ok_or_else(|| Refusal::unknown_topic(name))?;
            Ok(topic_configs(controller, &image, name, &selects, extras))
        }
        RESOURCE_BROKER => {
            let layers = BrokerLayers::new(&controller.node, &image, name)?;
            let wanted = BROKER
                .definitions()
                .iter()
                .filter(|definition| selects(definition));
            Ok(wanted
                .map(|definition| entry(definition, &layers.of(definition), extras))
                .collect())
        }
        other => Err(Refusal::new(
            ErrorCode::InvalidRequest,
            format!(
                "resources of type {other} have no configuration here: describe a topic ({RESOURCE_TOPIC}) or a broker ({RESOURCE_BROKER})"
            ),
        )),
    }
}

fn topic_configs<E: Env>(
    controller: &Controller<E>,
    image: &Image,
    name: &str,
    selects: &dyn Fn(&Definition) -> bool,
    extras: Extras,
) -> Vec<DescribeConfigsResourceResult> {
    let nothing = Layer::new(&TOPIC);
    let topic = image.topic_config(name).map_or(&nothing, |layer| &**layer);
    let config = controller.config();
    let view = TopicView {
        topic,
        broker: config.layer(),
    };
    let broker = BrokerLayers::of_this(&controller.node, image);
    let wanted = TOPIC
        .definitions()
        .iter()
        .filter(|definition| selects(definition));
    let layered = |definition| LayeredValues::of_topic(&view, &broker, definition);
    wanted
        .map(|definition| entry(definition, &layered(definition), extras))
        .collect()
}

fn entry(
    definition: &'static Definition,
    layered: &LayeredValues,
    extras: Extras,
) -> DescribeConfigsResourceResult {
    let (value, source) = layered.effective();
    let synonym = |(name, value, source): &(&'static str, Value, Source)| DescribeConfigsSynonym {
        name: (*name).into(),
        value: Some(value.to_string().into()),
        source: source_code(*source),
        ..DescribeConfigsSynonym::default()
    };
    DescribeConfigsResourceResult {
        name: definition.name.into(),
        value: value.map(|value| value.to_string().into()),
        read_only: !definition.dynamic,
        config_source: source_code(source),
        is_sensitive: false,
        synonyms: if extras.synonyms {
            layered.values.iter().map(synonym).collect()
        } else {
            Vec::new()
        },
        config_type: type_code(definition.kind),
        documentation: extras.documentation.then(|| Str::from(definition.doc)),
        ..DescribeConfigsResourceResult::default()
    }
}

const fn source_code(source: Source) -> i8 {
    match source {
        Source::Topic => 1,
        Source::DynamicBroker => 2,
        Source::DynamicDefaultBroker => 3,
        Source::StaticBroker => 4,
        Source::Default => 5,
    }
}

const fn type_code(kind: Kind) -> i8 {
    match kind {
        Kind::Boolean => 1,
        Kind::Text | Kind::Choice { .. } => 2,
        Kind::Int { .. } => 3,
        Kind::Long { .. } => 5,
        Kind::Double { .. } => 6,
        Kind::List { .. } => 7,
    }
}
