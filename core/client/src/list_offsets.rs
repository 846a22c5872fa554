//! Resolves positions to offsets with `ListOffsets` requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_protocol::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use headwater_protocol::{ErrorCode, ListOffsetsRequest};
use headwater_record::{Offset, PartitionId};

use crate::batch::TopicPartition;
use crate::clock;
use crate::cluster::{Cluster, LeaderPartitions};
use crate::error::Result;
use crate::error_codes;
use crate::fetch::{RangeReader, first_at_time};
use crate::isolation::IsolationLevel;
use crate::position::Position;
use crate::transport::Purpose;

/// Special timestamps of `ListOffsets` requests.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
/// The record with the greatest timestamp (KIP-734).
const MAX_TIMESTAMP: i64 = -3;

/// An offset for each partition that has one.
pub(crate) type PartitionOffsets = BTreeMap<PartitionId, Offset>;

/// The result of a broker for a partition.
#[derive(Debug, Clone, Copy)]
struct FoundOffset {
    offset: Offset,
    /// The timestamp of the record; -1 for the ends of the log.
    timestamp_ms: i64,
}

/// Resolves `at` in each of `partitions`. Does not check offsets against the log. Leaves out partitions that a map of
/// offsets does not contain.
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
    let mut found = offsets(cluster, topic, partitions, timestamp, isolation).await?;
    let mut missing = partitions.to_vec();
    missing.retain(|partition| !found.contains_key(partition));
    if timestamp < 0 {
        found.extend(offsets(cluster, topic, &missing, LATEST, isolation).await?);
    } else if !missing.is_empty() {
        // Boxed: it reads records, so its future is large, and few calls need it.
        let resolved = Box::pin(resolve_not_found(
            cluster, topic, &missing, timestamp, isolation,
        ));
        found.extend(resolved.await?);
    }
    Ok(found)
}

/// Resolves a timestamp in partitions whose leader has found no record that late: to the end, if that is correct.
///
/// Kafka searches only the first segment whose greatest timestamp is late enough. If that record was deleted, but its
/// segment still exists, Kafka returns "none" even if later segments have such records. So if records were deleted, and
/// the greatest timestamp does not confirm the answer, the client reads the records.
async fn resolve_not_found(
    cluster: &Cluster,
    topic: &str,
    partitions: &[PartitionId],
    timestamp: i64,
    isolation: IsolationLevel,
) -> Result<PartitionOffsets> {
    let (starts, mut found) = tokio::try_join!(
        offsets(cluster, topic, partitions, EARLIEST, isolation),
        offsets(cluster, topic, partitions, LATEST, isolation),
    )?;
    let mut doubtful = partitions.to_vec();
    doubtful.retain(|partition| {
        let (start, end) = (starts.get(partition), found.get(partition));
        start > Some(&Offset::ZERO) && start < end
    });
    let greatest = match list(cluster, topic, &doubtful, MAX_TIMESTAMP, isolation).await {
        // The broker is older than this kind of request.
        Err(error) if error.code() == ErrorCode::UnsupportedVersion => BTreeMap::new(),
        greatest => greatest?,
    };
    doubtful.retain(|partition| {
        let greatest = greatest.get(partition);
        greatest.is_none_or(|greatest| greatest.timestamp_ms >= timestamp)
    });
    if doubtful.is_empty() {
        return Ok(found);
    }
    let topic: Arc<str> = Arc::from(topic);
    let fetches = cluster.with_lane(Purpose::Fetch);
    for number in doubtful {
        let partition = TopicPartition::new(Arc::clone(&topic), number);
        let range = starts[&number]..found[&number];
        let reader = RangeReader::new(&fetches, partition, range, isolation);
        if let Some(first) = first_at_time(reader, timestamp).await? {
            found.insert(number, first);
        }
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

/// The timestamp of the first record, and the greatest one, in milliseconds. `None` if there are no records, or if a
/// broker is older than the request for the greatest timestamp.
pub(crate) async fn time_range(
    cluster: &Cluster,
    topic: &str,
    partitions: &[PartitionId],
) -> Result<Option<(i64, i64)>> {
    let isolation = IsolationLevel::ReadUncommitted;
    // The first record with a timestamp is the first one that is found from the Unix epoch on.
    let (first, greatest) =
        tokio::try_join!(list(cluster, topic, partitions, 0, isolation), async {
            match list(cluster, topic, partitions, MAX_TIMESTAMP, isolation).await {
                Err(error) if error.code() == ErrorCode::UnsupportedVersion => Ok(BTreeMap::new()),
                greatest => greatest,
            }
        },)?;
    let timestamp = |found: &FoundOffset| found.timestamp_ms;
    let first = first.values().map(timestamp).min();
    Ok(first.zip(greatest.values().map(timestamp).max()))
}

/// The offsets of [`list`].
async fn offsets(
    cluster: &Cluster,
    topic: &str,
    partitions: &[PartitionId],
    timestamp: i64,
    isolation: IsolationLevel,
) -> Result<PartitionOffsets> {
    let found = list(cluster, topic, partitions, timestamp, isolation).await?;
    let offsets = found.into_iter();
    Ok(offsets
        .map(|(partition, found)| (partition, found.offset))
        .collect())
}

/// Lists offsets by timestamp. Partitions without a record at or after it are left out.
async fn list(
    cluster: &Cluster,
    topic: &str,
    partitions: &[PartitionId],
    timestamp: i64,
    isolation: IsolationLevel,
) -> Result<BTreeMap<PartitionId, FoundOffset>> {
    if partitions.is_empty() {
        return Ok(BTreeMap::new());
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
) -> Result<BTreeMap<PartitionId, FoundOffset>> {
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
    let mut found = BTreeMap::new();
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
            let offset = Offset::new(partition.offset);
            let timestamp_ms = partition.timestamp;
            found.insert(
                id,
                FoundOffset {
                    offset,
                    timestamp_ms,
                },
            );
        }
    }
    if answered < led.partitions.len() {
        return Err(error_codes::no_answer("ListOffsets"));
    }
    Ok(found)
}
