//! Offsets of groups: `OffsetCommit` and `OffsetFetch`; and logs that are there from the start.

use bytes::Bytes;
use headwater_protocol::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use headwater_protocol::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};
use headwater_protocol::{
    ErrorCode, OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse,
};
use headwater_record::{BatchBuilder, BatchOptions};

use super::{FakeCluster, State, not_here};

impl FakeCluster {
    pub(super) fn commit_offsets(
        &self,
        node: i32,
        request: &OffsetCommitRequest,
    ) -> OffsetCommitResponse {
        let mut state = self.state();
        let is_here = state.coordinator == node;
        let mut topics = Vec::new();
        for topic in &request.topics {
            let mut partitions = Vec::new();
            for partition in &topic.partitions {
                let index = partition.partition_index;
                if is_here {
                    let place = (topic.name.to_string(), index);
                    state.committed.insert(place, partition.committed_offset);
                }
                partitions.push(OffsetCommitResponsePartition {
                    partition_index: index,
                    error_code: not_here(is_here, ErrorCode::NotCoordinator),
                    ..Default::default()
                });
            }
            topics.push(OffsetCommitResponseTopic {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                partitions,
                ..Default::default()
            });
        }
        OffsetCommitResponse {
            topics,
            ..Default::default()
        }
    }

    pub(super) fn fetch_offsets(
        &self,
        node: i32,
        request: &OffsetFetchRequest,
    ) -> OffsetFetchResponse {
        let state = self.state();
        let is_here = state.coordinator == node;
        let groups = request.groups.iter().map(|group| {
            let topics = group.topics.iter().flatten().map(|topic| {
                let numbers = topic.partition_indexes.iter().copied();
                let partitions = numbers.map(|partition_index| {
                    let place = (topic.name.to_string(), partition_index);
                    OffsetFetchResponsePartitions {
                        partition_index,
                        committed_offset: state.committed.get(&place).copied().unwrap_or(-1),
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
            OffsetFetchResponseGroup {
                group_id: group.group_id.clone(),
                topics: topics.collect(),
                error_code: not_here(is_here, ErrorCode::NotCoordinator),
                ..Default::default()
            }
        });
        OffsetFetchResponse {
            groups: groups.collect(),
            ..Default::default()
        }
    }
}

impl State {
    /// Appends batches of so many records to a partition.
    pub(crate) fn append(&mut self, topic: &str, partition: i32, batches: &[usize]) {
        let place = (topic.to_owned(), partition);
        let log = self.logs.entry(place).or_default();
        let mut next = log.last().map_or(0, |last: &Bytes| {
            headwater_record::BatchHeader::parse(last)
                .unwrap()
                .next_offset()
                .get()
        });
        for records in batches {
            let mut builder = BatchBuilder::new(BatchOptions {
                capacity: 1 << 20,
                ..BatchOptions::default()
            });
            for _ in 0..*records {
                let appended = builder.try_append(0, None, Some(b"some value"), &[]);
                appended.unwrap();
            }
            let encoded = builder.finish().unwrap();
            // The base offset is the first field of a batch.
            let mut batch = next.to_be_bytes().to_vec();
            batch.extend_from_slice(&encoded[8..]);
            log.push(batch.into());
            next += i64::try_from(*records).unwrap();
        }
    }
}
