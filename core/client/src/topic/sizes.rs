//! Bytes on disk, from the brokers that tell.

use std::collections::BTreeMap;

use headwater_protocol::describe_log_dirs_request::DescribableLogDirTopic;
use headwater_protocol::{DescribeLogDirsRequest, Str};
use headwater_record::PartitionId;

use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::transport::Node;

/// The size of each partition's log, where a broker tells it.
pub(super) async fn sizes(client: &Client, topic: &str) -> Result<BTreeMap<PartitionId, u64>> {
    let metadata = client.topic_metadata(topic).await?;
    let asked = DescribableLogDirTopic {
        topic: Str::from(topic),
        partitions: metadata.partition_ids().map(PartitionId::get).collect(),
        ..Default::default()
    };
    let mut leaders: Vec<i32> = metadata.partitions.iter().flatten().copied().collect();
    leaders.sort_unstable();
    leaders.dedup();
    let mut sizes = BTreeMap::new();
    for leader in leaders {
        let request = DescribeLogDirsRequest {
            topics: Some(vec![asked.clone()]),
            ..Default::default()
        };
        let response = match client.call(Node::Id(leader), request).await {
            Ok(response) => response,
            Err(error) if error.kind() == ErrorKind::Broker => continue,
            Err(error) => return Err(error),
        };
        let partitions = response
            .results
            .into_iter()
            .flat_map(|directory| directory.topics)
            .flat_map(|topic| topic.partitions);
        for partition in partitions {
            if let Ok(size) = u64::try_from(partition.partition_size) {
                sizes.insert(PartitionId::new(partition.partition_index), size);
            }
        }
    }
    Ok(sizes)
}
