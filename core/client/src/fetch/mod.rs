//! One Fetch request to each leader, all at the same time, and what their responses hold.

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
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes;
use crate::isolation::IsolationLevel;
use crate::transport::Node;

pub(crate) use batches::EncodedBatches;

/// Where to read in one partition.
#[derive(Debug, Clone)]
pub(crate) struct FetchTarget {
    pub(crate) partition: TopicPartition,
    pub(crate) fetch_offset: Offset,
    pub(crate) max_bytes: usize,
}

/// How long a fetch waits and how much it returns at most, over all partitions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FetchLimits {
    pub(crate) max_wait: Duration,
    pub(crate) min_bytes: usize,
    pub(crate) max_bytes: usize,
    pub(crate) isolation: IsolationLevel,
}

/// What one partition's leader answered.
#[derive(Debug)]
pub(crate) struct PartitionAnswer {
    pub(crate) partition: TopicPartition,
    /// The topic that was read, where a broker was asked: a topic of the same name may have been created since the last fetch.
    pub(crate) topic_id: Option<Uuid>,
    pub(crate) fetch_offset: Offset,
    /// The last batch may be cut.
    pub(crate) batches: Result<EncodedBatches>,
}

/// A target and its topic.
type LedTarget<'a> = (Arc<TopicMetadata>, &'a FetchTarget);

/// Asks each leader once. A partition that a leader does not mention is not in the answers. A partition that does not exist has an answer
/// with that error and does not keep the others from being read.
pub(crate) async fn fetch(
    cluster: &Cluster,
    targets: &[FetchTarget],
    limits: FetchLimits,
) -> Result<Vec<PartitionAnswer>> {
    let mut leaders: BTreeMap<i32, Vec<LedTarget<'_>>> = BTreeMap::new();
    let mut answers = Vec::with_capacity(targets.len());
    for target in targets {
        match leader_of(cluster, &target.partition).await {
            Ok((leader, topic)) => leaders.entry(leader).or_default().push((topic, target)),
            Err(error) if error.kind() == ErrorKind::UnknownTopicOrPartition => {
                answers.push(PartitionAnswer {
                    partition: target.partition.clone(),
                    topic_id: None,
                    fetch_offset: target.fetch_offset,
                    batches: Err(error),
                });
            }
            Err(error) => return Err(error),
        }
    }
    let timeout = cluster.config().request_timeout + limits.max_wait;
    let calls = leaders.iter().map(|(leader, targets)| {
        cluster.call_within(Node::Id(*leader), request(targets, limits), timeout)
    });
    let responses = futures_util::future::join_all(calls).await;
    for (targets, response) in leaders.values().zip(responses) {
        read(response?, targets, &mut answers)?;
    }
    Ok(answers)
}

async fn leader_of(
    cluster: &Cluster,
    partition: &TopicPartition,
) -> Result<(i32, Arc<TopicMetadata>)> {
    let topic = cluster.topic_metadata(&partition.topic).await?;
    let leader = topic.require_leader(partition.partition, "read the partition")?;
    Ok((leader, topic))
}

fn request(targets: &[LedTarget<'_>], limits: FetchLimits) -> FetchRequest {
    let mut topics: Vec<FetchTopic> = Vec::new();
    for (topic, target) in targets {
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
        max_wait_ms: i32::try_from(limits.max_wait.as_millis()).unwrap_or(i32::MAX),
        min_bytes: wire_size(limits.min_bytes),
        max_bytes: wire_size(limits.max_bytes),
        isolation_level: limits.isolation.wire(),
        topics,
        ..Default::default()
    }
}

fn read(
    response: FetchResponse,
    targets: &[LedTarget<'_>],
    answers: &mut Vec<PartitionAnswer>,
) -> Result<()> {
    let code = error_codes::code(response.error_code);
    if code != ErrorCode::None {
        return Err(error_codes::read_error(code, None, "read"));
    }
    for topic in response.responses {
        let (name, id) = (topic.topic.clone(), topic.topic_id);
        let FetchableTopicResponse { partitions, .. } = topic;
        for data in partitions {
            let partition = PartitionId::new(data.partition_index);
            let asked = targets.iter().find(|(topic, target)| {
                target.partition.partition == partition
                    && (topic.topic_id == id || *topic.name == *name)
            });
            if let Some((topic, target)) = asked {
                answers.push(read_partition(data, topic.topic_id, target));
            }
        }
    }
    Ok(())
}

fn read_partition(data: PartitionData, topic_id: Uuid, target: &FetchTarget) -> PartitionAnswer {
    let code = error_codes::code(data.error_code);
    let batches = if code == ErrorCode::None {
        Ok(EncodedBatches {
            aborted: aborted(data.aborted_transactions),
            bytes: data.records.unwrap_or_default(),
        })
    } else {
        Err(refused(code, target))
    };
    PartitionAnswer {
        partition: target.partition.clone(),
        topic_id: Some(topic_id),
        fetch_offset: target.fetch_offset,
        batches,
    }
}

/// The aborted transactions of an answer; brokers name them under `read_committed` only.
fn aborted(named: Option<Vec<AbortedTransaction>>) -> AbortedTransactions {
    let named = named.into_iter().flatten();
    named
        .map(|transaction| {
            (
                ProducerId::new(transaction.producer_id),
                Offset::new(transaction.first_offset),
            )
        })
        .collect()
}

fn refused(code: ErrorCode, target: &FetchTarget) -> Error {
    let reason = (code == ErrorCode::OffsetOutOfRange).then(|| {
        format!(
            "offset {} is not in the log: it was deleted, or never written. Ask for the topic's offsets, and seek to one in between",
            target.fetch_offset
        )
    });
    let doing = format!("read {}", target.partition);
    error_codes::read_error(code, reason.as_deref(), &doing)
        .in_topic(Arc::clone(&target.partition.topic))
        .in_partition(target.partition.partition)
        .at_offset(target.fetch_offset)
}

fn wire_size(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}
