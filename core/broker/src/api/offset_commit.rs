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
use crate::controller::Controller;
use crate::groups::Groups;
use crate::groups::committed::CommittedOffset;
use crate::groups::detached::detached;
use crate::groups::offset_store::{Commit, CommitRules, Committer};
use crate::partitions::{Partitions, Topic};

/// The first version that supports member epochs, and that has different errors for an unknown group and a wrong
/// generation.
const MEMBER_EPOCHS_SINCE: i16 = 9;
/// The retention of the broker.
const DEFAULT_RETENTION: i64 = -1;

/// Handles the request.
pub(super) async fn handle<E: Env>(
    controller: &Controller<E>,
    partitions: &Partitions<E>,
    groups: &Groups<E>,
    context: &RequestContext,
    request: OffsetCommitRequest,
) -> OffsetCommitResponse {
    let metadata_bytes_max = controller.config().offset_metadata_bytes_max;
    let now_ms = partitions.env.wall_clock_ms();
    let mut commits = Vec::new();
    let mut checked = Vec::new();
    for topic in &request.topics {
        let found = lookup::topic(partitions, &topic.name, topic.topic_id);
        let check = |partition: &OffsetCommitRequestPartition| {
            let topic = found.as_ref().map_err(|code| *code)?;
            let commit = commit(
                topic,
                partition,
                (request.retention_time_ms, now_ms),
                metadata_bytes_max,
            )?;
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
        groups.commit_offsets(committer, commits).await
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
    topic: &Arc<Topic<E>>,
    wanted: &OffsetCommitRequestPartition,
    (retention_ms, now_ms): (i64, i64),
    metadata_bytes_max: usize,
) -> Result<Commit, ErrorCode> {
    lookup::partition(topic, wanted.partition_index)?;
    let metadata = wanted.committed_metadata.as_deref().unwrap_or_default();
    // Kafka counts UTF-16 units, like Java's strings.
    if metadata.encode_utf16().count() > metadata_bytes_max {
        return Err(ErrorCode::OffsetMetadataTooLarge);
    }
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
