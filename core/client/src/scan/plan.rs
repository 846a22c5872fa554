//! The plan of a scan: a half-open range of offsets for each partition, fixed when the scan starts.

use std::collections::BTreeMap;

use headwater_record::{Offset, PartitionId};

use super::{ScanOptions, ScanSource};
use crate::cluster::Cluster;
use crate::error::{Error, ErrorKind, Result};
use crate::list_offsets;
use crate::position::Position;

/// A range of one partition. Invariant: `start <= end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) partition: PartitionId,
    pub(crate) start: Offset,
    pub(crate) end: Offset,
}

impl Range {
    pub(crate) fn offsets(&self) -> u64 {
        (self.end - self.start).unsigned_abs()
    }
}

/// The readable range of a partition.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    start: Offset,
    end: Offset,
}

/// The ranges of a scan, sorted by partition.
pub(crate) async fn plan(source: &ScanSource, options: &ScanOptions) -> Result<Vec<Range>> {
    let ScanSource { cluster, topic, .. } = source;
    let partitions = partitions(cluster, topic, options).await?;
    // Records without a timestamp have -1; the time index has only timestamps from 0.
    let from_ms = options.timestamp_from_ms.filter(|time| *time > 0);
    let from_time = from_ms.map_or(Position::Earliest, Position::TimestampMs);
    let [log_start, log_end, start, end, from_time] = list_offsets::resolve_all(
        cluster,
        topic,
        &partitions,
        [
            &Position::Earliest,
            &Position::Latest,
            &options.start,
            &options.end,
            &from_time,
        ],
        options.isolation_level,
    )
    .await?;
    let bounds: BTreeMap<_, _> = partitions
        .iter()
        .filter_map(|partition| {
            Some((
                *partition,
                Bounds {
                    start: *log_start.get(partition)?,
                    end: *log_end.get(partition)?,
                },
            ))
        })
        .collect();
    refuse_out_of_range(topic, &options.start, &start, &bounds)?;
    let range = |partition: PartitionId, bounds: Bounds| {
        let lower = [
            start.get(&partition).copied(),
            from_time.get(&partition).copied(),
            options.offset_from,
        ];
        let upper = [end.get(&partition).copied(), options.offset_until];
        // Leave out partitions that a map of offsets does not contain.
        (lower[0].is_some() && upper[0].is_some()).then(|| {
            let start = lower
                .into_iter()
                .flatten()
                .fold(bounds.start, Offset::max)
                .min(bounds.end);
            let end = upper
                .into_iter()
                .flatten()
                .fold(bounds.end, Offset::min)
                .max(start);
            Range {
                partition,
                start,
                end,
            }
        })
    };
    let is_within = |partition: &PartitionId| {
        let within = options.partitions_within.as_ref();
        within.is_none_or(|within| within.contains(partition))
    };
    Ok(bounds
        .into_iter()
        .filter(|(partition, _)| is_within(partition))
        .filter_map(|(partition, bounds)| range(partition, bounds))
        .collect())
}

async fn partitions(
    cluster: &Cluster,
    topic: &str,
    options: &ScanOptions,
) -> Result<Vec<PartitionId>> {
    let metadata = cluster.look_up_topic(topic).await?;
    let mut partitions = match &options.partitions {
        None => metadata.partition_ids().collect(),
        Some(partitions) => partitions.clone(),
    };
    for partition in &partitions {
        metadata.leader(*partition)?;
    }
    metadata.check(&options.start)?;
    metadata.check(&options.end)?;
    partitions.sort_unstable();
    partitions.dedup();
    Ok(partitions)
}

/// Rejects a start offset outside the log. A single offset for all partitions may be past the end of some of them, but
/// not of all.
fn refuse_out_of_range(
    topic: &str,
    requested: &Position,
    start: &BTreeMap<PartitionId, Offset>,
    bounds: &BTreeMap<PartitionId, Bounds>,
) -> Result<()> {
    if !matches!(requested, Position::Offset(_) | Position::PerPartition(_)) {
        return Ok(());
    }
    let is_single_offset = matches!(requested, Position::Offset(_));
    let is_past_every_end = start.iter().all(|(partition, offset)| {
        bounds
            .get(partition)
            .is_none_or(|bounds| *offset > bounds.end)
    });
    for (partition, offset) in start {
        let Some(bounds) = bounds.get(partition) else {
            continue;
        };
        let is_past_end = *offset > bounds.end && (!is_single_offset || is_past_every_end);
        if *offset < bounds.start || is_past_end {
            return Err(out_of_range(topic, *partition, *offset, *bounds));
        }
    }
    Ok(())
}

fn out_of_range(topic: &str, partition: PartitionId, offset: Offset, bounds: Bounds) -> Error {
    Error::new(
        ErrorKind::OffsetOutOfRange,
        format!(
            "Offset {offset} of {topic}-{partition} is not in the log, which has offsets {} (inclusive) to {} (exclusive): start in between, or at \"earliest\".",
            bounds.start, bounds.end
        ),
    )
    .in_topic(topic)
    .in_partition(partition)
    .at_offset(offset)
    .retriable(false)
}
