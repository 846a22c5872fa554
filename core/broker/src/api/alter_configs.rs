//! `AlterConfigs` (key 33), versions 0-2.
//!
//! Behaviour: replaces the whole configuration of a topic or of this broker. Keys that are not in the request return to
//! their default.
//!
//! Notes: a resource that appears twice is `INVALID_REQUEST`. Kafka keeps this API for old clients; new ones use
//! `IncrementalAlterConfigs`.

use headwater_env::Env;
use headwater_metadata::{RESOURCE_BROKER, RESOURCE_TOPIC};
use headwater_protocol::alter_configs_request::AlterConfigsResource;
use headwater_protocol::alter_configs_response::AlterConfigsResourceResponse;
use headwater_protocol::{AlterConfigsRequest, AlterConfigsResponse, ErrorCode, Str};

use super::support::errors::Refusal;
use super::support::resources::{check_not_repeated, repeated};
use crate::RequestContext;
use crate::config_changes::{Change, Operation};
use crate::state::State;

/// Handles the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
    _context: &RequestContext,
    request: AlterConfigsRequest,
) -> AlterConfigsResponse {
    let validate_only = request.validate_only;
    let twice = repeated(request.resources.iter().map(name));
    let responses = request.resources.into_iter().map(|resource| {
        let replaced = check_not_repeated(&twice, name(&resource))
            .and_then(|()| replace(state, &resource, validate_only));
        let (code, message) = match replaced {
            Ok(()) => (ErrorCode::None, None),
            Err(refusal) => (refusal.code, Some(refusal.message.into())),
        };
        AlterConfigsResourceResponse {
            error_code: code.code(),
            error_message: message,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
            ..AlterConfigsResourceResponse::default()
        }
    });
    AlterConfigsResponse {
        responses: responses.collect(),
        ..AlterConfigsResponse::default()
    }
}

fn name(resource: &AlterConfigsResource) -> (i8, &Str) {
    (resource.resource_type, &resource.resource_name)
}

fn replace<E: Env>(
    state: &State<E>,
    resource: &AlterConfigsResource,
    validate_only: bool,
) -> Result<(), Refusal> {
    let name = &*resource.resource_name;
    let image = state.image();
    let present = match resource.resource_type {
        RESOURCE_TOPIC => image.topic_config(name).cloned(),
        RESOURCE_BROKER => image
            .broker_config(crate::config_layers::broker_of(state, name)?)
            .cloned(),
        _ => None,
    };
    let named = |key: &str| resource.configs.iter().any(|config| &*config.name == key);
    let gone = present
        .iter()
        .flat_map(|layer| layer.iter())
        .map(|(key, _)| key)
        .filter(|key| !named(key));
    let mut changes: Vec<_> = gone
        .map(|name| Change {
            name,
            operation: Operation::Delete,
            value: None,
        })
        .collect();
    changes.extend(resource.configs.iter().map(|config| {
        // In this API a null value resets the key.
        let operation = if config.value.is_some() {
            Operation::Set
        } else {
            Operation::Delete
        };
        Change {
            name: &config.name,
            operation,
            value: config.value.as_deref(),
        }
    }));
    state.change_configs((resource.resource_type, name), &changes, validate_only)
}
