//! Fetch requests and responses.

mod batches;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater_protocol::fetch_request::{FetchPartition, FetchTopic};
use headwater_protocol::fetch_response::{
    AbortedTransaction, FetchResponse, FetchableTopicResponse, PartitionData,
};
use headwater_protocol::{ErrorCode, FetchRequest};
use headwater_record::{AbortedTransactions, Offset, PartitionId, ProducerId};
use uuid::Uuid;

use crate::batch::TopicPartition;
use crate::cluster::{Cluster, TopicMetadata};
use crate::duration;
use crate::error::{Error, Result};
use crate::error_codes;
use crate::isolation::IsolationLevel;
use crate::mutants::{self, Mutant};
use crate::transport::Node;

pub(crate) use batches::EncodedBatches;

/// Where to read in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FetchTarget {
    pub(crate) partition: TopicPartition,
    pub(crate) fetch_offset: Offset,
    pub(crate) max_bytes: usize,
}

/// The limits of a fetch, over all partitions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FetchLimits {
    pub(crate) max_wait: Duration,
    pub(crate) min_bytes: usize,
    pub(crate) max_bytes: usize,
    pub(crate) isolation: IsolationLevel,
}

/// The response for one partition.
#[derive(Debug)]
pub(crate) struct PartitionAnswer {
    pub(crate) partition: TopicPartition,
    /// The id of the topic that was read, to detect a recreated topic. `None` if no request was sent.
    pub(crate) topic_id: Option<Uuid>,
    pub(crate) fetch_offset: Offset,
    /// The last batch may be incomplete.
    pub(crate) batches: Result<EncodedBatches>,
    /// The high watermark, or with `read_committed` the last stable offset (exclusive): all records before it can be read. `None` with an
    /// error.
    pub(crate) readable_end: Option<Offset>,
}

impl PartitionAnswer {
    /// The answer for a partition that could not be requested.
    fn failed(target: FetchTarget, error: Error) -> Self {
        Self {
            partition: target.partition,
            topic_id: None,
            fetch_offset: target.fetch_offset,
            batches: Err(error),
            readable_end: None,
        }
    }

    /// Whether the response is empty although the offsets up to `end` are readable.
    pub(crate) fn is_empty_before(&self, end: Offset) -> bool {
        let is_empty = self.batches.as_ref().is_ok_and(EncodedBatches::is_empty);
        let readable_end = self.readable_end;
        is_empty && self.fetch_offset < end && readable_end.is_some_and(|readable| readable >= end)
    }
}

/// A target and its topic.
#[derive(Debug)]
struct TargetWithTopic {
    topic: Arc<TopicMetadata>,
    target: FetchTarget,
}

/// The targets with the same leader.
#[derive(Debug)]
pub(crate) struct LeaderTargets {
    pub(crate) leader: i32,
    targets: Vec<TargetWithTopic>,
}

impl LeaderTargets {
    /// The targets, in their original order.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &FetchTarget> {
        self.targets.iter().map(|with_topic| &with_topic.target)
    }
}

/// Groups targets by leader and keeps their order. Targets without a leader are returned as failed answers.
pub(crate) async fn by_leader(
    cluster: &Cluster,
    targets: Vec<FetchTarget>,
) -> (Vec<LeaderTargets>, Vec<PartitionAnswer>) {
    let mut leaders: BTreeMap<i32, Vec<TargetWithTopic>> = BTreeMap::new();
    let mut failed = Vec::new();
    for target in targets {
        match leader_of(cluster, &target.partition).await {
            Ok((leader, topic)) => {
                let with_topic = TargetWithTopic { topic, target };
                leaders.entry(leader).or_default().push(with_topic);
            }
            Err(error) => failed.push(PartitionAnswer::failed(target, error)),
        }
    }
    let leaders = leaders
        .into_iter()
        .map(|(leader, targets)| LeaderTargets { leader, targets });
    (leaders.collect(), failed)
}

async fn leader_of(
    cluster: &Cluster,
    partition: &TopicPartition,
) -> Result<(i32, Arc<TopicMetadata>)> {
    let topic = cluster.topic_metadata(&partition.topic).await?;
    let leader = topic.require_leader(partition.partition, "read the partition")?;
    Ok((leader, topic))
}

/// Sends one Fetch request to a leader. Partitions that are not in the response are left out.
pub(crate) async fn fetch_from(
    cluster: &Cluster,
    targets: &LeaderTargets,
    limits: FetchLimits,
) -> Result<Vec<PartitionAnswer>> {
    let timeout = cluster.config().request_timeout + limits.max_wait;
    let request = request(&targets.targets, limits);
    let node = Node::Id(targets.leader);
    let response = cluster.call_within(node, request, timeout).await?;
    read(response, &targets.targets, limits.isolation)
}

/// Fetches a single partition.
pub(crate) async fn fetch_one(
    cluster: &Cluster,
    target: FetchTarget,
    limits: FetchLimits,
) -> Result<PartitionAnswer> {
    let (leader, topic) = leader_of(cluster, &target.partition).await?;
    let targets = vec![TargetWithTopic { topic, target }];
    let answers = fetch_from(cluster, &LeaderTargets { leader, targets }, limits).await?;
    error_codes::only(answers, "Fetch")
}

/// How long a fetch that confirms the absence of records waits for one.
const CONFIRM_WAIT: Duration = Duration::from_millis(500);

/// Whether compaction has removed all records from `from` to `end`, although these offsets are readable. Call it after an empty fetch.
/// Fetches the partition alone, as a response with several partitions may be full before it reaches this one. Returns false after an error,
/// which the next fetch returns.
pub(crate) async fn has_no_records(
    cluster: &Cluster,
    partition: &TopicPartition,
    from: Offset,
    end: Offset,
    isolation: IsolationLevel,
) -> bool {
    let target = FetchTarget {
        partition: partition.clone(),
        fetch_offset: from,
        max_bytes: 1,
    };
    let limits = FetchLimits {
        max_wait: CONFIRM_WAIT,
        min_bytes: 1,
        max_bytes: 1,
        isolation,
    };
    let answer = fetch_one(cluster, target, limits).await;
    answer.is_ok_and(|answer| answer.is_empty_before(end))
}

fn request(targets: &[TargetWithTopic], limits: FetchLimits) -> FetchRequest {
    let mut topics: Vec<FetchTopic> = Vec::new();
    for TargetWithTopic { topic, target } in targets {
        let number = target.partition.partition;
        let partition = FetchPartition {
            partition: number.get(),
            current_leader_epoch: topic.leader_epoch(number),
            fetch_offset: target.fetch_offset.get(),
            partition_max_bytes: wire_size(target.max_bytes),
            ..Default::default()
        };
        match topics
            .last_mut()
            .filter(|last| last.topic_id == topic.topic_id)
        {
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

fn read(
    response: FetchResponse,
    targets: &[TargetWithTopic],
    isolation: IsolationLevel,
) -> Result<Vec<PartitionAnswer>> {
    let code = error_codes::code(response.error_code);
    if code != ErrorCode::None {
        return Err(error_codes::read_error(code, None, "read"));
    }
    let mut answers = Vec::with_capacity(targets.len());
    for answered in response.responses {
        let (name, id) = (answered.topic.clone(), answered.topic_id);
        let FetchableTopicResponse { partitions, .. } = answered;
        for data in partitions {
            let partition = PartitionId::new(data.partition_index);
            let target = targets.iter().find(|TargetWithTopic { topic, target }| {
                target.partition.partition == partition
                    && (topic.topic_id == id || *topic.name == *name)
            });
            if let Some(target) = target {
                answers.push(read_partition(data, isolation, target));
            }
        }
    }
    Ok(answers)
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
        topic_id: Some(topic.topic_id),
        fetch_offset: target.fetch_offset,
        readable_end: (batches.is_ok() && readable_end >= 0).then(|| Offset::new(readable_end)),
        batches,
    }
}

/// The aborted transactions of a response. Brokers send them under `read_committed` only.
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
