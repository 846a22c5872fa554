//! Adds the cluster's address to errors about what the cluster has and allows.

use super::Cluster;
use crate::error::{Error, ErrorKind};

impl Cluster {
    /// Adds the bootstrap addresses to an error about an unknown topic or partition, or a missing access rule: the
    /// client may be connected to the wrong cluster. Returns other errors, and those of an embedded engine, unchanged.
    pub(crate) fn located(&self, error: Error) -> Error {
        if !matches!(
            error.kind(),
            ErrorKind::UnknownTopicOrPartition | ErrorKind::Permission
        ) {
            return error;
        }
        match self.transport.bootstrap_servers() {
            Some(servers) if !error.message().starts_with(&servers) => {
                let message = format!("{servers}: {}", error.message());
                error.with_message(message)
            }
            _ => error,
        }
    }
}
