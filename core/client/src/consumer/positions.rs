//! Start positions, and positions resolved to offsets.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_record::PartitionId;
use tokio::time::Instant;

use super::Consumer;
use super::assignment_epochs::OffsetEpochs;
use super::group::offsets::{self, Offsets};
use crate::batch::TopicPartition;
use crate::config::consumer::OffsetReset;
use crate::error::{Error, ErrorKind, Result};
use crate::list_offsets;
use crate::mutants::{self, Mutant};
use crate::position::Position;

/// The start positions of partitions.
#[derive(Debug, Default)]
pub(super) struct StartPositions {
    pub(super) positions: Offsets,
    /// The positions that are committed offsets.
    pub(super) committed: Offsets,
    /// The leader epochs that were committed with them.
    pub(super) leader_epochs: OffsetEpochs,
}

impl Consumer {
    /// The start positions: the committed offset, or else according to `auto.offset.reset`. Leaves out partitions that
    /// do not exist, and with `auto.offset.reset=none` partitions without a committed offset.
    pub(super) async fn starts(&mut self, partitions: &[TopicPartition]) -> Result<StartPositions> {
        let found = match &self.coordinator {
            Some(coordinator) if !mutants::is_active(Mutant::IgnoreCommitted) => {
                offsets::committed(&self.cluster, coordinator, &self.committer(), partitions)
                    .await?
            }
            _ => BTreeMap::new(),
        };
        let (mut committed, mut leader_epochs) = (Offsets::new(), OffsetEpochs::new());
        for (partition, found) in found {
            if let Some(epoch) = found.leader_epoch {
                leader_epochs.insert(partition.clone(), epoch);
            }
            committed.insert(partition, found.offset);
        }
        let mut rest = partitions.to_vec();
        rest.retain(|partition| !committed.contains_key(partition));
        let mut positions = committed.clone();
        if let Some(reset) = self.reset_position() {
            positions.extend(self.resolve(&reset, &rest).await?);
        }
        Ok(StartPositions {
            positions,
            committed,
            leader_epochs,
        })
    }

    /// Sets the missing positions. A topic may have been created, or an offset committed, since the last call.
    pub(super) async fn find_positions(&mut self) -> Result<()> {
        let mut without_position = self.assignment.without_position();
        let now = Instant::now();
        without_position.retain(|partition| !self.known_topics.is_backing_off(partition, now));
        if without_position.is_empty() {
            return Ok(());
        }
        let existing = self.existing(&without_position).await?;
        let starts = self.starts(&existing).await?;
        for (partition, position) in &starts.positions {
            self.assignment.seek(partition, *position);
        }
        self.assignment.start_with_epochs(&starts.leader_epochs);
        self.positions_changed(&starts.committed);
        let without_start = existing.iter().find(|partition| {
            !starts.positions.contains_key(partition) && !self.is_backing_off(partition)
        });
        without_start.map_or(Ok(()), |partition| Err(self.no_offset(partition)))
    }

    /// The position of `auto.offset.reset`; `None` for `none`.
    pub(super) fn reset_position(&self) -> Option<Position> {
        match self.config.auto_offset_reset {
            OffsetReset::None => None,
            OffsetReset::Earliest => Some(Position::Earliest),
            OffsetReset::Latest => Some(Position::Latest),
            OffsetReset::ByDuration(age) => Some(Position::AgoMs(
                u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
            )),
        }
    }

    /// Resets an out-of-range position according to `auto.offset.reset`.
    pub(super) async fn reset(&mut self, partition: &TopicPartition, error: Error) -> Result<()> {
        let Some(to) = self.reset_position() else {
            return Err(error);
        };
        let found = self.resolve(&to, std::slice::from_ref(partition)).await?;
        if let Some(offset) = found.get(partition) {
            tracing::info!(%partition, from = ?error.offset(), to = %offset, "reset a position that is out of range");
            self.assignment.restart(partition, *offset);
            self.committing.finished.seek(partition);
        }
        Ok(())
    }

    /// Resolves `at` in those of `partitions` that exist, which may belong to several topics.
    pub(super) async fn resolve(
        &mut self,
        at: &Position,
        partitions: &[TopicPartition],
    ) -> Result<Offsets> {
        let mut topics: BTreeMap<Arc<str>, Vec<PartitionId>> = BTreeMap::new();
        for TopicPartition { topic, partition } in self.existing(partitions).await? {
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
                        self.mark_missing(&TopicPartition::new(Arc::clone(&topic), number), &error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// The ones of `partitions` that exist.
    async fn existing(&mut self, partitions: &[TopicPartition]) -> Result<Vec<TopicPartition>> {
        let mut existing = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let known = self.cluster.topic_metadata(&partition.topic).await;
            match known.and_then(|topic| topic.leader(partition.partition).map(drop)) {
                Ok(()) => existing.push(partition.clone()),
                Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {
                    self.mark_missing(partition, &error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(existing)
    }

    fn no_offset(&self, partition: &TopicPartition) -> Error {
        let message = match &self.coordinator {
            Some(coordinator) => format!(
                "Group \"{}\" has committed no offset for {partition}, and auto.offset.reset=none: commit one or seek, then poll \
                 again.",
                coordinator.group_id()
            ),
            None => format!(
                "{partition} has no start position: auto.offset.reset=none, and there is no group with a committed offset. Seek \
                 first, then poll."
            ),
        };
        Error::new(ErrorKind::OffsetOutOfRange, message)
            .in_topic(partition.topic.clone())
            .in_partition(partition.partition)
    }
}
