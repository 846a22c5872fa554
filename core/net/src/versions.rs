//! The API versions that a broker and this client share.

use hashbrown::HashMap;
use headwater_protocol::api_versions_response::ApiVersion;
use headwater_protocol::{ApiKey, VersionRange};

use crate::error::ConnectionError;

/// What a broker supports, from its `ApiVersions` response.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeVersions {
    supported: HashMap<ApiKey, VersionRange>,
}

impl NodeVersions {
    pub(crate) fn new(api_keys: &[ApiVersion]) -> Self {
        let known = |api: &ApiVersion| {
            let key = ApiKey::from_code(api.api_key)?;
            Some((key, VersionRange::new(api.min_version, api.max_version)))
        };
        Self {
            supported: api_keys.iter().filter_map(known).collect(),
        }
    }

    /// The highest version of `api` that both sides have.
    pub(crate) fn highest_common(&self, api: ApiKey) -> Result<i16, ConnectionError> {
        let theirs = self.supported.get(&api).copied();
        let common = theirs.and_then(|theirs| theirs.intersection(api.supported()));
        match common {
            Some(common) => Ok(common.highest),
            None => Err(ConnectionError::no_common_version(api, theirs)),
        }
    }

    /// What the broker supports of `api`.
    pub(crate) fn supported(&self, api: ApiKey) -> Option<VersionRange> {
        self.supported.get(&api).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broker(key: i16, lowest: i16, highest: i16) -> NodeVersions {
        NodeVersions::new(&[ApiVersion {
            api_key: key,
            min_version: lowest,
            max_version: highest,
            ..ApiVersion::default()
        }])
    }

    #[test]
    fn the_highest_common_version_is_taken() {
        let fetch = ApiKey::Fetch.code();
        let highest =
            |lowest, highest| broker(fetch, lowest, highest).highest_common(ApiKey::Fetch);
        assert_eq!(highest(0, 12).unwrap(), 12);
        assert_eq!(highest(0, 99).unwrap(), ApiKey::Fetch.supported().highest);
    }

    #[test]
    fn a_missing_version_says_which_side_is_too_old() {
        let fetch = ApiKey::Fetch.code();
        let message = |versions: NodeVersions| {
            versions
                .highest_common(ApiKey::Fetch)
                .unwrap_err()
                .to_string()
        };
        assert!(message(broker(fetch, 0, 3)).contains("use a newer broker"));
        assert!(message(broker(fetch, 90, 99)).contains("use a newer Headwater"));
        assert!(message(NodeVersions::default()).contains("does not support Fetch"));
        assert!(message(broker(i16::MAX, 0, 9)).contains("does not support Fetch"));
    }
}
