//! A topic, a partition or a broker in the image.

use std::sync::Arc;

use headwater_record::{LeaderEpoch, PartitionId};
use uuid::Uuid;

use super::NodeId;

/// A topic and its partitions. The partitions are numbered from 0 without gaps once all records are applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicImage {
    /// The topic id: a topic that is deleted and created again gets another one.
    pub id: Uuid,
    /// The name.
    pub name: Arc<str>,
    /// The partitions, by index.
    pub partitions: Vec<PartitionImage>,
}

/// The replicas and the leader of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionImage {
    /// The replicas; the preferred leader comes first.
    pub replicas: Vec<NodeId>,
    /// The in-sync replicas.
    pub isr: Vec<NodeId>,
    /// The leader; `None` if no replica can lead.
    pub leader: Option<NodeId>,
    /// The leader epoch: grows with each change of the leader.
    pub leader_epoch: LeaderEpoch,
    /// The partition epoch: grows with each change of the partition; used for compare-and-set of the in-sync replicas.
    pub partition_epoch: i32,
}

/// A registered broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerImage {
    /// The broker epoch: grows with each registration; older epochs are fenced.
    pub epoch: i64,
    /// A random id of this start of the broker.
    pub incarnation: Uuid,
    /// The rack, if there is one.
    pub rack: Option<Arc<str>>,
    /// Whether the broker is fenced, so that it cannot lead.
    pub fenced: bool,
}

impl TopicImage {
    /// The partition with this index.
    pub fn partition(&self, partition: PartitionId) -> Option<&PartitionImage> {
        self.partitions.get(usize::try_from(partition.get()).ok()?)
    }

    /// The partitions with their indexes.
    pub fn partitions(&self) -> impl Iterator<Item = (PartitionId, &PartitionImage)> {
        (0..).map(PartitionId::new).zip(&self.partitions)
    }
}

impl PartitionImage {
    /// A new partition on `replicas`; the first one is the leader.
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
