//! Where partitions start, and positions as offsets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use headwater_record::PartitionId;

use super::Consumer;
use super::group::offsets::{self, Offsets};
use crate::batch::TopicPartition;
use crate::config::consumer::OffsetReset;
use crate::error::{Error, ErrorKind, Result};
use crate::list_offsets;
use crate::position::Position;

/// Where partitions start.
#[derive(Debug, Default)]
pub(super) struct Starts {
    pub(super) positions: Offsets,
    /// Those of them that the group has committed.
    pub(super) committed: Offsets,
}

impl Consumer {
    /// Where partitions start: at the committed offset, or else where `auto.offset.reset` says. A partition that does not exist has no
    /// start, nor has one without a committed offset under `auto.offset.reset=none`.
    pub(super) async fn starts(&mut self, partitions: &[TopicPartition]) -> Result<Starts> {
        let committed = match &self.coordinator {
            Some(coordinator) => offsets::committed(&self.cluster, coordinator, partitions).await?,
            None => Offsets::new(),
        };
        let mut rest = partitions.to_vec();
        rest.retain(|partition| !committed.contains_key(partition));
        let mut positions = committed.clone();
        if let Some(reset) = self.reset_position() {
            positions.extend(self.resolve(&reset, &rest).await?);
        }
        Ok(Starts {
            positions,
            committed,
        })
    }

    /// Finds the start of partitions without a position: since the last call the topic may have been created, or an offset committed.
    pub(super) async fn locate(&mut self) -> Result<()> {
        let mut lost = self.assignment.without_position();
        let now = Instant::now();
        lost.retain(|partition| !self.known_topics.rests(partition, now));
        if lost.is_empty() {
            return Ok(());
        }
        let there = self.there(&lost).await?;
        let starts = self.starts(&there).await?;
        for (partition, position) in &starts.positions {
            self.assignment.seek(partition, *position);
        }
        self.positions_changed(&starts.committed);
        let nowhere = there
            .iter()
            .find(|partition| !starts.positions.contains_key(partition) && !self.rests(partition));
        nowhere.map_or(Ok(()), |partition| Err(self.no_offset(partition)))
    }

    /// Where `auto.offset.reset` says to start, if anywhere.
    fn reset_position(&self) -> Option<Position> {
        match self.config.auto_offset_reset {
            OffsetReset::None => None,
            OffsetReset::Earliest => Some(Position::Earliest),
            OffsetReset::Latest => Some(Position::Latest),
            OffsetReset::ByDuration(age) => Some(Position::AgoMs(
                u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
            )),
        }
    }

    /// Resets a position that is not in the log, as `auto.offset.reset` says.
    pub(super) async fn reset(&mut self, partition: &TopicPartition, error: Error) -> Result<()> {
        let Some(to) = self.reset_position() else {
            return Err(error);
        };
        let found = self.resolve(&to, std::slice::from_ref(partition)).await?;
        if let Some(offset) = found.get(partition) {
            tracing::info!(%partition, from = ?error.offset(), to = %offset, "position out of range: reset");
            self.assignment.seek(partition, *offset);
            self.committing.finished.seek(partition);
        }
        Ok(())
    }

    /// The offset of `at` in those of `partitions` that exist, of any topics.
    pub(super) async fn resolve(
        &mut self,
        at: &Position,
        partitions: &[TopicPartition],
    ) -> Result<Offsets> {
        let mut topics: BTreeMap<Arc<str>, Vec<PartitionId>> = BTreeMap::new();
        for TopicPartition { topic, partition } in self.there(partitions).await? {
            topics.entry(topic).or_default().push(partition);
        }
        let mut found = Offsets::new();
        for (topic, numbers) in topics {
            let isolation = self.config.isolation_level;
            match list_offsets::resolve(&self.cluster, &topic, &numbers, at, isolation).await {
                Ok(offsets) => found.extend(offsets.into_iter().map(|(number, offset)| {
                    (TopicPartition::new(Arc::clone(&topic), number), offset)
                })),
                Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {
                    for number in numbers {
                        self.is_missing(&TopicPartition::new(Arc::clone(&topic), number), &error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Those of `partitions` that exist.
    async fn there(&mut self, partitions: &[TopicPartition]) -> Result<Vec<TopicPartition>> {
        let mut there = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let known = self.cluster.topic_metadata(&partition.topic).await;
            match known.and_then(|topic| topic.leader(partition.partition).map(drop)) {
                Ok(()) => there.push(partition.clone()),
                Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {
                    self.is_missing(partition, &error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(there)
    }

    fn no_offset(&self, partition: &TopicPartition) -> Error {
        let message = match &self.coordinator {
            Some(coordinator) => format!(
                "Group \"{}\" has committed no offset for {partition}, and auto.offset.reset is none: commit one for it, or seek, then poll \
                 again.",
                coordinator.group_id()
            ),
            None => format!(
                "{partition} has no position to start from: auto.offset.reset is none, and there is no group with a committed offset. Seek \
                 first, then poll."
            ),
        };
        Error::new(ErrorKind::OffsetOutOfRange, message)
            .in_topic(partition.topic.clone())
            .in_partition(partition.partition)
    }
}
