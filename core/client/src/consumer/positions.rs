//! Where partitions start, and positions as offsets.

use std::collections::BTreeMap;

use headwater_record::{Offset, PartitionId};

use super::Consumer;
use super::group::offsets;
use crate::batch::TopicPartition;
use crate::config::consumer::OffsetReset;
use crate::error::{Error, ErrorKind, Result};
use crate::list_offsets;
use crate::position::Position;

impl Consumer {
    /// Where new partitions start: at the committed offset, or else where `auto.offset.reset` says.
    pub(super) async fn start_positions(
        &self,
        new: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, Offset>> {
        let Some(coordinator) = &self.coordinator else {
            return self.resolve(&self.reset_position(), new).await;
        };
        let mut starts = offsets::committed(&self.client, coordinator, new).await?;
        let mut rest = new.to_vec();
        rest.retain(|partition| !starts.contains_key(partition));
        if let Some(partition) = rest.first()
            && self.config.auto_offset_reset == OffsetReset::None
        {
            return Err(no_offset(partition, coordinator.group_id()));
        }
        starts.extend(self.resolve(&self.reset_position(), &rest).await?);
        Ok(starts)
    }

    fn reset_position(&self) -> Position {
        match self.config.auto_offset_reset {
            // Without a group and without a rule the first offset serves until the caller seeks.
            OffsetReset::None | OffsetReset::Earliest => Position::Earliest,
            OffsetReset::Latest => Position::Latest,
            OffsetReset::ByDuration(age) => {
                Position::AgoMs(u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
            }
        }
    }

    /// The offset of `at` in each of `partitions`, whatever their topics.
    pub(super) async fn resolve(
        &self,
        at: &Position,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, Offset>> {
        let mut topics: BTreeMap<&str, Vec<PartitionId>> = BTreeMap::new();
        for partition in partitions {
            topics
                .entry(&partition.topic)
                .or_default()
                .push(partition.partition);
        }
        let mut found = BTreeMap::new();
        for (topic, numbers) in topics {
            let offsets = list_offsets::resolve(
                &self.client,
                topic,
                &numbers,
                at,
                self.config.isolation_level,
            )
            .await?;
            found.extend(
                offsets
                    .into_iter()
                    .map(|(number, offset)| (TopicPartition::new(topic, number), offset)),
            );
        }
        Ok(found)
    }
}

fn no_offset(partition: &TopicPartition, group_id: &str) -> Error {
    Error::new(
        ErrorKind::OffsetOutOfRange,
        format!(
            "Group \"{group_id}\" has committed no offset for {partition}, and auto.offset.reset is none: commit one for it, then poll again."
        ),
    )
    .in_topic(partition.topic.clone())
    .in_partition(partition.partition)
}
