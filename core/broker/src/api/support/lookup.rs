//! Topics and partitions of a request.

use std::sync::Arc;

use headwater_env::Env;
use headwater_protocol::ErrorCode;
use headwater_record::{LeaderEpoch, PartitionId};
use uuid::Uuid;

use crate::partition::Partition;
use crate::partitions::Partitions;
use crate::partitions::Topic;

/// Finds a topic by id or, if the id is nil, by name: newer versions have only the id, older ones only the name. With
/// neither, the id is unknown.
pub(in crate::api) fn topic<E: Env>(
    partitions: &Partitions<E>,
    name: &str,
    id: Uuid,
) -> Result<Arc<Topic<E>>, ErrorCode> {
    if id.is_nil() && !name.is_empty() {
        partitions
            .topic(name)
            .ok_or(ErrorCode::UnknownTopicOrPartition)
    } else {
        partitions.topic_by_id(id).ok_or(ErrorCode::UnknownTopicId)
    }
}

/// Finds a partition of a topic.
pub(in crate::api) fn partition<E: Env>(
    topic: &Topic<E>,
    index: i32,
) -> Result<Arc<Partition<E>>, ErrorCode> {
    topic
        .partition(PartitionId::new(index))
        .ok_or(ErrorCode::UnknownTopicOrPartition)
}

/// The leader epoch that the client sent; -1 means none.
pub(in crate::api) fn requested_epoch(epoch: i32) -> Option<LeaderEpoch> {
    (epoch >= 0).then(|| LeaderEpoch::new(epoch))
}
