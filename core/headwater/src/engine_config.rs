//! What `open` takes: the broker's keys and the client's, in one list.

use headwater_client::config::client::CLIENT;
use headwater_client::{ClientConfig, Result};
use headwater_metadata::BrokerConfig;
use headwater_metadata::config::canonical_key;

/// The two halves of a configuration.
#[derive(Debug, Clone)]
pub(crate) struct EngineConfig {
    pub(crate) broker: BrokerConfig,
    pub(crate) client: ClientConfig,
}

impl EngineConfig {
    /// Whether somebody who asks for this may share an engine that was opened with `other`: the client's part is everybody's own.
    pub(crate) fn goes_with(&self, other: &Self) -> bool {
        self.broker.layer().is_empty() || self.broker == other.broker
    }
}

/// Gives each pair to whom it belongs. An unknown key is the broker's to refuse.
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
