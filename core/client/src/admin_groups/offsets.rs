//! What groups have committed: read, and reset.

use std::collections::BTreeMap;

use headwater_protocol::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use headwater_protocol::offset_fetch_request::OffsetFetchRequestGroup;
use headwater_protocol::{ErrorCode, OffsetCommitRequest, OffsetFetchRequest, Str};
use headwater_record::{Offset, PartitionId};

use super::{checked, doing, only};
use crate::batch::TopicPartition;
use crate::client::Client;
use crate::error::Result;
use crate::list_offsets;
use crate::position::Position;
use crate::scan::IsolationLevel;

/// A commit by nobody in particular, which a group without members takes.
const NO_GENERATION: i32 = -1;

/// What a group has committed for one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOffset {
    /// The partition.
    pub partition: TopicPartition,
    /// The next offset to be processed.
    pub committed: Offset,
    /// The end of the partition; `None` if it is there no more.
    pub end: Option<Offset>,
    /// The text that was committed with it.
    pub metadata: String,
}

impl GroupOffset {
    /// How many offsets lie between the committed one and the end.
    pub fn lag(&self) -> Option<u64> {
        self.end
            .map(|end| u64::try_from(end - self.committed).unwrap_or(0))
    }
}

/// Offsets with their texts, by topic and partition.
type Committed = BTreeMap<String, BTreeMap<PartitionId, (Offset, String)>>;

impl Client {
    /// What a group has committed, by topic and partition, with the ends of the partitions. Empty for a group that there is not.
    pub async fn group_offsets(&self, group_id: &str) -> Result<Vec<GroupOffset>> {
        let committed = self
            .retried(None, || self.committed_offsets(group_id))
            .await?;
        let mut offsets = Vec::new();
        for (topic, partitions) in committed {
            let ids: Vec<_> = partitions.keys().copied().collect();
            let ends = self.ends(&topic, &ids).await?;
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

    async fn committed_offsets(&self, group_id: &str) -> Result<Committed> {
        let node = self.group_coordinator(group_id).await?;
        let group = OffsetFetchRequestGroup {
            group_id: Str::from(group_id),
            member_epoch: -1,
            topics: None,
            ..Default::default()
        };
        let request = OffsetFetchRequest {
            groups: vec![group],
            ..Default::default()
        };
        let response = self.call(node, request).await?;
        let group = only(response.groups, "OffsetFetch")?;
        checked(group.error_code, &doing("read the offsets of", group_id))?;
        let mut committed = Committed::new();
        for topic in group.topics {
            let partitions = committed.entry(topic.name.to_string()).or_default();
            for found in topic.partitions {
                checked(found.error_code, &doing("read the offsets of", group_id))?;
                let metadata = found.metadata.as_deref().unwrap_or_default().to_owned();
                partitions.insert(
                    PartitionId::new(found.partition_index),
                    (Offset::new(found.committed_offset), metadata),
                );
            }
        }
        Ok(committed)
    }

    /// The ends of those of `partitions` that are there.
    async fn ends(
        &self,
        topic: &str,
        partitions: &[PartitionId],
    ) -> Result<BTreeMap<PartitionId, Offset>> {
        let metadata = match self.refresh_topic(topic).await {
            Err(error) if error.code() == ErrorCode::UnknownTopicOrPartition => {
                return Ok(BTreeMap::new());
            }
            metadata => metadata?,
        };
        let there: Vec<_> = metadata
            .partition_ids()
            .filter(|partition| partitions.contains(partition))
            .collect();
        let isolation = IsolationLevel::ReadCommitted;
        list_offsets::resolve(self, topic, &there, &Position::Latest, isolation).await
    }

    /// Commits `to` for all partitions of a topic, or for those that a position names, in the place of a group that has no members.
    /// Offsets outside the log become its start or its end. Returns what was committed.
    pub async fn reset_group_offsets(
        &self,
        group_id: &str,
        topic: &str,
        to: &Position,
    ) -> Result<BTreeMap<PartitionId, Offset>> {
        let offsets = self.offsets_to_reset(topic, to).await?;
        self.retried(None, || self.commit_for(group_id, topic, &offsets))
            .await?;
        Ok(offsets)
    }

    /// The offsets that [`Client::reset_group_offsets`] would commit.
    pub async fn offsets_to_reset(
        &self,
        topic: &str,
        to: &Position,
    ) -> Result<BTreeMap<PartitionId, Offset>> {
        let topic = self.topic(topic);
        let starts = topic.offsets(&Position::Earliest).await?;
        let ends = topic.offsets(&Position::Latest).await?;
        let wanted = topic.offsets(to).await?;
        let within = |(partition, offset): (PartitionId, Offset)| {
            let start = starts.get(&partition).copied().unwrap_or(offset);
            let end = ends.get(&partition).copied().unwrap_or(offset);
            (partition, offset.max(start).min(end))
        };
        Ok(wanted.into_iter().map(within).collect())
    }

    async fn commit_for(
        &self,
        group_id: &str,
        topic: &str,
        offsets: &BTreeMap<PartitionId, Offset>,
    ) -> Result<()> {
        let metadata = self.topic_metadata(topic).await?;
        let node = self.group_coordinator(group_id).await?;
        let partitions = offsets
            .iter()
            .map(|(partition, offset)| OffsetCommitRequestPartition {
                partition_index: partition.get(),
                committed_offset: offset.get(),
                committed_leader_epoch: -1,
                ..Default::default()
            });
        let topic = OffsetCommitRequestTopic {
            name: metadata.wire_name(),
            topic_id: metadata.topic_id,
            partitions: partitions.collect(),
            ..Default::default()
        };
        let request = OffsetCommitRequest {
            group_id: Str::from(group_id),
            generation_id_or_member_epoch: NO_GENERATION,
            retention_time_ms: -1,
            topics: vec![topic],
            ..Default::default()
        };
        let response = self.call(node, request).await?;
        let results = response
            .topics
            .into_iter()
            .flat_map(|topic| topic.partitions);
        for result in results {
            checked(result.error_code, &doing("reset the offsets of", group_id))?;
        }
        Ok(())
    }
}
