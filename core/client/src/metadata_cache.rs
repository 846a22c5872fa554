//! What the client knows of topics and leaders.

use crate::config::ClientConfig;

pub(crate) struct MetadataCache {}

impl MetadataCache {
    pub(crate) fn new(config: &ClientConfig) -> Self {
        let _ = config;
        Self {}
    }
}
