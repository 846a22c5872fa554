//! Reads a range of offsets within the log, batch by batch.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use headwater_columnar::FetchedBatches;
use headwater_record::Offset;

use super::{FetchLimits, FetchTarget, fetch_one, has_no_records};
use crate::batch::TopicPartition;
use crate::cluster::Cluster;
use crate::decode::damaged;
use crate::error::{Error, ErrorKind, Result};
use crate::isolation::IsolationLevel;

/// The time that a fetch waits for the high watermark of a new leader, which may lag behind. The first fetch does not
/// wait: the records of a range exist, or compaction has removed them.
const WAIT: Duration = Duration::from_millis(500);

/// The size of one fetch, for callers that read a whole range.
pub(crate) const FETCH_BYTES: usize = 1 << 20;

/// Reads a range of one partition from start to end. Its futures can be dropped: the next call continues.
#[derive(Debug)]
pub(crate) struct RangeReader {
    fetches: Cluster,
    partition: TopicPartition,
    /// The next offset to fetch.
    next: Offset,
    end: Offset,
    isolation: IsolationLevel,
    /// Since when fetches have returned no batch.
    stalled: Option<Instant>,
}

impl RangeReader {
    /// `fetches` must have a lane for fetches.
    pub(crate) fn new(
        fetches: &Cluster,
        partition: TopicPartition,
        range: Range<Offset>,
        isolation: IsolationLevel,
    ) -> Self {
        Self {
            fetches: fetches.clone(),
            partition,
            next: range.start,
            end: range.end,
            isolation,
            stalled: None,
        }
    }

    pub(crate) fn partition(&self) -> &TopicPartition {
        &self.partition
    }

    /// The next batches, about `max_bytes` at most; `None` at the end. They are empty if the log has no records up to
    /// the end.
    pub(crate) async fn next(&mut self, max_bytes: usize) -> Result<Option<FetchedBatches>> {
        while self.next < self.end {
            if let Some(batches) = self.fetch(max_bytes).await? {
                self.stalled = None;
                self.next = batches.until;
                return Ok(Some(batches));
            }
            self.stalled.get_or_insert_with(Instant::now);
        }
        Ok(None)
    }

    /// One fetch. `None`: no batch yet.
    async fn fetch(&self, max_bytes: usize) -> Result<Option<FetchedBatches>> {
        let (cluster, partition) = (&self.fetches, &self.partition);
        let (from, end) = (self.next, self.end);
        if self
            .stalled
            .is_some_and(|since| since.elapsed() >= cluster.config().api_timeout)
        {
            return Err(stalled_error(partition, from, end));
        }
        let target = FetchTarget::at_leader(partition.clone(), from, max_bytes);
        let limits = FetchLimits {
            max_wait: self.stalled.map_or(Duration::ZERO, |_| WAIT),
            min_bytes: 1,
            max_bytes,
            isolation: self.isolation,
        };
        let (batches, is_empty) = cluster
            .retried(Some(&partition.topic), || async {
                let answer = fetch_one(cluster, target.clone(), limits).await?;
                let is_empty = answer.is_empty_before(end);
                Ok((answer.batches?, is_empty))
            })
            .await?;
        if is_empty && has_no_records(cluster, partition, from, end, self.isolation).await {
            return Ok(Some(without_records(partition, from, end)));
        }
        batches
            .whole(partition, from, Some(end))
            .map_err(|error| damaged(partition, from, error))
    }
}

/// A range of offsets without records.
fn without_records(partition: &TopicPartition, from: Offset, end: Offset) -> FetchedBatches {
    let topic = Arc::clone(&partition.topic);
    FetchedBatches::new(topic, partition.partition, Bytes::new(), from).until(end)
}

fn stalled_error(partition: &TopicPartition, from: Offset, end: Offset) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("{partition} should have records from offset {from} to {end}, but its leader returns none: check the broker's log."),
    )
    .in_topic(Arc::clone(&partition.topic))
    .in_partition(partition.partition)
    .at_offset(from)
}
