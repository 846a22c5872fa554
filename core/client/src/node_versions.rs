//! The versions of each API that a broker supports.

use std::collections::BTreeMap;

use headwater_protocol::{ApiKey, ApiVersionsResponse, VersionRange};

/// The versions of each API that a broker supports, from its `ApiVersions` response. A transport has this for each
/// connection, because brokers of a cluster may differ, and so may a broker before and after an upgrade.
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

    /// The APIs in a response. Leaves out those that this library does not have.
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
