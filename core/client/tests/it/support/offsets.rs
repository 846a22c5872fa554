//! Committed offsets, and the ends of leader epochs in a log.

use headwater_protocol::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use headwater_protocol::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};
use headwater_protocol::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use headwater_protocol::{
    ErrorCode, OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse,
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
};
use headwater_record::BatchHeader;

use super::state::{State, end_offset};
use super::{FakeCluster, not_here};

impl FakeCluster {
    /// Ignores the group and does not check members.
    pub(super) fn commit_offsets(
        &self,
        node: i32,
        request: &OffsetCommitRequest,
    ) -> OffsetCommitResponse {
        let mut state = self.state();
        let is_here = state.coordinator == node && !state.refuses_commits;
        let refusal = if state.refuses_commits {
            ErrorCode::CoordinatorLoadInProgress
        } else {
            ErrorCode::NotCoordinator
        };
        let topics = request.topics.iter().map(|topic| {
            let name = match &*topic.name {
                "" => state.name_of(topic.topic_id).unwrap().to_owned(),
                name => name.to_owned(),
            };
            let partitions = topic.partitions.iter().map(|committed| {
                let key = (name.clone(), committed.partition_index);
                let value = (committed.committed_offset, committed.committed_leader_epoch);
                if is_here {
                    state.committed.insert(key, value);
                }
                OffsetCommitResponsePartition {
                    partition_index: committed.partition_index,
                    error_code: not_here(is_here, refusal),
                    ..Default::default()
                }
            });
            OffsetCommitResponseTopic {
                partitions: partitions.collect(),
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                ..Default::default()
            }
        });
        OffsetCommitResponse {
            topics: topics.collect(),
            ..Default::default()
        }
    }

    pub(super) fn committed_offsets(
        &self,
        node: i32,
        request: &OffsetFetchRequest,
    ) -> OffsetFetchResponse {
        let state = self.state();
        let is_here = state.coordinator == node;
        let group = &request.groups[0];
        if group.topics.is_none() {
            return of_all_topics(&state, request);
        }
        let topics = group.topics.iter().flatten().map(|topic| {
            let name = match &*topic.name {
                "" => state.name_of(topic.topic_id).unwrap(),
                name => name,
            };
            let partitions = topic.partition_indexes.iter().map(|number| {
                let committed = state.committed.get(&(name.to_owned(), *number));
                let (committed_offset, committed_leader_epoch) =
                    committed.copied().unwrap_or((-1, -1));
                OffsetFetchResponsePartitions {
                    partition_index: *number,
                    committed_offset,
                    committed_leader_epoch,
                    ..Default::default()
                }
            });
            OffsetFetchResponseTopics {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                partitions: partitions.collect(),
                ..Default::default()
            }
        });
        let group = OffsetFetchResponseGroup {
            group_id: group.group_id.clone(),
            topics: topics.collect(),
            error_code: not_here(is_here, ErrorCode::NotCoordinator),
            ..Default::default()
        };
        OffsetFetchResponse {
            groups: vec![group],
            ..Default::default()
        }
    }

    pub(super) fn offsets_for_leader_epochs(
        &self,
        node: i32,
        request: &OffsetForLeaderEpochRequest,
    ) -> OffsetForLeaderEpochResponse {
        let state = self.state();
        let topics = request.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|asked| {
                let number = asked.partition;
                let epoch = asked.current_leader_epoch;
                let refused = state.check_leader(node, &topic.topic, number, epoch);
                let (leader_epoch, end_offset) = match refused {
                    None => end_of_epoch(&state, &topic.topic, number, asked.leader_epoch),
                    Some(_) => (-1, -1),
                };
                EpochEndOffset {
                    partition: number,
                    error_code: refused.map_or(0, ErrorCode::code),
                    leader_epoch,
                    end_offset,
                    ..Default::default()
                }
            });
            OffsetForLeaderTopicResult {
                topic: topic.topic.clone(),
                partitions: partitions.collect(),
                ..Default::default()
            }
        });
        OffsetForLeaderEpochResponse {
            topics: topics.collect(),
            ..Default::default()
        }
    }
}

/// The committed offsets of all topics.
fn of_all_topics(state: &State, request: &OffsetFetchRequest) -> OffsetFetchResponse {
    let is_unstable = request.require_stable && state.has_pending_commits;
    let code = if is_unstable {
        ErrorCode::UnstableOffsetCommit
    } else {
        ErrorCode::None
    };
    let topics = state
        .committed
        .iter()
        .map(|((topic, number), (offset, _))| {
            let partition = OffsetFetchResponsePartitions {
                partition_index: *number,
                committed_offset: *offset,
                error_code: code.code(),
                ..Default::default()
            };
            OffsetFetchResponseTopics {
                name: topic.as_str().into(),
                topic_id: state.id_of(topic),
                partitions: vec![partition],
                ..Default::default()
            }
        });
    let group = OffsetFetchResponseGroup {
        group_id: request.groups[0].group_id.clone(),
        topics: topics.collect(),
        ..Default::default()
    };
    OffsetFetchResponse {
        groups: vec![group],
        ..Default::default()
    }
}

/// The largest epoch of the log that is not larger than `epoch`, and its end.
fn end_of_epoch(state: &State, topic: &str, partition: i32, epoch: i32) -> (i32, i64) {
    let key = (topic.to_owned(), partition);
    let log = state.logs.get(&key).cloned().unwrap_or_default();
    if epoch == state.leaders[&key].epoch {
        return (epoch, end_offset(&log));
    }
    let headers = log.iter().map(|batch| BatchHeader::parse(batch).unwrap());
    let up_to = headers.filter(|header| header.leader_epoch.get() <= epoch);
    up_to.last().map_or((-1, -1), |last| {
        (last.leader_epoch.get(), last.next_offset().get())
    })
}
