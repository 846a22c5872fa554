//! Reads the next batches of a range that is in the log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use headwater_columnar::FetchedBatches;
use headwater_record::Offset;

use crate::batch::TopicPartition;
use crate::cluster::Cluster;
use crate::decode::damaged;
use crate::error::{Error, ErrorKind, Result};
use crate::fetch::{FetchLimits, FetchTarget, fetch_one, has_no_records};
use crate::isolation::IsolationLevel;

/// How long a fetch waits for a new leader, whose high watermark may lag behind.
const WAIT: Duration = Duration::from_millis(500);

/// The options of a read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RangeRead {
    pub(crate) isolation: IsolationLevel,
    pub(crate) max_bytes: usize,
    /// Since when reads have returned no batch.
    pub(crate) stalled: Option<Instant>,
}

/// The next batches from `from`, at most up to `end`; empty if the log has no records there. `None`: no batch yet.
pub(crate) async fn read_range(
    cluster: &Cluster,
    partition: &TopicPartition,
    from: Offset,
    end: Offset,
    read: RangeRead,
) -> Result<Option<FetchedBatches>> {
    if read
        .stalled
        .is_some_and(|since| since.elapsed() >= cluster.config().api_timeout)
    {
        return Err(stalled_error(partition, from, end));
    }
    let target = FetchTarget {
        partition: partition.clone(),
        fetch_offset: from,
        max_bytes: read.max_bytes,
    };
    let limits = FetchLimits {
        max_wait: WAIT,
        min_bytes: 1,
        max_bytes: read.max_bytes,
        isolation: read.isolation,
    };
    let (batches, is_empty) = cluster
        .retried(Some(&partition.topic), || async {
            let answer = fetch_one(cluster, target.clone(), limits).await?;
            let is_empty = answer.is_empty_before(end);
            Ok((answer.batches?, is_empty))
        })
        .await?;
    if is_empty && has_no_records(cluster, partition, from, end, read.isolation).await {
        return Ok(Some(without_records(partition, from, end)));
    }
    batches
        .whole(partition, from, Some(end))
        .map_err(|error| damaged(partition, from, error))
}

/// A range of offsets without records.
fn without_records(partition: &TopicPartition, from: Offset, end: Offset) -> FetchedBatches {
    let topic = Arc::clone(&partition.topic);
    FetchedBatches::new(topic, partition.partition, Bytes::new(), from).until(end)
}

fn stalled_error(partition: &TopicPartition, from: Offset, end: Offset) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("{partition} should have records from offset {from} to {end}, but its leader returns none: check the broker."),
    )
    .in_topic(Arc::clone(&partition.topic))
    .in_partition(partition.partition)
    .at_offset(from)
}
