//! Reads the next bytes of a range that is known to be in the log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_columnar::FetchedBatches;
use headwater_record::Offset;

use crate::batch::TopicPartition;
use crate::cluster::Cluster;
use crate::decode::damaged;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes;
use crate::fetch::{FetchLimits, FetchTarget, fetch};
use crate::isolation::IsolationLevel;

/// How long a fetch waits for a leader that does not know yet what its predecessor had acknowledged.
const WAIT: Duration = Duration::from_millis(500);

/// How to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RangeRead {
    pub(crate) isolation: IsolationLevel,
    pub(crate) max_bytes: usize,
    /// Since when reads have brought nothing.
    pub(crate) stalled: Option<Instant>,
}

/// The batches from `from` on, at most up to `end`. `None`: nothing came yet, although `end` says that something is there.
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
        return Err(stalled(partition, from, end));
    }
    let target = [FetchTarget {
        partition: partition.clone(),
        fetch_offset: from,
        max_bytes: read.max_bytes,
    }];
    let limits = FetchLimits {
        max_wait: WAIT,
        min_bytes: 1,
        max_bytes: read.max_bytes,
        isolation: read.isolation,
    };
    let batches = cluster
        .retried(Some(&partition.topic), || async {
            let answers = fetch(cluster, &target, limits).await?;
            answers
                .into_iter()
                .next()
                .ok_or_else(|| error_codes::no_answer("Fetch"))?
                .batches
        })
        .await?;
    batches
        .whole(partition, from, Some(end))
        .map_err(|error| damaged(partition, from, error))
}

fn stalled(partition: &TopicPartition, from: Offset, end: Offset) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("{partition} should have records from offset {from} up to {end} and its leader gives none: look at the broker."),
    )
    .in_topic(Arc::clone(&partition.topic))
    .in_partition(partition.partition)
    .at_offset(from)
}
