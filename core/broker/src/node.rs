//! This broker as a node of its cluster: its ids and the configuration that it was opened with.

use headwater_metadata::{BrokerConfig, Layer, NodeId, Value};

use crate::listeners::Listeners;

/// The ids of this broker, and the configuration that it was opened with.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) cluster_id: String,
    pub(crate) data_dir: String,
    /// The listeners of the broker's servers.
    pub(crate) listeners: Listeners,
    /// The configuration passed to `open`, without the dynamic changes. Topic configurations build on it.
    pub(crate) static_config: BrokerConfig,
}

impl Node {
    /// The configuration passed to `open`, with the actual node id, directory and listeners.
    pub(crate) fn stated_config(&self) -> Layer {
        let mut layer = self.static_config.layer().clone();
        layer.state("node.id", Value::Integer(i64::from(self.id)));
        layer.state("log.dirs", Value::List(vec![self.data_dir.clone()]));
        if let Some((listeners, advertised)) = self.listeners.values() {
            layer.state("listeners", listeners);
            layer.state("advertised.listeners", advertised);
        }
        layer
    }
}
