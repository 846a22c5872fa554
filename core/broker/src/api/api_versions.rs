//! `ApiVersions` (key 18), versions 0-4.
//!
//! Behaviour: lists the supported APIs, from the table that also dispatches them, and the features of the cluster with
//! their levels. From version 3 on the client sends the name of its software; an invalid name is `INVALID_REQUEST`.
//!
//! Notes: the network layer answers unknown versions, in layout 0 with `UNSUPPORTED_VERSION` and these ranges. Clients
//! before version 4 cannot decode a feature whose lowest level is 0; the response leaves it out.

use headwater_env::Env;
use headwater_metadata::Image;
use headwater_protocol::api_versions_response::{
    ApiVersion, FinalizedFeatureKey, SupportedFeatureKey,
};
use headwater_protocol::{ApiVersionsRequest, ApiVersionsResponse, ErrorCode};

use super::SERVED;
use crate::RequestContext;
use crate::controller::Controller;
use crate::features::{FEATURES, Feature};

/// The first version with the client's software name.
const SOFTWARE_SINCE: i16 = 3;
/// The first version whose clients can decode a feature with lowest level 0.
const LEVEL_ZERO_SINCE: i16 = 4;

/// Handles the request.
pub(super) fn handle<E: Env>(
    controller: &Controller<E>,
    context: &RequestContext,
    request: ApiVersionsRequest,
) -> ApiVersionsResponse {
    let is_named = [
        &request.client_software_name,
        &request.client_software_version,
    ]
    .into_iter()
    .all(|name| is_software_name(name));
    if context.api_version.is_some() && context.is_at_least(SOFTWARE_SINCE) && !is_named {
        return ApiVersionsResponse {
            error_code: ErrorCode::InvalidRequest.code(),
            ..ApiVersionsResponse::default()
        };
    }
    let (image, epoch) = controller.versioned_image();
    let mut api_keys: Vec<_> = SERVED
        .iter()
        .map(|key| {
            let range = key.advertised();
            ApiVersion {
                api_key: key.code(),
                min_version: range.lowest,
                max_version: range.highest,
                ..ApiVersion::default()
            }
        })
        .collect();
    api_keys.sort_by_key(|api| api.api_key);
    let told = |feature: &&Feature| feature.lowest > 0 || context.is_at_least(LEVEL_ZERO_SINCE);
    ApiVersionsResponse {
        error_code: ErrorCode::None.code(),
        api_keys,
        supported_features: FEATURES.iter().filter(told).map(supported).collect(),
        finalized_features_epoch: epoch,
        finalized_features: finalized(&image),
        ..ApiVersionsResponse::default()
    }
}

fn supported(feature: &Feature) -> SupportedFeatureKey {
    SupportedFeatureKey {
        name: feature.name.into(),
        min_version: feature.lowest,
        max_version: feature.highest,
        ..SupportedFeatureKey::default()
    }
}

/// The finalized levels.
fn finalized(image: &Image) -> Vec<FinalizedFeatureKey> {
    let levels = FEATURES.iter().filter_map(|feature| {
        let level = image.feature(feature.name).filter(|level| *level > 0)?;
        Some(FinalizedFeatureKey {
            name: feature.name.into(),
            min_version_level: level,
            max_version_level: level,
            ..FinalizedFeatureKey::default()
        })
    });
    levels.collect()
}

/// Letters and digits, separated by dots and dashes.
fn is_software_name(name: &str) -> bool {
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let ends = [name.bytes().next(), name.bytes().next_back()];
    ends.iter()
        .all(|byte| byte.is_some_and(|byte| byte.is_ascii_alphanumeric()))
        && name.as_bytes().iter().all(is_inner)
}
