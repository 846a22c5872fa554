//! From the names and numbers of a request to topics and partitions.

use std::sync::Arc;

use headwater_env::Env;
use headwater_protocol::ErrorCode;
use headwater_record::{LeaderEpoch, PartitionId};
use uuid::Uuid;

use crate::partition::Partition;
use crate::state::State;
use crate::topics::Topic;

/// The topic of that id, or of that name when the id is nil: newer versions of a request carry only the id, older ones only the name.
/// Neither is an id that nobody has.
pub(super) fn topic<E: Env>(
    state: &State<E>,
    name: &str,
    id: Uuid,
) -> Result<Arc<Topic<E>>, ErrorCode> {
    if id.is_nil() && !name.is_empty() {
        state
            .topics
            .by_name(name)
            .ok_or(ErrorCode::UnknownTopicOrPartition)
    } else {
        state.topics.by_id(id).ok_or(ErrorCode::UnknownTopicId)
    }
}

/// A partition of a topic that was found.
pub(super) fn partition<E: Env>(
    topic: &Topic<E>,
    index: i32,
) -> Result<Arc<Partition<E>>, ErrorCode> {
    topic
        .partition(PartitionId::new(index))
        .ok_or(ErrorCode::UnknownTopicOrPartition)
}

/// The leader epoch that a request believes in; -1 says that it does not know.
pub(super) fn believed_epoch(epoch: i32) -> Option<LeaderEpoch> {
    (epoch >= 0).then(|| LeaderEpoch::new(epoch))
}
