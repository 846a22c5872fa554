//! The leader epochs and the preferred replicas of assigned partitions.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_record::Offset;

use super::assignment::Assignment;
use super::group::offsets::Offsets;
use super::preferred_replica::PreferredReplica;
use crate::batch::TopicPartition;

/// The leader epoch of the record before an offset, for each partition for which it is known.
pub(crate) type OffsetEpochs = BTreeMap<TopicPartition, i32>;

impl Assignment {
    /// Sets the leader epochs of the records before the start positions of these partitions, which must still be
    /// validated.
    pub(crate) fn start_with_epochs(&mut self, epochs: &OffsetEpochs) {
        for (partition, epoch) in epochs {
            if let Some(assigned) = self.get_mut(partition)
                && let Some(position) = assigned.position
            {
                assigned.leader_epochs.start_at(position, *epoch);
                assigned.validated_epoch = None;
            }
        }
    }

    /// The leader epochs of the records before these offsets.
    pub(crate) fn epochs_before(&self, offsets: &Offsets) -> OffsetEpochs {
        let epoch = |(partition, offset): (&TopicPartition, &Offset)| {
            let assigned = self.get(partition)?;
            let epoch = assigned.leader_epochs.before(*offset)?;
            Some((partition.clone(), epoch))
        };
        offsets.iter().filter_map(epoch).collect()
    }

    /// Records that the fetch offset is in the log of the leader of this epoch.
    pub(crate) fn validated(&mut self, partition: &TopicPartition, leader_epoch: i32) {
        if let Some(assigned) = self.get_mut(partition) {
            assigned.validated_epoch = Some(leader_epoch);
        }
    }

    /// Moves the position to where the log of the leader of `leader_epoch` diverges from the records that were read.
    /// `epoch` is the epoch of the record before it.
    pub(crate) fn truncate_to(
        &mut self,
        partition: &TopicPartition,
        to: Offset,
        epoch: i32,
        leader_epoch: i32,
    ) {
        self.seek(partition, to);
        if let Some(assigned) = self.get_mut(partition) {
            assigned.leader_epochs.start_at(to, epoch);
            assigned.validated_epoch = Some(leader_epoch);
        }
    }

    /// Drops the batches that were fetched ahead, and validates the position instead of the fetch offset.
    pub(crate) fn drop_ahead(&mut self, partition: &TopicPartition) {
        self.forget_table();
        if let Some(assigned) = self.get_mut(partition)
            && let Some(position) = assigned.position
        {
            assigned.seek(Some(position));
            assigned.validated_epoch = None;
        }
    }

    /// Reads the partition from this replica until the lease ends.
    pub(crate) fn prefer_replica(
        &mut self,
        partition: &TopicPartition,
        node: i32,
        lease: Duration,
    ) {
        if let Some(assigned) = self.get_mut(partition) {
            assigned.preferred_replica = Some(PreferredReplica::new(node, lease));
        }
    }

    /// Reads the partition from its leader again.
    pub(crate) fn forget_replica(&mut self, partition: &TopicPartition) {
        if let Some(assigned) = self.get_mut(partition) {
            assigned.preferred_replica = None;
        }
    }
}
