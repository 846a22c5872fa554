//! The configuration of `open`: the keys of the broker and of the client in one list.

use headwater_client::config::client::CLIENT;
use headwater_client::{ClientConfig, Result};
use headwater_metadata::BrokerConfig;
use headwater_metadata::config::canonical_key;

/// The configurations of the broker and of the client.
#[derive(Debug, Clone)]
pub(crate) struct EngineConfig {
    pub(crate) broker: BrokerConfig,
    pub(crate) client: ClientConfig,
}

impl EngineConfig {
    /// Whether an engine opened with `other` can be shared: the broker's part must be equal.
    pub(crate) fn goes_with(&self, other: &Self) -> bool {
        self.broker.layer().is_empty() || self.broker == other.broker
    }
}

/// Assigns each key to its table. The broker's table reports unknown keys.
pub(crate) fn split<K: AsRef<str>, V: AsRef<str>>(
    pairs: impl IntoIterator<Item = (K, V)>,
) -> Result<EngineConfig> {
    let pairs: Vec<(String, String)> = pairs
        .into_iter()
        .map(|(key, value)| (canonical_key(key.as_ref()), value.as_ref().to_owned()))
        .collect();
    let (client, broker): (Vec<_>, Vec<_>) = pairs
        .into_iter()
        .partition(|(key, _)| CLIENT.find(key).is_some());
    Ok(EngineConfig {
        broker: BrokerConfig::parse(broker)?,
        client: ClientConfig::parse(client)?,
    })
}
