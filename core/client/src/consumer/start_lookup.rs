//! Looks up where partitions start.
//!
//! During a poll the lookup runs in a task. A poll that is cancelled leaves it running, and the next poll waits for the
//! same one. Otherwise a caller whose polls are all shorter than a round trip would never get a position.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_record::{Offset, PartitionId};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::Consumer;
use super::assignment_epochs::OffsetEpochs;
use super::group::Committer;
use super::group::offsets::{self, Offsets};
use crate::batch::TopicPartition;
use crate::cluster::{Cluster, Coordinator};
use crate::error::{Error, ErrorKind, Result};
use crate::isolation::IsolationLevel;
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

/// The result of a lookup.
#[derive(Debug)]
pub(super) struct LookupResult<T> {
    pub(super) found: Result<T>,
    /// The partitions that do not exist.
    pub(super) missing: Vec<(TopicPartition, Error)>,
}

/// The lookup that a poll waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LookupKey {
    /// The starts of partitions in an assignment with this version.
    Assignment(i32, Vec<TopicPartition>),
    /// The starts of assigned partitions without a position.
    WithoutPosition(Vec<TopicPartition>),
    /// `auto.offset.reset` for a partition whose position, this offset, is out of range.
    Reset(TopicPartition, Option<Offset>, Position),
}

impl LookupKey {
    fn partitions(&self) -> &[TopicPartition] {
        match self {
            Self::Assignment(_, partitions) | Self::WithoutPosition(partitions) => partitions,
            Self::Reset(partition, ..) => std::slice::from_ref(partition),
        }
    }

    /// Whether the results of the two cannot both be needed.
    fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Reset(one, ..), Self::Reset(other, ..)) => one == other,
            (Self::Reset(..), _) | (_, Self::Reset(..)) => false,
            _ => true,
        }
    }

    async fn run(self, lookup: StartLookup) -> LookupResult<StartPositions> {
        match self {
            Self::Assignment(_, partitions) => lookup.starts(&partitions).await,
            Self::WithoutPosition(partitions) => lookup.starts_of_existing(&partitions).await,
            Self::Reset(partition, _, to) => {
                let LookupResult { found, missing } = lookup.offsets(&to, &[partition]).await;
                let found = found.map(|positions| StartPositions {
                    positions,
                    ..StartPositions::default()
                });
                LookupResult { found, missing }
            }
        }
    }
}

/// The lookups that cancelled polls have left running, or that a poll waits for.
#[derive(Debug, Default)]
pub(super) struct RunningLookups(Vec<RunningLookup>);

impl RunningLookups {
    /// The lookup with this key, if it is running.
    pub(super) fn get(&mut self, key: &LookupKey) -> Option<&mut RunningLookup> {
        self.0.iter_mut().find(|running| running.key == *key)
    }

    /// Starts a lookup. Stops those whose results are not needed any more.
    pub(super) fn start(
        &mut self,
        runtime: &Handle,
        key: LookupKey,
        lookup: StartLookup,
    ) -> &mut RunningLookup {
        self.0.retain(|running| !running.key.excludes(&key));
        let task = runtime.spawn(key.clone().run(lookup));
        self.0.push_mut(RunningLookup { key, task })
    }

    pub(super) fn remove(&mut self, key: &LookupKey) {
        self.0.retain(|running| running.key != *key);
    }

    /// Stops the lookups of partitions whose offsets are committed: they may have read earlier ones.
    pub(super) fn offsets_committed(&mut self, offsets: &Offsets) {
        self.0.retain(|running| {
            let mut partitions = running.key.partitions().iter();
            !partitions.any(|partition| offsets.contains_key(partition))
        });
    }

    pub(super) fn stop_all(&mut self) {
        self.0.clear();
    }
}

/// A lookup that runs in a task. Dropping it stops the task.
#[derive(Debug)]
pub(super) struct RunningLookup {
    key: LookupKey,
    task: JoinHandle<LookupResult<StartPositions>>,
}

impl RunningLookup {
    /// Waits for the result. Dropping the future loses nothing.
    pub(super) async fn result(&mut self) -> LookupResult<StartPositions> {
        match (&mut self.task).await {
            Ok(result) => result,
            Err(failure) if failure.is_panic() => std::panic::resume_unwind(failure.into_panic()),
            Err(_) => LookupResult {
                found: Err(Error::new(
                    ErrorKind::Closed,
                    "The client was closed while it looked up start positions: open it again to continue.",
                )),
                missing: Vec::new(),
            },
        }
    }
}

impl Drop for RunningLookup {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A lookup, with everything that it needs of the consumer.
#[derive(Debug)]
pub(super) struct StartLookup {
    cluster: Cluster,
    /// The group whose committed offsets come first.
    coordinator: Option<Arc<Coordinator>>,
    committer: Committer,
    /// `auto.offset.reset`; `None` for `none`.
    reset: Option<Position>,
    isolation: IsolationLevel,
    missing: Vec<(TopicPartition, Error)>,
}

impl StartLookup {
    pub(super) fn new(consumer: &Consumer) -> Self {
        Self {
            cluster: consumer.cluster.clone(),
            coordinator: consumer.coordinator.clone(),
            committer: consumer.committer(),
            reset: consumer.reset_position(),
            isolation: consumer.config.isolation_level,
            missing: Vec::new(),
        }
    }

    /// The committed offsets, or else the positions of `auto.offset.reset`. Leaves out partitions that do not exist,
    /// and with `auto.offset.reset=none` partitions without a committed offset.
    pub(super) async fn starts(
        mut self,
        partitions: &[TopicPartition],
    ) -> LookupResult<StartPositions> {
        let found = self.find_starts(partitions).await;
        self.end(found)
    }

    /// [`StartLookup::starts`] of those of `partitions` that exist.
    pub(super) async fn starts_of_existing(
        mut self,
        partitions: &[TopicPartition],
    ) -> LookupResult<StartPositions> {
        let found = match self.existing(partitions).await {
            Ok(existing) => self.find_starts(&existing).await,
            Err(error) => Err(error),
        };
        self.end(found)
    }

    /// The offsets of `at` in those of `partitions` that exist, which may belong to several topics.
    pub(super) async fn offsets(
        mut self,
        at: &Position,
        partitions: &[TopicPartition],
    ) -> LookupResult<Offsets> {
        let found = self.resolve(at, partitions).await;
        self.end(found)
    }

    fn end<T>(self, found: Result<T>) -> LookupResult<T> {
        LookupResult {
            found,
            missing: self.missing,
        }
    }

    async fn find_starts(&mut self, partitions: &[TopicPartition]) -> Result<StartPositions> {
        let found = match &self.coordinator {
            Some(coordinator) if !mutants::is_active(Mutant::IgnoreCommitted) => {
                offsets::committed(&self.cluster, coordinator, &self.committer, partitions).await?
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
        if let Some(reset) = self.reset.clone() {
            positions.extend(self.resolve(&reset, &rest).await?);
        }
        Ok(StartPositions {
            positions,
            committed,
            leader_epochs,
        })
    }

    async fn resolve(&mut self, at: &Position, partitions: &[TopicPartition]) -> Result<Offsets> {
        let mut topics: BTreeMap<Arc<str>, Vec<PartitionId>> = BTreeMap::new();
        for TopicPartition { topic, partition } in self.existing(partitions).await? {
            topics.entry(topic).or_default().push(partition);
        }
        let mut found = Offsets::new();
        for (topic, numbers) in topics {
            let of_topic =
                list_offsets::resolve(&self.cluster, &topic, &numbers, at, self.isolation).await;
            let named = |number| TopicPartition::new(Arc::clone(&topic), number);
            match of_topic {
                Ok(offsets) => found.extend(
                    offsets
                        .into_iter()
                        .map(|(number, offset)| (named(number), offset)),
                ),
                Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {
                    let missing = numbers
                        .into_iter()
                        .map(|number| (named(number), error.clone()));
                    self.missing.extend(missing);
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
                    self.missing.push((partition.clone(), error));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(existing)
    }
}
