//! The metadata of a topic.

use std::sync::Arc;

use headwater_protocol::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use headwater_protocol::{ErrorCode, Str};
use headwater_record::PartitionId;
use uuid::Uuid;

use super::named_leaders::NamedLeader;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes;
use crate::mutants::{self, Mutant};
use crate::position::Position;

/// A topic from a Metadata response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicMetadata {
    pub(crate) name: Arc<str>,
    wire_name: Str,
    pub(crate) topic_id: Uuid,
    pub(crate) internal: bool,
    /// By the partition's number.
    pub(crate) partitions: Vec<PartitionMetadata>,
}

/// The replicas and the leader of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PartitionMetadata {
    /// The leader; `None` if there is currently none.
    pub(crate) leader: Option<i32>,
    /// The leader epoch; `None` before Metadata version 7.
    pub(crate) leader_epoch: Option<i32>,
    /// The brokers that have a replica.
    pub(crate) replicas: Vec<i32>,
    /// The replicas that have all acknowledged records.
    pub(crate) in_sync_replicas: Vec<i32>,
    /// The replicas that are not reachable; empty before Metadata version 5.
    pub(crate) offline_replicas: Vec<i32>,
}

impl TopicMetadata {
    /// Reads topic `name` from a response. Fails with the error code of the topic, if any.
    pub(super) fn read(name: &str, topic: MetadataResponseTopic) -> Result<Self> {
        let name: Arc<str> = Arc::from(name);
        let code = error_codes::code(topic.error_code);
        if code != ErrorCode::None {
            let is_unknown = code == ErrorCode::UnknownTopicOrPartition;
            let reason = is_unknown.then_some("it does not exist");
            let error = error_codes::error(code, reason, &format!("use topic \"{name}\""));
            return Err(error.in_topic(name));
        }
        let mut partitions = vec![PartitionMetadata::default(); topic.partitions.len()];
        for partition in topic.partitions {
            let index = usize::try_from(partition.partition_index).ok();
            if let Some(known) = index.and_then(|index| partitions.get_mut(index)) {
                *known = PartitionMetadata::read(&partition);
            }
        }
        Ok(Self {
            wire_name: Str::from(&*name),
            name,
            topic_id: topic.topic_id,
            internal: topic.is_internal,
            partitions,
        })
    }

    /// Keeps the leaders of `known` that have a later epoch, and the partitions that only `known` has: a lagging broker
    /// returns older metadata. Does nothing for a recreated topic.
    pub(super) fn keep_later(&mut self, known: &Self) {
        if is_recreated(known.topic_id, self.topic_id)
            || mutants::is_active(Mutant::DropLeaderEpochs)
        {
            return;
        }
        for (new, known) in self.partitions.iter_mut().zip(&known.partitions) {
            if known.leader_epoch > new.leader_epoch && new.leader_epoch.is_some() {
                new.clone_from(known);
            }
        }
        // Only a recreated topic has fewer partitions, which is certain with an id.
        if self.topic_id == known.topic_id && !self.topic_id.is_nil() {
            let added = known.partitions.iter().skip(self.partitions.len());
            self.partitions.extend(added.cloned());
        }
    }

    /// Applies a leader from a response, if its epoch is later than the known one. Returns whether it is.
    pub(super) fn follow(&mut self, named: &NamedLeader) -> bool {
        let index = usize::try_from(named.partition.get()).ok();
        let Some(known) = index.and_then(|index| self.partitions.get_mut(index)) else {
            return false;
        };
        let is_later = known.leader_epoch < Some(named.leader_epoch);
        if !is_later && !mutants::is_active(Mutant::DropLeaderEpochs) {
            return false;
        }
        known.leader = Some(named.leader);
        known.leader_epoch = Some(named.leader_epoch);
        known
            .offline_replicas
            .retain(|replica| *replica != named.leader);
        true
    }

    /// Whether `other`, of the same topic, has a leader of a later epoch for the partition.
    pub(crate) fn is_behind(&self, other: &Self, partition: PartitionId) -> bool {
        let has_leader = matches!(other.leader(partition), Ok(Some(_)));
        let is_later = self.leader_epoch(partition) < other.leader_epoch(partition);
        has_leader && is_later && !is_recreated(self.topic_id, other.topic_id)
    }

    /// The name for requests.
    pub(crate) fn wire_name(&self) -> Str {
        self.wire_name.clone()
    }

    /// Whether a response with this name and id is about the topic. Depending on the version, one of them is empty.
    pub(crate) fn is_named(&self, name: &str, id: Uuid) -> bool {
        if id.is_nil() {
            *self.name == *name
        } else {
            self.topic_id == id
        }
    }

    /// All partitions, by number.
    pub(crate) fn partition_ids(&self) -> impl Iterator<Item = PartitionId> + use<> {
        (0..self.partitions.len() as i32).map(PartitionId::new)
    }

    /// Rejects a position with an unknown partition.
    pub(crate) fn check(&self, at: &Position) -> Result<()> {
        if let Position::PerPartition(offsets) = at {
            for partition in offsets.keys() {
                self.leader(*partition)?;
            }
        }
        Ok(())
    }

    /// The leader of the partition; `None` if there is currently none.
    pub(crate) fn leader(&self, partition: PartitionId) -> Result<Option<i32>> {
        Ok(self.partition(partition)?.leader)
    }

    /// The leader epoch for requests; -1 if unknown.
    pub(crate) fn leader_epoch(&self, partition: PartitionId) -> i32 {
        let known = self.partition(partition).ok();
        known
            .and_then(|partition| partition.leader_epoch)
            .unwrap_or(-1)
    }

    /// The leader of the partition; a retriable error if there is currently none.
    pub(crate) fn require_leader(&self, partition: PartitionId, operation: &str) -> Result<i32> {
        self.leader(partition)?.ok_or_else(|| {
            error_codes::error(ErrorCode::LeaderNotAvailable, None, operation)
                .in_topic(Arc::clone(&self.name))
                .in_partition(partition)
        })
    }

    /// Whether `node` has a replica of the partition that is reachable.
    pub(crate) fn has_online_replica(&self, partition: PartitionId, node: i32) -> bool {
        self.partition(partition).is_ok_and(|partition| {
            partition.replicas.contains(&node) && !partition.offline_replicas.contains(&node)
        })
    }

    pub(crate) fn partition(&self, partition: PartitionId) -> Result<&PartitionMetadata> {
        let index = usize::try_from(partition.get()).ok();
        let found = index.and_then(|index| self.partitions.get(index));
        found.ok_or_else(|| {
            Error::new(
                ErrorKind::UnknownTopicOrPartition,
                format!(
                    "Topic \"{}\" has no partition {partition}: it has {}, numbered from 0.",
                    self.name,
                    self.partitions.len()
                ),
            )
            .in_topic(Arc::clone(&self.name))
            .in_partition(partition)
            .retriable(false)
        })
    }
}

/// Whether a topic with id `new` replaces one with the same name and id `known`. Brokers before Metadata version 10
/// return no ids.
pub(crate) fn is_recreated(known: Uuid, new: Uuid) -> bool {
    let is_other = known != new && !known.is_nil() && !new.is_nil();
    is_other && !mutants::is_active(Mutant::IgnoreTopicIds)
}

impl PartitionMetadata {
    fn read(partition: &MetadataResponsePartition) -> Self {
        Self {
            leader: (partition.leader_id >= 0).then_some(partition.leader_id),
            leader_epoch: (partition.leader_epoch >= 0).then_some(partition.leader_epoch),
            replicas: partition.replica_nodes.clone(),
            in_sync_replicas: partition.isr_nodes.clone(),
            offline_replicas: partition.offline_replicas.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(id: u128, leader: i32, epoch: i32) -> TopicMetadata {
        let partition = MetadataResponsePartition {
            leader_id: leader,
            leader_epoch: epoch,
            ..Default::default()
        };
        let topic = MetadataResponseTopic {
            topic_id: Uuid::from_u128(id),
            partitions: vec![partition],
            ..Default::default()
        };
        TopicMetadata::read("t", topic).unwrap()
    }

    fn leader_after(known: &TopicMetadata, mut new: TopicMetadata) -> Option<i32> {
        new.keep_later(known);
        new.leader(PartitionId::new(0)).unwrap()
    }

    #[test]
    fn a_lagging_broker_does_not_restore_an_earlier_leader() {
        let known = topic(1, 2, 7);
        assert_eq!(leader_after(&known, topic(1, 1, 6)), Some(2));
        assert_eq!(leader_after(&known, topic(1, 3, 8)), Some(3));
        assert_eq!(leader_after(&known, topic(1, -1, 8)), None);
    }

    #[test]
    fn a_lagging_broker_does_not_remove_partitions() {
        let mut known = topic(1, 2, 7);
        known.partitions.push(PartitionMetadata::default());
        let partitions_after = |mut new: TopicMetadata| {
            new.keep_later(&known);
            new.partitions.len()
        };
        assert_eq!(partitions_after(topic(1, 2, 7)), 2);
        assert_eq!(partitions_after(topic(2, 2, 0)), 1, "a recreated topic");
        assert_eq!(partitions_after(topic(0, 2, 7)), 1, "no id");
    }

    #[test]
    fn a_leader_of_an_earlier_epoch_is_not_followed() {
        let mut known = topic(1, 2, 7);
        let mut follow = |leader, leader_epoch, partition| {
            let partition = PartitionId::new(partition);
            let named = NamedLeader {
                topic: Str::from("t"),
                topic_id: Uuid::from_u128(1),
                partition,
                leader,
                leader_epoch,
            };
            let followed = known.follow(&named);
            (followed, known.leader(PartitionId::new(0)).unwrap())
        };
        assert_eq!(follow(1, 6, 0), (false, Some(2)));
        assert_eq!(follow(1, 7, 0), (false, Some(2)));
        assert_eq!(follow(1, 8, 1), (false, Some(2)));
        assert_eq!(follow(1, 8, 0), (true, Some(1)));
    }

    #[test]
    fn a_topic_without_an_id_counts_as_the_same() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert!(is_recreated(one, other));
        assert!(!is_recreated(one, one));
        assert!(!is_recreated(one, Uuid::nil()) && !is_recreated(Uuid::nil(), one));
    }

    #[test]
    fn a_replica_can_be_offline() {
        let partition = MetadataResponsePartition {
            replica_nodes: vec![1, 2],
            offline_replicas: vec![2],
            ..Default::default()
        };
        let topic = MetadataResponseTopic {
            partitions: vec![partition],
            ..Default::default()
        };
        let topic = TopicMetadata::read("t", topic).unwrap();
        let online = [1, 2, 3].map(|node| topic.has_online_replica(PartitionId::new(0), node));
        assert_eq!(online, [true, false, false]);
    }

    #[test]
    fn metadata_of_recreated_topics_and_without_epochs_replaces_the_leader() {
        let known = topic(1, 2, 7);
        assert_eq!(leader_after(&known, topic(2, 1, 0)), Some(1));
        assert_eq!(leader_after(&known, topic(1, 1, -1)), Some(1));
    }
}
