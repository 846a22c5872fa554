//! `AlterConfigs` (key 33), versions 0-2.
//!
//! Behaviour: replaces the whole configuration of a topic or of this broker. Keys that are not in the request return to
//! their default.
//!
//! Notes: a resource that appears twice is `INVALID_REQUEST`. Kafka keeps this API for old clients; new ones use
//! `IncrementalAlterConfigs`.

use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::{RESOURCE_BROKER, RESOURCE_TOPIC};
use headwater_protocol::alter_configs_request::AlterConfigsResource;
use headwater_protocol::alter_configs_response::AlterConfigsResourceResponse;
use headwater_protocol::{AlterConfigsRequest, AlterConfigsResponse, ErrorCode, Str};

use super::support::errors::Refusal;
use super::support::resources::{check_not_repeated, repeated};
use crate::RequestContext;
use crate::config_layers::broker_of;
use crate::controller::{Change, Controller, Operation};

/// Handles the request.
pub(super) async fn handle<E: Env>(
    controller: &Arc<Controller<E>>,
    _context: &RequestContext,
    request: AlterConfigsRequest,
) -> AlterConfigsResponse {
    let validate_only = request.validate_only;
    let twice = repeated(request.resources.iter().map(name));
    let mut responses = Vec::with_capacity(request.resources.len());
    for resource in request.resources {
        let replaced = match check_not_repeated(&twice, name(&resource)) {
            Ok(()) => replace(controller, &resource, validate_only).await,
            Err(refusal) => Err(refusal),
        };
        let (code, message) = match replaced {
            Ok(()) => (ErrorCode::None, None),
            Err(refusal) => (refusal.code, Some(refusal.message.into())),
        };
        responses.push(AlterConfigsResourceResponse {
            error_code: code.code(),
            error_message: message,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
            ..AlterConfigsResourceResponse::default()
        });
    }
    AlterConfigsResponse {
        responses,
        ..AlterConfigsResponse::default()
    }
}

fn name(resource: &AlterConfigsResource) -> (i8, &Str) {
    (resource.resource_type, &resource.resource_name)
}

async fn replace<E: Env>(
    controller: &Arc<Controller<E>>,
    resource: &AlterConfigsResource,
    validate_only: bool,
) -> Result<(), Refusal> {
    let name = &*resource.resource_name;
    let image = controller.image();
    let present = match resource.resource_type {
        RESOURCE_TOPIC => image.topic_config(name).cloned(),
        RESOURCE_BROKER => image
            .broker_config(broker_of(&controller.node, name)?)
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
    controller
        .change_configs((resource.resource_type, name), &changes, validate_only)
        .await
}
