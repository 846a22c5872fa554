//! `ApiVersions` (key 18), versions 0-4.
//!
//! Behaviour: lists what this broker answers, from the table that dispatches it, and the features of the cluster.
//!
//! Notes: an unknown version is the network layer's to answer, in layout 0 with `UNSUPPORTED_VERSION` and these ranges.

use headwater_env::Env;
use headwater_protocol::api_versions_response::{
    ApiVersion, FinalizedFeatureKey, SupportedFeatureKey,
};
use headwater_protocol::{ApiVersionsRequest, ApiVersionsResponse, ErrorCode};

use super::SERVED;
use crate::RequestContext;
use crate::state::State;

const METADATA_VERSION: &str = "metadata.version";

/// Answers the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
    _context: &RequestContext,
    _request: ApiVersionsRequest,
) -> ApiVersionsResponse {
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
    let image = state.image();
    let level = image.feature(METADATA_VERSION).unwrap_or(0);
    ApiVersionsResponse {
        error_code: ErrorCode::None.code(),
        api_keys,
        supported_features: vec![SupportedFeatureKey {
            name: METADATA_VERSION.into(),
            min_version: level,
            max_version: level,
            ..SupportedFeatureKey::default()
        }],
        finalized_features_epoch: state.metadata_log.log_end_offset().get(),
        finalized_features: vec![FinalizedFeatureKey {
            name: METADATA_VERSION.into(),
            min_version_level: level,
            max_version_level: level,
            ..FinalizedFeatureKey::default()
        }],
        ..ApiVersionsResponse::default()
    }
}
