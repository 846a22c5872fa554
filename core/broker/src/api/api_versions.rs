//! `ApiVersions` (key 18), versions 0-4.
//!
//! Behaviour: lists what this broker answers, from the table that dispatches it, and the features of the cluster with their levels. From
//! version 3 on the client says what software it is, and is refused if that is no name (`INVALID_REQUEST`).
//!
//! Notes: an unknown version is the network layer's to answer, in layout 0 with `UNSUPPORTED_VERSION` and these ranges. Clients before
//! version 4 cannot read a feature that may be at level 0, and are not told of it.

use headwater_env::Env;
use headwater_metadata::Image;
use headwater_protocol::api_versions_response::{
    ApiVersion, FinalizedFeatureKey, SupportedFeatureKey,
};
use headwater_protocol::{ApiVersionsRequest, ApiVersionsResponse, ErrorCode};

use super::SERVED;
use crate::RequestContext;
use crate::features::{FEATURES, Feature};
use crate::state::State;

/// From this version on a client names its software.
const SOFTWARE_SINCE: i16 = 3;
/// From this version on a client can read a feature whose lowest level is 0.
const LEVEL_ZERO_SINCE: i16 = 4;

/// Answers the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
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
        finalized_features_epoch: state.metadata_log.log_end_offset().get(),
        finalized_features: finalized(&state.image()),
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

/// The levels in force.
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

/// Letters and digits, with dots and dashes between them.
fn is_software_name(name: &str) -> bool {
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let ends = [name.bytes().next(), name.bytes().next_back()];
    ends.iter()
        .all(|byte| byte.is_some_and(|byte| byte.is_ascii_alphanumeric()))
        && name.as_bytes().iter().all(is_inner)
}
