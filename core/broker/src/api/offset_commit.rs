//! `OffsetCommit` (key 8), versions 2-10.
//!
//! Behaviour: stores offsets with metadata for a member of the group, or for any client (generation -1) if the group
//! has no members. They are written to `__consumer_offsets` as one batch before the response. Topics are given by name
//! up to version 9, by id from 10.
//!
//! Notes: unknown topics and partitions have their own error; an error of the group or the member applies to every
//! partition. Versions before 5 may set the retention of the offset.

use std::sync::Arc;

use headwater_env::Env;
use headwater_protocol::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use headwater_protocol::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use headwater_protocol::{ErrorCode, OffsetCommitRequest, OffsetCommitResponse};

use super::support::lookup;
use crate::RequestContext;
use crate::groups::committed::CommittedOffset;
use crate::groups::detached;
use crate::groups::offset_store::{Commit, CommitRules, Committer};
use crate::state::State;
use crate::topics::Topic;

/// The first version that supports member epochs, and that has different errors for an unknown group and a wrong
/// generation.
const MEMBER_EPOCHS_SINCE: i16 = 9;
/// The retention of the broker.
const DEFAULT_RETENTION: i64 = -1;

/// Handles the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    request: OffsetCommitRequest,
) -> OffsetCommitResponse {
    let mut commits = Vec::new();
    let mut checked = Vec::new();
    for topic in &request.topics {
        let found = lookup::topic(state, &topic.name, topic.topic_id);
        let check = |partition: &OffsetCommitRequestPartition| {
            let topic = found.as_ref().map_err(|code| *code)?;
            let commit = commit(state, topic, partition, request.retention_time_ms)?;
            commits.push(commit);
            Ok(())
        };
        checked.push(topic.partitions.iter().map(check).collect::<Vec<_>>());
    }
    let committer = Committer {
        group_id: &request.group_id,
        member_id: &request.member_id,
        instance_id: request.group_instance_id.as_ref(),
        generation: request.generation_id_or_member_epoch,
        rules: if context.is_at_least(MEMBER_EPOCHS_SINCE) {
            CommitRules::Epochs
        } else {
            CommitRules::Generations
        },
    };
    let outcome = if commits.is_empty() && !checked.iter().flatten().all(Result::is_ok) {
        // No offset is valid, so the sender is not checked.
        Ok(())
    } else {
        state.commit_offsets(committer, commits)
    };
    let topics = request.topics.into_iter().zip(checked);
    OffsetCommitResponse {
        topics: topics
            .map(|(topic, checked)| respond(topic, checked, outcome))
            .collect(),
        ..OffsetCommitResponse::default()
    }
}

fn commit<E: Env>(
    state: &State<E>,
    topic: &Arc<Topic<E>>,
    wanted: &OffsetCommitRequestPartition,
    retention_ms: i64,
) -> Result<Commit, ErrorCode> {
    lookup::partition(topic, wanted.partition_index)?;
    let metadata = wanted.committed_metadata.as_deref().unwrap_or_default();
    // Kafka counts UTF-16 units, like Java's strings.
    if metadata.encode_utf16().count() > state.config().offset_metadata_bytes_max {
        return Err(ErrorCode::OffsetMetadataTooLarge);
    }
    let now_ms = state.env.wall_clock_ms();
    Ok(Commit {
        topic: detached(&topic.name),
        partition: wanted.partition_index,
        offset: CommittedOffset {
            offset: wanted.committed_offset,
            leader_epoch: wanted.committed_leader_epoch,
            metadata: detached(metadata),
            commit_timestamp_ms: now_ms,
            expire_timestamp_ms: (retention_ms != DEFAULT_RETENTION)
                .then(|| now_ms.saturating_add(retention_ms)),
            topic_id: topic.id,
        },
    })
}

fn respond(
    topic: OffsetCommitRequestTopic,
    checked: Vec<Result<(), ErrorCode>>,
    committed: Result<(), ErrorCode>,
) -> OffsetCommitResponseTopic {
    let partitions = topic.partitions.iter().zip(checked);
    let partition = |(wanted, checked): (&OffsetCommitRequestPartition, Result<(), ErrorCode>)| {
        let code = checked.and(committed).err().unwrap_or(ErrorCode::None);
        OffsetCommitResponsePartition {
            partition_index: wanted.partition_index,
            error_code: code.code(),
            ..OffsetCommitResponsePartition::default()
        }
    };
    OffsetCommitResponseTopic {
        partitions: partitions.map(partition).collect(),
        name: topic.name,
        topic_id: topic.topic_id,
        ..OffsetCommitResponseTopic::default()
    }
}
