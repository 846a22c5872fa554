//! The size of logs on disk.

use std::collections::{BTreeMap, BTreeSet};

use headwater_protocol::describe_log_dirs_request::DescribableLogDirTopic;
use headwater_protocol::{DescribeLogDirsRequest, DescribeLogDirsResponse, Str};
use headwater_record::PartitionId;

use super::Admin;
use crate::error::{ErrorKind, Result};
use crate::transport::Node;

impl Admin {
    /// The size of each partition's log in bytes, from its leader. Leaves out partitions whose leader does not answer
    /// (an old broker, or no permission).
    pub(crate) async fn partition_sizes(&self, topic: &str) -> Result<BTreeMap<PartitionId, u64>> {
        self.cluster
            .retried(Some(topic), || self.sizes_at_leaders(topic))
            .await
    }

    async fn sizes_at_leaders(&self, topic: &str) -> Result<BTreeMap<PartitionId, u64>> {
        let metadata = self.cluster.topic_metadata(topic).await?;
        let request = DescribeLogDirsRequest {
            topics: Some(vec![DescribableLogDirTopic {
                topic: Str::from(topic),
                partitions: metadata.partition_ids().map(PartitionId::get).collect(),
                ..Default::default()
            }]),
            ..Default::default()
        };
        let leaders: BTreeSet<i32> = metadata
            .partitions
            .iter()
            .filter_map(|partition| partition.leader)
            .collect();
        let requests = leaders.into_iter().map(async |leader| {
            let answer = self.cluster.call(Node::Id(leader), request.clone()).await;
            match answer {
                Ok(response) => Ok((leader, Some(response))),
                Err(error) if error.kind() == ErrorKind::Broker => Ok((leader, None)),
                Err(error) => Err(error),
            }
        });
        let mut sizes = BTreeMap::new();
        for (leader, response) in futures_util::future::try_join_all(requests).await? {
            for (partition, size) in response.into_iter().flat_map(sizes_of) {
                // Followers also have a log of the partition.
                if metadata.leader(partition).ok().flatten() == Some(leader) {
                    sizes.insert(partition, size);
                }
            }
        }
        Ok(sizes)
    }
}

fn sizes_of(response: DescribeLogDirsResponse) -> impl Iterator<Item = (PartitionId, u64)> {
    let topics = response.results.into_iter().flat_map(|dir| dir.topics);
    topics
        .flat_map(|topic| topic.partitions)
        .filter_map(|partition| {
            let size = u64::try_from(partition.partition_size).ok()?;
            Some((PartitionId::new(partition.partition_index), size))
        })
}
