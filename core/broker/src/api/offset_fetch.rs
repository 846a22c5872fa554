//! `OffsetFetch` (key 9), versions 1-10.
//!
//! Behaviour: the committed offsets of a group for the given partitions or for all (null topics, from version 2 on). A
//! partition without a commit has offset -1 and no error. From version 8 on a request has many groups; topics are given
//! by id from version 10.
//!
//! Notes: `require_stable` has no effect, because without transactions all offsets are stable. An offset that was
//! committed for a deleted topic of the same name is not returned.

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
use crate::controller::Controller;
use crate::groups::Groups;

/// The first version with many groups.
const BATCHED_SINCE: i16 = 8;

/// Handles the request.
pub(super) fn handle<E: Env>(
    controller: &Controller<E>,
    groups: &Groups<E>,
    context: &RequestContext,
    request: OffsetFetchRequest,
) -> OffsetFetchResponse {
    if context.is_at_least(BATCHED_SINCE) {
        let wanted = request.groups.into_iter();
        let answers = wanted.map(|group| answer::group(controller, groups, group));
        return OffsetFetchResponse {
            groups: answers.collect(),
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
    older_response(answer::group(controller, groups, group))
}

fn newer_topic(topic: OffsetFetchRequestTopic) -> OffsetFetchRequestTopics {
    OffsetFetchRequestTopics {
        name: topic.name,
        partition_indexes: topic.partition_indexes,
        ..OffsetFetchRequestTopics::default()
    }
}

/// The response of a version with one group. Version 1 has no error field for the group, so each partition has the
/// error.
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
