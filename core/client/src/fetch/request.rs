//! Fetch requests and responses.

use std::sync::Arc;

use headwater_protocol::fetch_request::{FetchPartition, FetchTopic};
use headwater_protocol::fetch_response::{
    AbortedTransaction, FetchResponse, FetchableTopicResponse, PartitionData,
};
use headwater_protocol::{ErrorCode, FetchRequest};
use headwater_record::{AbortedTransactions, Offset, PartitionId, ProducerId};

use super::by_node::{NodeTargets, TargetWithTopic};
use super::{EncodedBatches, FetchLimits, FetchTarget, PartitionAnswer};
use crate::duration;
use crate::error::{Error, Result};
use crate::error_codes;
use crate::isolation::IsolationLevel;
use crate::mutants::{self, Mutant};

/// A fetch of all targets, without a session.
pub(crate) fn request(targets: &NodeTargets, limits: FetchLimits) -> FetchRequest {
    let mut topics: Vec<FetchTopic> = Vec::new();
    for TargetWithTopic { topic, target } in &targets.targets {
        let number = target.partition.partition;
        let partition = FetchPartition {
            partition: number.get(),
            current_leader_epoch: topic.leader_epoch(number),
            fetch_offset: target.fetch_offset.get(),
            partition_max_bytes: wire_size(target.max_bytes),
            ..Default::default()
        };
        match topics.last_mut().filter(|last| *last.topic == *topic.name) {
            Some(last) => last.partitions.push(partition),
            None => topics.push(FetchTopic {
                topic: topic.wire_name(),
                topic_id: topic.topic_id,
                partitions: vec![partition],
                ..Default::default()
            }),
        }
    }
    FetchRequest {
        max_wait_ms: duration::wire_ms(limits.max_wait),
        min_bytes: wire_size(limits.min_bytes),
        max_bytes: wire_size(limits.max_bytes),
        isolation_level: limits.isolation.wire(),
        topics,
        ..Default::default()
    }
}

/// The answers for the targets in a response. Leaves out targets that are not in it.
pub(crate) fn read(
    response: FetchResponse,
    targets: &NodeTargets,
    isolation: IsolationLevel,
) -> Result<Vec<PartitionAnswer>> {
    let code = error_codes::code(response.error_code);
    if code != ErrorCode::None {
        return Err(error_codes::read_error(code, None, "read"));
    }
    let is_response_empty = is_empty(&response);
    let mut answers = Vec::with_capacity(targets.targets.len());
    for answered in response.responses {
        let (name, id) = (answered.topic.clone(), answered.topic_id);
        let FetchableTopicResponse { partitions, .. } = answered;
        for data in partitions {
            let partition = PartitionId::new(data.partition_index);
            let target = targets
                .targets
                .iter()
                .find(|TargetWithTopic { topic, target }| {
                    target.partition.partition == partition && topic.is_named(&name, id)
                });
            if let Some(target) = target {
                answers.push(PartitionAnswer {
                    from_replica: target.target.preferred_replica == Some(targets.node),
                    is_response_empty,
                    ..read_partition(data, isolation, target)
                });
            }
        }
    }
    Ok(answers)
}

/// Whether no partition of the response has records. A throttled response does not count.
fn is_empty(response: &FetchResponse) -> bool {
    let mut partitions = response
        .responses
        .iter()
        .flat_map(|topic| &topic.partitions);
    let no_news = |data: &PartitionData| {
        data.error_code == 0
            && data.preferred_read_replica < 0
            && data.records.as_ref().is_none_or(bytes::Bytes::is_empty)
    };
    response.throttle_time_ms == 0 && partitions.all(no_news)
}

fn read_partition(
    data: PartitionData,
    isolation: IsolationLevel,
    TargetWithTopic { topic, target }: &TargetWithTopic,
) -> PartitionAnswer {
    let code = error_codes::code(data.error_code);
    let readable_end = match isolation {
        IsolationLevel::ReadUncommitted => data.high_watermark,
        IsolationLevel::ReadCommitted => data.last_stable_offset,
    };
    let leader_epoch = topic.leader_epoch(target.partition.partition);
    let replica = data.preferred_read_replica;
    let batches = if code == ErrorCode::None {
        Ok(EncodedBatches {
            aborted: aborted(data.aborted_transactions),
            bytes: data.records.unwrap_or_default(),
        })
    } else {
        Err(partition_error(code, target))
    };
    PartitionAnswer {
        partition: target.partition.clone(),
        topic: Some(Arc::clone(topic)),
        fetch_offset: target.fetch_offset,
        leader_epoch: (leader_epoch >= 0).then_some(leader_epoch),
        from_replica: false,
        readable_end: (batches.is_ok() && readable_end >= 0).then(|| Offset::new(readable_end)),
        batches,
        preferred_replica: (replica >= 0).then_some(replica),
        is_response_empty: false,
    }
}

/// The aborted transactions of a response. Brokers send them only with `read_committed`.
fn aborted(transactions: Option<Vec<AbortedTransaction>>) -> AbortedTransactions {
    let transactions = transactions.filter(|_| !mutants::is_active(Mutant::ForgetAborted));
    let transactions = transactions.into_iter().flatten();
    transactions
        .map(|transaction| {
            (
                ProducerId::new(transaction.producer_id),
                Offset::new(transaction.first_offset),
            )
        })
        .collect()
}

fn partition_error(code: ErrorCode, target: &FetchTarget) -> Error {
    let reason = (code == ErrorCode::OffsetOutOfRange).then(|| {
        format!(
            "offset {} is not in the log: it was deleted, or never written. Seek to an offset between the topic's start and end",
            target.fetch_offset
        )
    });
    let operation = format!("read {}", target.partition);
    error_codes::read_error(code, reason.as_deref(), &operation)
        .in_topic(Arc::clone(&target.partition.topic))
        .in_partition(target.partition.partition)
        .at_offset(target.fetch_offset)
}

fn wire_size(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}
