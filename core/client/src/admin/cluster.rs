//! Describes the cluster.

use super::Admin;
use crate::error::Result;
use crate::transport::BrokerAddress;

/// The brokers of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterDescription {
    /// The id of the cluster, if the broker has returned one.
    pub cluster_id: Option<String>,
    /// The id of the controller, if it is known.
    pub controller: Option<i32>,
    /// The brokers, sorted by id.
    pub brokers: Vec<BrokerAddress>,
}

impl Admin {
    /// The brokers of the cluster, as one of them lists them now.
    pub async fn describe_cluster(&self) -> Result<ClusterDescription> {
        self.cluster
            .retried(None, || async {
                let mut described = self.cluster.describe().await?;
                described.brokers.sort_unstable_by_key(|broker| broker.id);
                Ok(described)
            })
            .await
    }
}
