//! Start positions, and positions resolved to offsets.

use tokio::time::Instant;

use super::Consumer;
use super::group::offsets::Offsets;
use super::start_lookup::{LookupKey, LookupResult, StartLookup, StartPositions};
use crate::batch::TopicPartition;
use crate::config::consumer::OffsetReset;
use crate::error::{Error, ErrorKind, Result};
use crate::mutants::{self, Mutant};
use crate::position::Position;

impl Consumer {
    /// The start positions of partitions, see [`StartLookup::starts`].
    pub(super) async fn starts(&mut self, partitions: &[TopicPartition]) -> Result<StartPositions> {
        let result = StartLookup::new(self).starts(partitions).await;
        self.mark_all_missing(&result);
        result.found
    }

    /// Resolves `at` in those of `partitions` that exist, which may belong to several topics.
    pub(super) async fn resolve(
        &mut self,
        at: &Position,
        partitions: &[TopicPartition],
    ) -> Result<Offsets> {
        let result = StartLookup::new(self).offsets(at, partitions).await;
        self.mark_all_missing(&result);
        result.found
    }

    /// Waits for a lookup that a cancelled call leaves running. Starts it, unless it is running already.
    pub(super) async fn look_up(&mut self, key: LookupKey) -> LookupResult<StartPositions> {
        if mutants::is_active(Mutant::ForgetLookups) {
            self.lookups.stop_all();
        }
        let result = if let Some(running) = self.lookups.get(&key) {
            running.result().await
        } else {
            let (runtime, lookup) = (self.cluster.runtime().clone(), StartLookup::new(self));
            let running = self.lookups.start(&runtime, key.clone(), lookup);
            running.result().await
        };
        self.lookups.remove(&key);
        self.mark_all_missing(&result);
        result
    }

    fn mark_all_missing<T>(&mut self, result: &LookupResult<T>) {
        for (partition, error) in &result.missing {
            self.mark_missing(partition, error);
        }
    }

    /// Sets the missing positions. A topic may have been created, or an offset committed, since the last call.
    pub(super) async fn find_positions(&mut self) -> Result<()> {
        let mut without_position = self.assignment.without_position();
        let now = Instant::now();
        without_position.retain(|partition| !self.known_topics.is_backing_off(partition, now));
        if without_position.is_empty() {
            return Ok(());
        }
        let key = LookupKey::WithoutPosition(without_position.clone());
        let LookupResult { found, missing } = self.look_up(key).await;
        let starts = found?;
        for (partition, position) in &starts.positions {
            self.assignment.seek(partition, *position);
        }
        self.assignment.start_with_epochs(&starts.leader_epochs);
        self.positions_changed(&starts.committed);
        let without_start = without_position.iter().find(|partition| {
            let is_missing = missing.iter().any(|(missing, _)| missing == *partition);
            !starts.positions.contains_key(partition) && !is_missing
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
        let key = LookupKey::Reset(partition.clone(), error.offset(), to.clone());
        let found = self.look_up(key).await.found?.positions;
        if let Some(offset) = found.get(partition) {
            tracing::info!(%partition, from = ?error.offset(), to = %offset, "reset a position that is out of range");
            self.assignment.restart(partition, *offset);
            self.committing.finished.seek(partition);
        }
        Ok(())
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
