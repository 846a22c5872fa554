//! Groups fetch targets by the node to fetch from.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::batch::TopicPartition;
use crate::cluster::{Cluster, TopicMetadata};
use crate::error::Result;
use crate::mutants::{self, Mutant};

use super::{FetchTarget, PartitionAnswer};

/// A target and its topic.
#[derive(Debug)]
pub(super) struct TargetWithTopic {
    pub(super) topic: Arc<TopicMetadata>,
    pub(super) target: FetchTarget,
}

/// Targets with the same node.
#[derive(Debug)]
pub(crate) struct NodeTargets {
    /// The leader of the partitions, or the replica to read from.
    pub(crate) node: i32,
    /// Whether the fetch offsets must be validated before they are fetched; see [`super::validate_at`].
    pub(crate) validates: bool,
    pub(super) targets: Vec<TargetWithTopic>,
}

impl NodeTargets {
    /// The targets, in their original order.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &FetchTarget> {
        self.targets.iter().map(|with_topic| &with_topic.target)
    }

    pub(super) fn single(node: i32, topic: Arc<TopicMetadata>, target: FetchTarget) -> Self {
        Self {
            node,
            validates: false,
            targets: vec![TargetWithTopic { topic, target }],
        }
    }
}

/// The targets of one node: those to validate are sent first.
#[derive(Default)]
struct TargetLists {
    to_validate: Vec<TargetWithTopic>,
    to_fetch: Vec<TargetWithTopic>,
}

/// Groups targets by node and keeps their order. If some targets of a node must be validated, the node gets only those.
/// Targets without a leader are returned as failed answers.
pub(crate) async fn by_node(
    cluster: &Cluster,
    targets: Vec<FetchTarget>,
) -> (Vec<NodeTargets>, Vec<PartitionAnswer>) {
    let mut nodes: BTreeMap<i32, TargetLists> = BTreeMap::new();
    let mut failed = Vec::new();
    for target in targets {
        match leader_of(cluster, &target.partition).await {
            Ok((leader, topic)) => {
                let validates = needs_validation(&topic, &target);
                let replica = readable_replica(&topic, &target).filter(|_| !validates);
                let of_node = nodes.entry(replica.unwrap_or(leader)).or_default();
                let list = if validates {
                    &mut of_node.to_validate
                } else {
                    &mut of_node.to_fetch
                };
                list.push(TargetWithTopic { topic, target });
            }
            Err(error) => failed.push(PartitionAnswer::failed(target, error)),
        }
    }
    let nodes = nodes.into_iter().map(|(node, lists)| {
        let validates = !lists.to_validate.is_empty();
        NodeTargets {
            node,
            validates,
            targets: if validates {
                lists.to_validate
            } else {
                lists.to_fetch
            },
        }
    });
    (nodes.collect(), failed)
}

pub(super) async fn leader_of(
    cluster: &Cluster,
    partition: &TopicPartition,
) -> Result<(i32, Arc<TopicMetadata>)> {
    let topic = cluster.topic_metadata(&partition.topic).await?;
    let leader = topic.require_leader(partition.partition, "read the partition")?;
    Ok((leader, topic))
}

/// Whether the leader epoch has increased since the fetch offset was valid (KIP-320). False if the epoch of the record
/// before the offset is unknown, because there is nothing to compare.
fn needs_validation(topic: &TopicMetadata, target: &FetchTarget) -> bool {
    let leader_epoch = topic.leader_epoch(target.partition.partition);
    let is_newer = target
        .validated_epoch
        .is_none_or(|validated| validated < leader_epoch);
    let can_compare = target.offset_epoch.is_some() && leader_epoch >= 0;
    is_newer && can_compare && !mutants::is_active(Mutant::SkipValidation)
}

/// The preferred replica, if it is online.
fn readable_replica(topic: &TopicMetadata, target: &FetchTarget) -> Option<i32> {
    let replica = target.preferred_replica?;
    let is_online = topic.has_online_replica(target.partition.partition, replica);
    is_online.then_some(replica)
}
