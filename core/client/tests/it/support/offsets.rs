//! Committed offsets.

use headwater_protocol::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use headwater_protocol::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};
use headwater_protocol::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse,
};

use super::FakeCluster;

impl FakeCluster {
    /// Groups are not told apart, and members not checked.
    pub(super) fn commit_offsets(&self, request: &OffsetCommitRequest) -> OffsetCommitResponse {
        let mut state = self.state();
        let topics = request.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|committed| {
                let key = (topic.name.to_string(), committed.partition_index);
                let value = (committed.committed_offset, committed.committed_leader_epoch);
                state.committed.insert(key, value);
                OffsetCommitResponsePartition {
                    partition_index: committed.partition_index,
                    ..Default::default()
                }
            });
            OffsetCommitResponseTopic {
                partitions: partitions.collect(),
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                ..Default::default()
            }
        });
        OffsetCommitResponse {
            topics: topics.collect(),
            ..Default::default()
        }
    }

    pub(super) fn committed_offsets(&self, request: &OffsetFetchRequest) -> OffsetFetchResponse {
        let state = self.state();
        let group = &request.groups[0];
        let topics = group.topics.iter().flatten().map(|topic| {
            let partitions = topic.partition_indexes.iter().map(|number| {
                let committed = state.committed.get(&(topic.name.to_string(), *number));
                let (committed_offset, committed_leader_epoch) =
                    committed.copied().unwrap_or((-1, -1));
                OffsetFetchResponsePartitions {
                    partition_index: *number,
                    committed_offset,
                    committed_leader_epoch,
                    ..Default::default()
                }
            });
            OffsetFetchResponseTopics {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                partitions: partitions.collect(),
                ..Default::default()
            }
        });
        let group = OffsetFetchResponseGroup {
            group_id: group.group_id.clone(),
            topics: topics.collect(),
            ..Default::default()
        };
        OffsetFetchResponse {
            groups: vec![group],
            ..Default::default()
        }
    }
}
