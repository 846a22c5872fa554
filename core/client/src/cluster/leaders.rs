//! Requests to the leaders of partitions.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_record::PartitionId;

use super::Cluster;
use super::topic_metadata::TopicMetadata;
use crate::error::Result;
use crate::transport::Node;

/// Partitions of one topic with the same leader.
#[derive(Debug, Clone)]
pub(crate) struct LeaderPartitions {
    pub(crate) leader: Node,
    pub(crate) topic: Arc<TopicMetadata>,
    pub(crate) partitions: Vec<PartitionId>,
}

impl Cluster {
    /// Calls `send` once for each leader of `partitions`, concurrently, and collects the results. Returns the first
    /// error. `operation` appears in the error of a partition without a leader.
    pub(crate) async fn per_leader<T, F: Future<Output = Result<T>>>(
        &self,
        topic: &str,
        partitions: &[PartitionId],
        operation: &str,
        send: impl Fn(LeaderPartitions) -> F,
    ) -> Result<Vec<T>> {
        let topic = self.topic_metadata(topic).await?;
        let mut leaders: BTreeMap<i32, Vec<PartitionId>> = BTreeMap::new();
        for partition in partitions {
            let leader = topic.require_leader(*partition, operation)?;
            leaders.entry(leader).or_default().push(*partition);
        }
        let requests = leaders.into_iter().map(|(leader, partitions)| {
            send(LeaderPartitions {
                leader: Node::Id(leader),
                topic: Arc::clone(&topic),
                partitions,
            })
        });
        futures_util::future::try_join_all(requests).await
    }
}
