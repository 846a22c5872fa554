//! The versions of each API that a broker supports.

use std::collections::BTreeMap;

use headwater_protocol::{ApiKey, ApiVersionsResponse, VersionRange};

/// The versions of each API that a broker supports, as its `ApiVersions` response lists them. A transport has one for each connection,
/// because two brokers of a cluster, and one broker before and after an upgrade, may differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeVersions(BTreeMap<ApiKey, VersionRange>);

impl NodeVersions {
    /// The versions that this library supports.
    pub fn ours() -> Self {
        let supported = |api: &ApiKey| (*api, api.supported());
        Self(ApiKey::ALL.iter().map(supported).collect())
    }

    /// A broker with these APIs.
    pub fn new(apis: impl IntoIterator<Item = (ApiKey, VersionRange)>) -> Self {
        Self(apis.into_iter().collect())
    }

    /// The APIs of a response. Those that this library does not have are left out.
    pub fn of(response: &ApiVersionsResponse) -> Self {
        let apis = response.api_keys.iter().filter_map(|listed| {
            let api = ApiKey::from_code(listed.api_key)?;
            Some((
                api,
                VersionRange::new(listed.min_version, listed.max_version),
            ))
        });
        Self(apis.collect())
    }

    /// The versions of `api` that both the broker and this library support.
    pub fn common(&self, api: ApiKey) -> Option<VersionRange> {
        let broker = self.0.get(&api)?;
        api.supported().intersection(*broker)
    }
}
