//! Resolves positions to offsets with `ListOffsets` requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_protocol::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use headwater_protocol::{ErrorCode, ListOffsetsRequest};
use headwater_record::{Offset, PartitionId};

use crate::clock;
use crate::cluster::{Cluster, LeaderPartitions};
use crate::error::Result;
use crate::error_codes;
use crate::isolation::IsolationLevel;
use crate::position::Position;

/// Special timestamps of `ListOffsets` requests.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

/// An offset for each partition that has one.
pub(crate) type PartitionOffsets = BTreeMap<PartitionId, Offset>;

/// Resolves `at` in each of `partitions`. Offsets are not checked against the log. Partitions that are not in a map of offsets are left
/// out.
pub(crate) async fn resolve(
    cluster: &Cluster,
    topic: &str,
    partitions: &[PartitionId],
    at: &Position,
    isolation: IsolationLevel,
) -> Result<PartitionOffsets> {
    let timestamp = match at {
        Position::Offset(offset) => {
            return Ok(partitions
                .iter()
                .map(|partition| (*partition, *offset))
                .collect());
        }
        Position::PerPartition(offsets) => {
            let named = partitions
                .iter()
                .filter_map(|partition| Some((*partition, *offsets.get(partition)?)));
            return Ok(named.collect());
        }
        Position::Earliest => EARLIEST,
        Position::Latest => LATEST,
        Position::TimestampMs(time) => (*time).max(0),
        Position::AgoMs(age) => clock::now_ms().saturating_sub_unsigned(*age).max(0),
    };
    let mut found = list(cluster, topic, partitions, timestamp, isolation).await?;
    let mut missing = partitions.to_vec();
    missing.retain(|partition| !found.contains_key(partition));
    if !missing.is_empty() {
        // No record has a timestamp that late: use the end.
        found.extend(list(cluster, topic, &missing, LATEST, isolation).await?);
    }
    Ok(found)
}

/// Resolves several positions concurrently, each distinct one once. Returns the offsets in the order of the positions.
pub(crate) async fn resolve_all<const N: usize>(
    cluster: &Cluster,
    topic: &str,
    partitions: &[PartitionId],
    positions: [&Position; N],
    isolation: IsolationLevel,
) -> Result<[PartitionOffsets; N]> {
    let mut distinct: Vec<&Position> = Vec::with_capacity(N);
    let indexes = positions.map(|position| {
        let known = distinct.iter().position(|known| *known == position);
        known.unwrap_or_else(|| {
            distinct.push(position);
            distinct.len() - 1
        })
    });
    let requests = distinct
        .into_iter()
        .map(|position| resolve(cluster, topic, partitions, position, isolation));
    let found = futures_util::future::try_join_all(requests).await?;
    Ok(indexes.map(|index| found[index].clone()))
}

/// Lists offsets by timestamp. Partitions without a record at or after it are left out.
async fn list(
    cluster: &Cluster,
    topic: &str,
    partitions: &[PartitionId],
    timestamp: i64,
    isolation: IsolationLevel,
) -> Result<PartitionOffsets> {
    if partitions.is_empty() {
        return Ok(PartitionOffsets::new());
    }
    let list_at = |led: LeaderPartitions| list_at_leader(cluster, led, timestamp, isolation);
    let found = cluster
        .retried(Some(topic), || {
            cluster.per_leader(topic, partitions, "list offsets", list_at)
        })
        .await?;
    Ok(found.into_iter().flatten().collect())
}

async fn list_at_leader(
    cluster: &Cluster,
    led: LeaderPartitions,
    timestamp: i64,
    isolation: IsolationLevel,
) -> Result<PartitionOffsets> {
    let partitions = led.partitions.iter().map(|partition| ListOffsetsPartition {
        partition_index: partition.get(),
        current_leader_epoch: led.topic.leader_epoch(*partition),
        timestamp,
        ..Default::default()
    });
    let request = ListOffsetsRequest {
        replica_id: -1,
        isolation_level: isolation.wire(),
        topics: vec![ListOffsetsTopic {
            name: led.topic.wire_name(),
            partitions: partitions.collect(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let response = cluster.call(led.leader, request).await?;
    let answers = response
        .topics
        .into_iter()
        .flat_map(|topic| topic.partitions);
    let mut found = PartitionOffsets::new();
    let mut answered = 0;
    for partition in answers {
        let id = PartitionId::new(partition.partition_index);
        let code = error_codes::code(partition.error_code);
        if code != ErrorCode::None {
            return Err(error_codes::read_error(code, None, "list offsets")
                .in_topic(Arc::clone(&led.topic.name))
                .in_partition(id));
        }
        answered += 1;
        if partition.offset >= 0 {
            found.insert(id, Offset::new(partition.offset));
        }
    }
    if answered < led.partitions.len() {
        return Err(error_codes::no_answer("ListOffsets"));
    }
    Ok(found)
}
