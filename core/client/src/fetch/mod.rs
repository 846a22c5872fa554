//! Reads partitions: fetches from leaders or replicas, with or without sessions, and validates positions against new
//! leaders.

mod batches;
mod by_node;
mod first_at_time;
mod range_reader;
mod request;
mod session;
mod validation;

use std::sync::Arc;
use std::time::Duration;

use headwater_record::Offset;

use crate::batch::TopicPartition;
use crate::cluster::{Cluster, TopicMetadata};
use crate::error::{Error, Result};
use crate::error_codes;
use crate::isolation::IsolationLevel;
use crate::transport::Node;

pub(crate) use batches::{EncodedBatches, headers};
pub(crate) use by_node::{NodeTargets, by_node};
pub(crate) use first_at_time::first_at_time;
pub(crate) use range_reader::{FETCH_BYTES, RangeReader};
pub(crate) use request::{read, request};
pub(crate) use session::FetchSession;
pub(crate) use validation::{Validation, Verdict, validate_at};

/// A position to read from in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FetchTarget {
    pub(crate) partition: TopicPartition,
    pub(crate) fetch_offset: Offset,
    pub(crate) max_bytes: usize,
    /// The leader epoch of the last record before `fetch_offset`, if known.
    pub(crate) offset_epoch: Option<i32>,
    /// The leader epoch in which `fetch_offset` was valid; `None` if it was never validated.
    pub(crate) validated_epoch: Option<i32>,
    /// The replica to read from instead of the leader.
    pub(crate) preferred_replica: Option<i32>,
}

impl FetchTarget {
    /// A target that is read from the leader, without validation.
    pub(crate) fn at_leader(
        partition: TopicPartition,
        fetch_offset: Offset,
        max_bytes: usize,
    ) -> Self {
        Self {
            partition,
            fetch_offset,
            max_bytes,
            offset_epoch: None,
            validated_epoch: None,
            preferred_replica: None,
        }
    }
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
    /// The metadata of the topic for the request. `None` if no request was sent.
    pub(crate) topic: Option<Arc<TopicMetadata>>,
    pub(crate) fetch_offset: Offset,
    /// The leader epoch of the request; `None` if it had none.
    pub(crate) leader_epoch: Option<i32>,
    /// Whether the answer is from a preferred replica instead of the leader.
    pub(crate) from_replica: bool,
    /// The fetched batches. The last one may be incomplete.
    pub(crate) batches: Result<EncodedBatches>,
    /// The high watermark, or with `read_committed` the last stable offset (exclusive): all records before it can be
    /// read. `None` with an error.
    pub(crate) readable_end: Option<Offset>,
    /// The replica to read from, which the leader returns instead of records (KIP-392).
    pub(crate) preferred_replica: Option<i32>,
    /// Whether the whole response is without records and errors, so that an empty partition cannot be due to a lack of
    /// space.
    pub(crate) is_response_empty: bool,
}

impl PartitionAnswer {
    /// The answer for a partition that could not be requested.
    fn failed(target: FetchTarget, error: Error) -> Self {
        Self {
            partition: target.partition,
            topic: None,
            fetch_offset: target.fetch_offset,
            leader_epoch: None,
            from_replica: false,
            batches: Err(error),
            readable_end: None,
            preferred_replica: None,
            is_response_empty: false,
        }
    }

    /// Whether the response is empty although the offsets up to `end` are readable.
    pub(crate) fn is_empty_before(&self, end: Offset) -> bool {
        let is_empty = self.batches.as_ref().is_ok_and(EncodedBatches::is_empty);
        let readable_end = self.readable_end;
        is_empty && self.fetch_offset < end && readable_end.is_some_and(|readable| readable >= end)
    }
}

/// Fetches a single partition from its leader, without a session.
pub(crate) async fn fetch_one(
    cluster: &Cluster,
    target: FetchTarget,
    limits: FetchLimits,
) -> Result<PartitionAnswer> {
    let (leader, topic) = by_node::leader_of(cluster, &target.partition).await?;
    let targets = NodeTargets::single(leader, topic, target);
    let timeout = cluster.config().request_timeout + limits.max_wait;
    let request = request(&targets, limits);
    let response = cluster
        .call_within(Node::Id(leader), request, timeout)
        .await?;
    error_codes::only(read(response, &targets, limits.isolation)?, "Fetch")
}

/// Whether compaction has removed all records from `from` to `end`, although these offsets are readable. Call it after
/// an empty fetch. Fetches the partition alone, because a response for several partitions may be full before it reaches
/// this one. Returns false after an error, which the next fetch returns.
pub(crate) async fn has_no_records(
    cluster: &Cluster,
    partition: &TopicPartition,
    from: Offset,
    end: Offset,
    isolation: IsolationLevel,
) -> bool {
    let target = FetchTarget::at_leader(partition.clone(), from, 1);
    let limits = FetchLimits {
        max_wait: Duration::ZERO,
        min_bytes: 1,
        max_bytes: 1,
        isolation,
    };
    let answer = fetch_one(cluster, target, limits).await;
    answer.is_ok_and(|answer| answer.is_empty_before(end))
}
