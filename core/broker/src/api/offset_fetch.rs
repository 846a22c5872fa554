//! `OffsetFetch` (key 9), versions 1-10.
//!
//! Behaviour: what a group has committed for some partitions, or for all (null topics, from version 2 on). Nothing committed is offset -1
//! without an error. From version 8 on many groups are asked for at once; topics by id from version 10.
//!
//! Notes: `require_stable` is taken and changes nothing, for without transactions there is no unstable offset. An offset that was
//! committed for another topic of the same name, deleted since, is not told.

mod answer;

use headwater_env::Env;
use headwater_protocol::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use headwater_protocol::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use headwater_protocol::{OffsetFetchRequest, OffsetFetchResponse};

use crate::RequestContext;
use crate::state::State;

/// The first version with many groups.
const BATCHED: i16 = 8;

/// Answers the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    request: OffsetFetchRequest,
) -> OffsetFetchResponse {
    if context.is_at_least(BATCHED) {
        let groups = request.groups.into_iter();
        return OffsetFetchResponse {
            groups: groups.map(|group| answer::group(state, group)).collect(),
            ..OffsetFetchResponse::default()
        };
    }
    let topics = request
        .topics
        .map(|topics| topics.into_iter().map(newer_topic).collect());
    let group = OffsetFetchRequestGroup {
        group_id: request.group_id,
        member_epoch: -1,
        topics,
        ..OffsetFetchRequestGroup::default()
    };
    older_response(answer::group(state, group))
}

fn newer_topic(topic: OffsetFetchRequestTopic) -> OffsetFetchRequestTopics {
    OffsetFetchRequestTopics {
        name: topic.name,
        partition_indexes: topic.partition_indexes,
        ..OffsetFetchRequestTopics::default()
    }
}

/// The response of a version with one group. Version 1 has no place for the group's error, so each partition has it.
fn older_response(group: OffsetFetchResponseGroup) -> OffsetFetchResponse {
    let code = group.error_code;
    let partition = |partition: OffsetFetchResponsePartitions| OffsetFetchResponsePartition {
        partition_index: partition.partition_index,
        committed_offset: partition.committed_offset,
        committed_leader_epoch: partition.committed_leader_epoch,
        metadata: partition.metadata,
        error_code: if code == 0 {
            partition.error_code
        } else {
            code
        },
        ..OffsetFetchResponsePartition::default()
    };
    let topic = |topic: OffsetFetchResponseTopics| OffsetFetchResponseTopic {
        name: topic.name,
        partitions: topic.partitions.into_iter().map(partition).collect(),
        ..OffsetFetchResponseTopic::default()
    };
    OffsetFetchResponse {
        error_code: code,
        topics: group.topics.into_iter().map(topic).collect(),
        ..OffsetFetchResponse::default()
    }
}
