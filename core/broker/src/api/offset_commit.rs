//! `OffsetCommit` (key 8), versions 2-10.
//!
//! Behaviour: keeps offsets, with a text, for a member of the group, or for anybody (generation -1) while the group has no members. They
//! are written to `__consumer_offsets` before the answer, as one batch. Topics by name up to version 9, by id from 10.
//!
//! Notes: offsets of topics and partitions that are not there are refused one by one; what is wrong with the group or the member is the
//! error of every partition. Versions before 5 may say how long to keep the offset.

use std::sync::Arc;

use headwater_env::Env;
use headwater_protocol::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use headwater_protocol::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use headwater_protocol::{ErrorCode, OffsetCommitRequest, OffsetCommitResponse};

use super::lookup;
use crate::RequestContext;
use crate::groups::committed::CommittedOffset;
use crate::groups::detached;
use crate::groups::offset_store::{Commit, CommitRules, Committer};
use crate::state::State;
use crate::topics::Topic;

/// The first version with the epochs of consumer groups, and that tells a group that is not there from a wrong generation.
const KNOWS_EPOCHS: i16 = 9;
/// Keep it as long as the broker keeps offsets.
const DEFAULT_RETENTION: i64 = -1;

/// Answers the request.
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
        rules: if context.is_at_least(KNOWS_EPOCHS) {
            CommitRules::Epochs
        } else {
            CommitRules::Generations
        },
    };
    let outcome = if commits.is_empty() && !checked.iter().flatten().all(Result::is_ok) {
        // Nothing of it can be kept, whoever commits.
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
    // Kafka counts the letters of Java's strings.
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
