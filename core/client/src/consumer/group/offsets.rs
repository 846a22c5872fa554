//! Commits and fetches a group's offsets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headwater_protocol::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use headwater_protocol::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use headwater_protocol::{
    ErrorCode, OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse,
    Str,
};
use headwater_record::{Offset, PartitionId};

use super::Committer;
use crate::batch::TopicPartition;
use crate::cluster::{Cluster, Coordinator, TopicMetadata, is_recreated};
use crate::consumer::assignment_epochs::OffsetEpochs;
use crate::consumer::known_topics::TopicIds;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes;

/// The next offset to read in each partition.
pub(crate) type Offsets = BTreeMap<TopicPartition, Offset>;

/// A committed offset, and the leader epoch of the record before it, if it was committed with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CommittedOffset {
    pub(crate) offset: Offset,
    pub(crate) leader_epoch: Option<i32>,
}

/// Partitions that do not exist, each with its error.
pub(crate) type MissingPartitions = BTreeMap<TopicPartition, Error>;

/// The text to store with the offset of a partition; empty where there is none.
pub type CommitMetadata = BTreeMap<TopicPartition, String>;

/// The offsets of a commit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OffsetsToCommit<'a> {
    pub(crate) offsets: &'a Offsets,
    pub(crate) metadata: &'a CommitMetadata,
    /// The leader epochs of the records before the offsets.
    pub(crate) epochs: &'a OffsetEpochs,
    /// The ids of the topics that were read.
    pub(crate) ids: &'a TopicIds,
}

/// Commits offsets with the leader epochs of the records before them. Retries retriable errors, each time in the
/// current generation or epoch of the member. Returns the partitions that do not exist; any other error of a partition
/// fails the call. A topic whose id differs from that of the commit was recreated, and counts as missing.
pub(crate) async fn commit(
    cluster: &Cluster,
    coordinator: &Coordinator,
    committer: &Committer,
    commit: OffsetsToCommit<'_>,
) -> Result<MissingPartitions> {
    let offsets = commit.offsets;
    let (topics, missing_topics) = topics(cluster, offsets.keys(), commit.ids).await?;
    let mut missing = MissingPartitions::new();
    for partition in offsets.keys() {
        if let Some(error) = missing_topics.get(&partition.topic) {
            missing.insert(partition.clone(), error.clone());
        }
    }
    if topics.is_empty() {
        return Ok(missing);
    }
    let request = OffsetCommitRequest {
        group_id: Str::from(coordinator.group_id()),
        topics: topics
            .iter()
            .map(|topic| commit_topic(topic, commit))
            .collect(),
        ..Default::default()
    };
    let refused = cluster
        .retried(None, || async {
            let identity = committer.identity();
            let request = OffsetCommitRequest {
                generation_id_or_member_epoch: identity.generation_or_epoch,
                member_id: identity.member_id.clone(),
                group_instance_id: identity.instance_id.clone(),
                ..request.clone()
            };
            let response = coordinator.call(cluster, request).await?;
            read_commit(response, coordinator, &topics)
                .inspect_err(|error| committer.refused(error.code(), &identity))
        })
        .await?;
    missing.extend(refused);
    Ok(missing)
}

/// The partitions of a commit that do not exist. Any other error is returned.
fn read_commit(
    response: OffsetCommitResponse,
    coordinator: &Coordinator,
    topics: &[Arc<TopicMetadata>],
) -> Result<MissingPartitions> {
    let mut missing = MissingPartitions::new();
    for topic in response.topics {
        let name = name_of(topics, &topic.name, topic.topic_id);
        for partition in topic.partitions {
            let code = error_codes::code(partition.error_code);
            let number = PartitionId::new(partition.partition_index);
            let Err(error) = check(code, coordinator, "commit offsets of") else {
                continue;
            };
            let error = error.in_topic(Arc::clone(&name)).in_partition(number);
            if error.kind() != ErrorKind::UnknownTopicOrPartition {
                return Err(error);
            }
            missing.insert(TopicPartition::new(Arc::clone(&name), number), error);
        }
    }
    Ok(missing)
}

/// The committed offsets of these partitions. Leaves out partitions that have none or do not exist.
pub(crate) async fn committed(
    cluster: &Cluster,
    coordinator: &Coordinator,
    committer: &Committer,
    partitions: &[TopicPartition],
) -> Result<BTreeMap<TopicPartition, CommittedOffset>> {
    let (topics, _) = topics(cluster, partitions, &TopicIds::new()).await?;
    if topics.is_empty() {
        return Ok(BTreeMap::new());
    }
    let requested = topics.iter().map(|topic| OffsetFetchRequestTopics {
        name: topic.wire_name(),
        topic_id: topic.topic_id,
        partition_indexes: numbers_of(topic, partitions),
        ..Default::default()
    });
    let requested: Vec<_> = requested.collect();
    cluster
        .retried(None, || async {
            let reader = committer.reader();
            let group = OffsetFetchRequestGroup {
                group_id: Str::from(coordinator.group_id()),
                member_id: reader.as_ref().map(|reader| reader.member_id.clone()),
                member_epoch: reader
                    .as_ref()
                    .map_or(-1, |reader| reader.generation_or_epoch),
                topics: Some(requested.clone()),
                ..Default::default()
            };
            let request = OffsetFetchRequest {
                groups: vec![group],
                require_stable: true,
                ..Default::default()
            };
            let response = coordinator.call(cluster, request).await?;
            read_committed(response, coordinator, &topics).map_err(|error| {
                let Some(reader) = &reader else { return error };
                committer.refused(error.code(), reader);
                // The next attempt uses the epoch of the next heartbeat, or no membership.
                let is_about_membership = matches!(
                    error.code(),
                    ErrorCode::UnknownMemberId | ErrorCode::StaleMemberEpoch
                );
                if is_about_membership {
                    error.retriable(true)
                } else {
                    error
                }
            })
        })
        .await
}

fn read_committed(
    response: OffsetFetchResponse,
    coordinator: &Coordinator,
    topics: &[Arc<TopicMetadata>],
) -> Result<BTreeMap<TopicPartition, CommittedOffset>> {
    let group = error_codes::only(response.groups, "OffsetFetch")?;
    let operation = "read committed offsets of";
    check(error_codes::code(group.error_code), coordinator, operation)?;
    let mut found = BTreeMap::new();
    for topic in group.topics {
        let name = name_of(topics, &topic.name, topic.topic_id);
        for partition in topic.partitions {
            let code = error_codes::code(partition.error_code);
            if let Err(error) = check(code, coordinator, operation)
                && error.kind() != ErrorKind::UnknownTopicOrPartition
            {
                return Err(error);
            }
            if partition.committed_offset >= 0 {
                found.insert(
                    TopicPartition::new(Arc::clone(&name), partition.partition_index),
                    CommittedOffset {
                        offset: Offset::new(partition.committed_offset),
                        leader_epoch: Some(partition.committed_leader_epoch)
                            .filter(|epoch| *epoch >= 0),
                    },
                );
            }
        }
    }
    Ok(found)
}

/// The topics of these partitions, and the topics that do not exist.
async fn topics<'a>(
    cluster: &Cluster,
    partitions: impl IntoIterator<Item = &'a TopicPartition>,
    ids: &TopicIds,
) -> Result<(Vec<Arc<TopicMetadata>>, BTreeMap<Arc<str>, Error>)> {
    let names: BTreeSet<&Arc<str>> = partitions
        .into_iter()
        .map(|partition| &partition.topic)
        .collect();
    let mut topics = Vec::with_capacity(names.len());
    let mut missing_topics = BTreeMap::new();
    for name in names {
        match cluster.topic_metadata(name).await {
            Ok(topic) if !replaces(ids.get(name), &topic) => topics.push(topic),
            Ok(_) => {
                let code = ErrorCode::UnknownTopicId;
                let error = error_codes::error(code, None, &format!("use topic \"{name}\""));
                missing_topics.insert(Arc::clone(name), error.in_topic(Arc::clone(name)));
            }
            Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {
                missing_topics.insert(Arc::clone(name), error);
            }
            Err(error) => return Err(error),
        }
    }
    Ok((topics, missing_topics))
}

/// Whether the topic was recreated since the one with this id was read.
fn replaces(id: Option<&uuid::Uuid>, topic: &TopicMetadata) -> bool {
    id.is_some_and(|id| is_recreated(*id, topic.topic_id))
}

fn commit_topic(topic: &TopicMetadata, commit: OffsetsToCommit<'_>) -> OffsetCommitRequestTopic {
    let metadata = |partition| commit.metadata.get(partition).map_or("", String::as_str);
    let partitions = commit
        .offsets
        .iter()
        .filter(|(partition, _)| partition.topic == topic.name)
        .map(|(partition, offset)| OffsetCommitRequestPartition {
            partition_index: partition.partition.get(),
            committed_offset: offset.get(),
            committed_leader_epoch: commit.epochs.get(partition).copied().unwrap_or(-1),
            committed_metadata: Some(Str::from(metadata(partition))),
            ..Default::default()
        });
    OffsetCommitRequestTopic {
        name: topic.wire_name(),
        topic_id: topic.topic_id,
        partitions: partitions.collect(),
        ..Default::default()
    }
}

fn numbers_of(topic: &TopicMetadata, partitions: &[TopicPartition]) -> Vec<i32> {
    partitions
        .iter()
        .filter(|partition| partition.topic == topic.name)
        .map(|partition| partition.partition.get())
        .collect()
}

/// Responses name topics by id or by name, depending on the version.
fn name_of(topics: &[Arc<TopicMetadata>], name: &str, id: uuid::Uuid) -> Arc<str> {
    topics
        .iter()
        .find(|topic| *topic.name == *name || (!id.is_nil() && topic.topic_id == id))
        .map_or_else(|| Arc::from(name), |topic| Arc::clone(&topic.name))
}

fn check(code: ErrorCode, coordinator: &Coordinator, operation: &str) -> Result<()> {
    if code == ErrorCode::None {
        return Ok(());
    }
    coordinator.forget_if_moved(code);
    Err(refusal(code, coordinator.group_id(), operation))
}

fn refusal(code: ErrorCode, group_id: &str, operation: &str) -> Error {
    let reason = match code {
        ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration => Some(
            "the group has rebalanced without this member, and its partitions were assigned to others: poll to rejoin. Records that were \
             not committed are read again",
        ),
        ErrorCode::RebalanceInProgress => Some(
            "the group is rebalancing: poll, then commit the partitions that are still assigned",
        ),
        _ => None,
    };
    let error = error_codes::error(code, reason, &format!("{operation} group \"{group_id}\""));
    match code {
        ErrorCode::FencedInstanceId => error.fatal(),
        // The next attempt uses the member's epoch at that time.
        ErrorCode::StaleMemberEpoch => error.retriable(true),
        // A retry would not help: the same broker would answer the same.
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::UnknownTopicId
        | ErrorCode::KafkaStorageError
        | ErrorCode::CorruptMessage => error.retriable(false),
        _ => error,
    }
}
