//! What is known about one topic, one partition, one broker.

use std::sync::Arc;

use headwater_record::{LeaderEpoch, PartitionId};
use uuid::Uuid;

use super::NodeId;

/// A topic and its partitions, numbered from 0 without a gap once all of its records are applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicImage {
    /// Its identity: a topic that is deleted and made again has another one.
    pub id: Uuid,
    /// Its name.
    pub name: Arc<str>,
    /// Its partitions; the index is the number.
    pub partitions: Vec<PartitionImage>,
}

/// Who holds a partition and who leads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionImage {
    /// The brokers that hold it, the preferred leader first.
    pub replicas: Vec<NodeId>,
    /// Those of them that have all of it.
    pub isr: Vec<NodeId>,
    /// Who leads; `None` when nobody can.
    pub leader: Option<NodeId>,
    /// The generation of leadership: grows with each change of leader.
    pub leader_epoch: LeaderEpoch,
    /// Grows with each change of the partition; compare-and-set of the in-sync replicas.
    pub partition_epoch: i32,
}

/// A broker that registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerImage {
    /// Grows with each registration; an older one is fenced.
    pub epoch: i64,
    /// A random number of this start of the broker.
    pub incarnation: Uuid,
    /// Its rack, if it has one.
    pub rack: Option<Arc<str>>,
    /// Whether it may not lead.
    pub fenced: bool,
}

impl TopicImage {
    /// The partition of that number.
    pub fn partition(&self, partition: PartitionId) -> Option<&PartitionImage> {
        self.partitions.get(usize::try_from(partition.get()).ok()?)
    }

    /// The partitions with their numbers.
    pub fn partitions(&self) -> impl Iterator<Item = (PartitionId, &PartitionImage)> {
        (0..).map(PartitionId::new).zip(&self.partitions)
    }
}

impl PartitionImage {
    /// A new partition that `replicas` hold and the first of them leads.
    pub fn new(replicas: Vec<NodeId>) -> Self {
        Self {
            isr: replicas.clone(),
            leader: replicas.first().copied(),
            replicas,
            leader_epoch: LeaderEpoch::new(0),
            partition_epoch: 0,
        }
    }
}
