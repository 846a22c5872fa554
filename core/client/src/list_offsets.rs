//! Positions as offsets: one `ListOffsets` for each leader.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_protocol::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use headwater_protocol::{ErrorCode, ListOffsetsRequest};
use headwater_record::{Offset, PartitionId};

use crate::client::Client;
use crate::clock;
use crate::error::Result;
use crate::error_codes;
use crate::position::Position;
use crate::scan::IsolationLevel;
use crate::transport::Node;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

impl IsolationLevel {
    /// The number on the wire.
    pub(crate) const fn wire(self) -> i8 {
        match self {
            Self::ReadUncommitted => 0,
            Self::ReadCommitted => 1,
        }
    }
}

/// The offset of `at` in each of `partitions`. An offset is taken as it is, whether it is in the log or not; a partition that a map of
/// offsets does not name is left out.
pub(crate) async fn resolve(
    client: &Client,
    topic: &str,
    partitions: &[PartitionId],
    at: &Position,
    isolation: IsolationLevel,
) -> Result<BTreeMap<PartitionId, Offset>> {
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
    let found = list(client, topic, partitions, timestamp, isolation).await?;
    let missing: Vec<_> = partitions
        .iter()
        .copied()
        .filter(|partition| !found.contains_key(partition))
        .collect();
    if missing.is_empty() {
        return Ok(found);
    }
    // No record is that late: the end.
    let mut found = found;
    found.extend(list(client, topic, &missing, LATEST, isolation).await?);
    Ok(found)
}

/// What `ListOffsets` finds; a partition without a record at or after the timestamp is left out.
async fn list(
    client: &Client,
    topic: &str,
    partitions: &[PartitionId],
    timestamp: i64,
    isolation: IsolationLevel,
) -> Result<BTreeMap<PartitionId, Offset>> {
    client
        .retried(Some(topic), || async {
            let mut found = BTreeMap::new();
            for (leader, partitions) in by_leader(client, topic, partitions).await? {
                list_at(
                    client,
                    topic,
                    leader,
                    &partitions,
                    timestamp,
                    isolation,
                    &mut found,
                )
                .await?;
            }
            Ok(found)
        })
        .await
}

async fn by_leader(
    client: &Client,
    topic: &str,
    partitions: &[PartitionId],
) -> Result<BTreeMap<i32, Vec<PartitionId>>> {
    let metadata = client.topic_metadata(topic).await?;
    let mut leaders: BTreeMap<i32, Vec<PartitionId>> = BTreeMap::new();
    for partition in partitions {
        let leader = metadata.leader(*partition)?.ok_or_else(|| {
            let error = error_codes::error(ErrorCode::LeaderNotAvailable, None, "ask for offsets");
            error
                .in_topic(Arc::clone(&metadata.name))
                .in_partition(*partition)
        })?;
        leaders.entry(leader).or_default().push(*partition);
    }
    Ok(leaders)
}

async fn list_at(
    client: &Client,
    topic: &str,
    leader: i32,
    partitions: &[PartitionId],
    timestamp: i64,
    isolation: IsolationLevel,
    found: &mut BTreeMap<PartitionId, Offset>,
) -> Result<()> {
    let metadata = client.topic_metadata(topic).await?;
    let asked = partitions.iter().map(|partition| ListOffsetsPartition {
        partition_index: partition.get(),
        current_leader_epoch: -1,
        timestamp,
        ..Default::default()
    });
    let request = ListOffsetsRequest {
        replica_id: -1,
        isolation_level: isolation.wire(),
        topics: vec![ListOffsetsTopic {
            name: metadata.wire_name(),
            partitions: asked.collect(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let response = client.call(Node::Id(leader), request).await?;
    let mut answered = 0;
    for partition in response
        .topics
        .into_iter()
        .flat_map(|topic| topic.partitions)
    {
        let id = PartitionId::new(partition.partition_index);
        let code = error_codes::code(partition.error_code);
        if code != ErrorCode::None {
            return Err(error_codes::error(code, None, "ask for offsets")
                .in_topic(topic)
                .in_partition(id));
        }
        answered += 1;
        if partition.offset >= 0 {
            found.insert(id, Offset::new(partition.offset));
        }
    }
    if answered < partitions.len() {
        Err(error_codes::no_answer("ListOffsets"))
    } else {
        Ok(())
    }
}
