//! Reads and resets the committed offsets of groups.

use std::collections::BTreeMap;

use headwater_protocol::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use headwater_protocol::offset_fetch_request::OffsetFetchRequestGroup;
use headwater_protocol::{ErrorCode, OffsetCommitRequest, OffsetFetchRequest, Str};
use headwater_record::{Offset, PartitionId};

use super::Admin;
use super::groups::check_group;
use crate::batch::TopicPartition;
use crate::cluster::{Coordinator, TopicMetadata};
use crate::error::Result;
use crate::error_codes::only;
use crate::isolation::IsolationLevel;
use crate::list_offsets::{self, PartitionOffsets};
use crate::position::Position;

/// The generation of a commit without membership, which an empty group accepts.
const NO_GENERATION: i32 = -1;

/// A committed offset of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOffset {
    /// The partition.
    pub partition: TopicPartition,
    /// The next offset to process.
    pub committed: Offset,
    /// The end of the partition; `None` if the partition does not exist.
    pub end: Option<Offset>,
    /// The metadata committed with the offset.
    pub metadata: String,
}

impl GroupOffset {
    /// The number of offsets between the committed offset and the end.
    pub fn lag(&self) -> Option<u64> {
        self.end
            .map(|end| u64::try_from(end - self.committed).unwrap_or(0))
    }
}

/// Offsets and metadata, by topic and partition.
type CommittedOffsets = BTreeMap<String, BTreeMap<PartitionId, (Offset, String)>>;

impl Admin {
    /// The committed offsets of a group, sorted by topic and partition, with the ends of the partitions. Empty for an
    /// unknown group.
    pub async fn group_offsets(&self, group_id: &str) -> Result<Vec<GroupOffset>> {
        let coordinator = Coordinator::of(group_id);
        let committed = self
            .cluster
            .retried(None, || self.committed_offsets(&coordinator))
            .await?;
        let ends = committed.iter().map(async |(topic, partitions)| {
            let ids: Vec<_> = partitions.keys().copied().collect();
            self.ends(topic, &ids).await
        });
        let ends = futures_util::future::try_join_all(ends).await?;
        let mut offsets = Vec::new();
        for ((topic, partitions), ends) in committed.into_iter().zip(ends) {
            offsets.extend(
                partitions
                    .into_iter()
                    .map(|(partition, (offset, metadata))| GroupOffset {
                        partition: TopicPartition::new(topic.as_str(), partition),
                        committed: offset,
                        end: ends.get(&partition).copied(),
                        metadata,
                    }),
            );
        }
        Ok(offsets)
    }

    async fn committed_offsets(&self, coordinator: &Coordinator) -> Result<CommittedOffsets> {
        let group = OffsetFetchRequestGroup {
            group_id: Str::from(coordinator.group_id()),
            member_epoch: -1,
            topics: None,
            ..Default::default()
        };
        let request = OffsetFetchRequest {
            groups: vec![group],
            ..Default::default()
        };
        let response = coordinator.call(&self.cluster, request).await?;
        let group = only(response.groups, "OffsetFetch")?;
        check_group(group.error_code, "read the offsets of", coordinator)?;
        let mut committed = CommittedOffsets::new();
        for topic in group.topics {
            let partitions = committed.entry(topic.name.to_string()).or_default();
            for found in topic.partitions {
                check_group(found.error_code, "read the offsets of", coordinator)?;
                let metadata = found.metadata.as_deref().unwrap_or_default().to_owned();
                partitions.insert(
                    PartitionId::new(found.partition_index),
                    (Offset::new(found.committed_offset), metadata),
                );
            }
        }
        Ok(committed)
    }

    /// The ends of those of `partitions` that exist.
    async fn ends(&self, topic: &str, partitions: &[PartitionId]) -> Result<PartitionOffsets> {
        let metadata = match self.cluster.look_up_topic(topic).await {
            Err(error) if error.code() == ErrorCode::UnknownTopicOrPartition => {
                return Ok(PartitionOffsets::new());
            }
            metadata => metadata?,
        };
        let existing: Vec<_> = metadata
            .partition_ids()
            .filter(|partition| partitions.contains(partition))
            .collect();
        let isolation = IsolationLevel::ReadCommitted;
        list_offsets::resolve(
            &self.cluster,
            topic,
            &existing,
            &Position::Latest,
            isolation,
        )
        .await
    }

    /// Commits `to` for an empty group, in all partitions of a topic or in those of a per-partition position. Offsets
    /// out of range are clamped to the start or end of the log. Returns the committed offsets.
    pub async fn reset_group_offsets(
        &self,
        group_id: &str,
        topic: &str,
        to: &Position,
    ) -> Result<PartitionOffsets> {
        let offsets = self.offsets_to_reset(topic, to).await?;
        let metadata = self.cluster.topic_metadata(topic).await?;
        let coordinator = Coordinator::of(group_id);
        self.cluster
            .retried(None, || self.commit_for(&coordinator, &metadata, &offsets))
            .await?;
        Ok(offsets)
    }

    /// The offsets that [`Admin::reset_group_offsets`] would commit.
    pub async fn offsets_to_reset(&self, topic: &str, to: &Position) -> Result<PartitionOffsets> {
        let metadata = self.cluster.look_up_topic(topic).await?;
        metadata.check(to)?;
        let partitions: Vec<_> = metadata.partition_ids().collect();
        let [starts, ends, requested] = list_offsets::resolve_all(
            &self.cluster,
            topic,
            &partitions,
            [&Position::Earliest, &Position::Latest, to],
            IsolationLevel::ReadUncommitted,
        )
        .await?;
        let clamp = |(partition, offset): (PartitionId, Offset)| {
            let start = starts.get(&partition).copied().unwrap_or(offset);
            let end = ends.get(&partition).copied().unwrap_or(offset);
            (partition, offset.max(start).min(end))
        };
        Ok(requested.into_iter().map(clamp).collect())
    }

    async fn commit_for(
        &self,
        coordinator: &Coordinator,
        topic: &TopicMetadata,
        offsets: &PartitionOffsets,
    ) -> Result<()> {
        let partitions = offsets
            .iter()
            .map(|(partition, offset)| OffsetCommitRequestPartition {
                partition_index: partition.get(),
                committed_offset: offset.get(),
                committed_leader_epoch: -1,
                ..Default::default()
            });
        let topic = OffsetCommitRequestTopic {
            name: topic.wire_name(),
            topic_id: topic.topic_id,
            partitions: partitions.collect(),
            ..Default::default()
        };
        let request = OffsetCommitRequest {
            group_id: Str::from(coordinator.group_id()),
            generation_id_or_member_epoch: NO_GENERATION,
            retention_time_ms: -1,
            topics: vec![topic],
            ..Default::default()
        };
        let response = coordinator.call(&self.cluster, request).await?;
        let results = response
            .topics
            .into_iter()
            .flat_map(|topic| topic.partitions);
        for result in results {
            check_group(result.error_code, "reset the offsets of", coordinator)?;
        }
        Ok(())
    }
}
