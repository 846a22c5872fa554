//! `IncrementalAlterConfigs` (key 44), versions 0-1.
//!
//! Behaviour: sets (0), resets (1), appends to (2) or subtracts from (3) single keys of a topic or of this broker. The
//! changes of a resource are applied all or none; they are durable and in force before the response.
//!
//! Notes: only lists support append and subtract. A running broker accepts changes of its dynamic keys only
//! (`INVALID_CONFIG` names the others); an empty broker name means all brokers. A resource that appears twice is
//! `INVALID_REQUEST`.

use std::sync::Arc;

use headwater_env::Env;
use headwater_protocol::incremental_alter_configs_request::AlterConfigsResource;
use headwater_protocol::incremental_alter_configs_response::AlterConfigsResourceResponse;
use headwater_protocol::{
    ErrorCode, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, Str,
};

use super::support::errors::Refusal;
use super::support::resources::{check_not_repeated, repeated};
use crate::RequestContext;
use crate::controller::{Change, Controller, Operation};

/// Handles the request.
pub(super) async fn handle<E: Env>(
    controller: &Arc<Controller<E>>,
    _context: &RequestContext,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let validate_only = request.validate_only;
    let twice = repeated(request.resources.iter().map(name));
    let mut responses = Vec::with_capacity(request.resources.len());
    for resource in request.resources {
        let named = check_not_repeated(&twice, name(&resource));
        let result = match named.and_then(|()| changes(&resource)) {
            Ok(changes) => {
                let resource = (resource.resource_type, &*resource.resource_name);
                controller
                    .change_configs(resource, &changes, validate_only)
                    .await
            }
            Err(refusal) => Err(refusal),
        };
        let (code, message) = match result {
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
    IncrementalAlterConfigsResponse {
        responses,
        ..IncrementalAlterConfigsResponse::default()
    }
}

fn name(resource: &AlterConfigsResource) -> (i8, &Str) {
    (resource.resource_type, &resource.resource_name)
}

fn changes(resource: &AlterConfigsResource) -> Result<Vec<Change<'_>>, Refusal> {
    let change =
        |config: &'_ headwater_protocol::incremental_alter_configs_request::AlterableConfig| {
            let operation = match config.config_operation {
                0 => Operation::Set,
                1 => Operation::Delete,
                2 => Operation::Append,
                3 => Operation::Subtract,
                other => {
                    return Err(Refusal::new(
                        ErrorCode::InvalidRequest,
                        format!("{other} is not a valid operation: use 0 to 3"),
                    ));
                }
            };
            Ok(operation)
        };
    resource
        .configs
        .iter()
        .map(|config| {
            Ok(Change {
                name: &config.name,
                operation: change(config)?,
                value: config.value.as_deref(),
            })
        })
        .collect()
}
