//! Validates fetch offsets against a new leader's log (KIP-320).

use std::sync::Arc;

use headwater_protocol::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use headwater_protocol::offset_for_leader_epoch_response::EpochEndOffset;
use headwater_protocol::{ErrorCode, OffsetForLeaderEpochRequest};
use headwater_record::{Offset, PartitionId};

use super::by_node::{NodeTargets, TargetWithTopic};
use crate::batch::TopicPartition;
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::error_codes;
use crate::mutants::{self, Mutant};
use crate::transport::Node;

/// The replica id of a consumer.
const CONSUMER: i32 = -1;

/// The result for one fetch offset.
#[derive(Debug)]
pub(crate) struct Validation {
    pub(crate) partition: TopicPartition,
    pub(crate) fetch_offset: Offset,
    /// The leader epoch of the leader that answered.
    pub(crate) leader_epoch: i32,
    pub(crate) verdict: Result<Verdict>,
}

/// The result of comparing the records before a fetch offset with the leader's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The leader has them.
    Valid,
    /// The leader has the records before this offset, the last of which has this leader epoch; others have replaced the
    /// rest.
    DivergesAt { offset: Offset, epoch: i32 },
    /// The leader has no record of their leader epoch or an earlier one.
    UnknownEpoch,
}

/// Requests from a leader the end of its log in the leader epoch of the last record before each fetch offset.
pub(crate) async fn validate_at(
    cluster: &Cluster,
    targets: &NodeTargets,
) -> Result<Vec<Validation>> {
    let answer = cluster
        .call(Node::Id(targets.node), request(&targets.targets))
        .await;
    let response = match answer {
        Ok(response) => response,
        // This broker does not support the detection of truncations. Kafka's consumer reads from it anyway.
        Err(error) if error.code() == ErrorCode::UnsupportedVersion => {
            let valid = |target| validation(target, Ok(Verdict::Valid));
            return Ok(targets.targets.iter().map(valid).collect());
        }
        Err(error) => return Err(error),
    };
    let mut validations = Vec::with_capacity(targets.targets.len());
    for topic in response.topics {
        for end in topic.partitions {
            let number = PartitionId::new(end.partition);
            let target = targets.targets.iter().find(|with_topic| {
                let partition = &with_topic.target.partition;
                partition.partition == number && *partition.topic == *topic.topic
            });
            if let Some(target) = target {
                validations.push(validation(target, judge(target, &end)));
            }
        }
    }
    Ok(validations)
}

fn request(targets: &[TargetWithTopic]) -> OffsetForLeaderEpochRequest {
    let mut topics: Vec<OffsetForLeaderTopic> = Vec::new();
    for TargetWithTopic { topic, target } in targets {
        let number = target.partition.partition;
        let partition = OffsetForLeaderPartition {
            partition: number.get(),
            current_leader_epoch: topic.leader_epoch(number),
            leader_epoch: target.offset_epoch.unwrap_or(-1),
            ..Default::default()
        };
        match topics.last_mut().filter(|last| *last.topic == *topic.name) {
            Some(last) => last.partitions.push(partition),
            None => topics.push(OffsetForLeaderTopic {
                topic: topic.wire_name(),
                partitions: vec![partition],
                ..Default::default()
            }),
        }
    }
    OffsetForLeaderEpochRequest {
        replica_id: CONSUMER,
        topics,
        ..Default::default()
    }
}

fn validation(with_topic: &TargetWithTopic, verdict: Result<Verdict>) -> Validation {
    let target = &with_topic.target;
    Validation {
        partition: target.partition.clone(),
        fetch_offset: target.fetch_offset,
        leader_epoch: with_topic.topic.leader_epoch(target.partition.partition),
        verdict,
    }
}

fn judge(with_topic: &TargetWithTopic, end: &EpochEndOffset) -> Result<Verdict> {
    let target = &with_topic.target;
    let code = error_codes::code(end.error_code);
    if code != ErrorCode::None {
        return Err(refusal(code, &target.partition).at_offset(target.fetch_offset));
    }
    if mutants::is_active(Mutant::IgnoreDivergence) {
        return Ok(Verdict::Valid);
    }
    if end.end_offset < 0 || end.leader_epoch < 0 {
        return Ok(Verdict::UnknownEpoch);
    }
    let end_offset = Offset::new(end.end_offset);
    if end_offset >= target.fetch_offset {
        return Ok(Verdict::Valid);
    }
    Ok(Verdict::DivergesAt {
        offset: end_offset,
        epoch: end.leader_epoch,
    })
}

fn refusal(code: ErrorCode, partition: &TopicPartition) -> Error {
    let operation = format!("validate the position in {partition}");
    error_codes::read_error(code, None, &operation)
        .in_topic(Arc::clone(&partition.topic))
        .in_partition(partition.partition)
}
