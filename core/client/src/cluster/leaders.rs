//! Requests that go to the leaders of partitions.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_record::PartitionId;

use super::Cluster;
use super::topic_metadata::TopicMetadata;
use crate::error::Result;
use crate::transport::Node;

/// Partitions of one topic that one broker leads.
#[derive(Debug, Clone)]
pub(crate) struct LedPartitions {
    pub(crate) leader: Node,
    pub(crate) topic: Arc<TopicMetadata>,
    pub(crate) partitions: Vec<PartitionId>,
}

impl Cluster {
    /// Calls `ask` once for each leader of `partitions`, all at the same time, and collects what they return. The first error is the error.
    /// `doing` says in the error what a partition without a leader was needed for.
    pub(crate) async fn per_leader<T, F: Future<Output = Result<T>>>(
        &self,
        topic: &str,
        partitions: &[PartitionId],
        doing: &str,
        ask: impl Fn(LedPartitions) -> F,
    ) -> Result<Vec<T>> {
        let topic = self.topic_metadata(topic).await?;
        let mut leaders: BTreeMap<i32, Vec<PartitionId>> = BTreeMap::new();
        for partition in partitions {
            let leader = topic.require_leader(*partition, doing)?;
            leaders.entry(leader).or_default().push(*partition);
        }
        let asked = leaders.into_iter().map(|(leader, partitions)| {
            ask(LedPartitions {
                leader: Node::Id(leader),
                topic: Arc::clone(&topic),
                partitions,
            })
        });
        futures_util::future::try_join_all(asked).await
    }
}
