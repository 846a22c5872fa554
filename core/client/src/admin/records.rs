//! Deletes records from the start of partitions.

use headwater_protocol::DeleteRecordsRequest;
use headwater_protocol::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use headwater_record::{Offset, PartitionId};

use super::{Admin, check_topic};
use crate::cluster::LeaderPartitions;
use crate::error::Result;
use crate::error_codes;
use crate::isolation::IsolationLevel;
use crate::list_offsets::{self, PartitionOffsets};
use crate::position::Position;

impl Admin {
    /// Deletes the records before a position. Returns the new `log_start_offset` of each affected partition.
    pub async fn delete_records(&self, name: &str, before: &Position) -> Result<PartitionOffsets> {
        let topic = self.cluster.look_up_topic(name).await?;
        topic.check(before)?;
        let partitions: Vec<_> = topic.partition_ids().collect();
        let isolation = IsolationLevel::ReadUncommitted;
        let before =
            list_offsets::resolve(&self.cluster, name, &partitions, before, isolation).await?;
        let partitions: Vec<_> = before.keys().copied().collect();
        let delete = |led: LeaderPartitions| self.delete_at_leader(led, &before);
        let deleted = self
            .cluster
            .retried(Some(name), || {
                self.cluster
                    .per_leader(name, &partitions, "delete records", delete)
            })
            .await?;
        Ok(deleted.into_iter().flatten().collect())
    }

    async fn delete_at_leader(
        &self,
        led: LeaderPartitions,
        before: &PartitionOffsets,
    ) -> Result<PartitionOffsets> {
        let partitions = led.partitions.iter().filter_map(|partition| {
            Some(DeleteRecordsPartition {
                partition_index: partition.get(),
                offset: before.get(partition)?.get(),
                ..Default::default()
            })
        });
        let topic = DeleteRecordsTopic {
            name: led.topic.wire_name(),
            partitions: partitions.collect(),
            ..Default::default()
        };
        let request = DeleteRecordsRequest {
            topics: vec![topic],
            timeout_ms: self.timeout_ms(),
            ..Default::default()
        };
        let response = self.cluster.call(led.leader, request).await?;
        let results = response
            .topics
            .into_iter()
            .flat_map(|topic| topic.partitions);
        let mut deleted = PartitionOffsets::new();
        for result in results {
            let partition = PartitionId::new(result.partition_index);
            check_topic(
                result.error_code,
                None,
                "delete records of",
                &led.topic.name,
            )
            .map_err(|error| {
                let error = error.in_partition(partition);
                match before.get(&partition) {
                    Some(offset) => error.at_offset(*offset),
                    None => error,
                }
            })?;
            deleted.insert(partition, Offset::new(result.low_watermark));
        }
        if deleted.len() < led.partitions.len() {
            return Err(error_codes::no_answer("DeleteRecords"));
        }
        Ok(deleted)
    }
}
