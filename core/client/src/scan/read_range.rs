//! Reads the next bytes of a range that is known to be in the log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_record::Offset;

use super::IsolationLevel;
use crate::batch::TopicPartition;
use crate::chunk::Chunk;
use crate::client::Client;
use crate::decode::damaged;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes;
use crate::fetch::{FetchLimits, Wanted, fetch, has_no_records};

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

/// The batches from `from` on, at most up to `end`; a chunk without bytes if the log has no record there. `None`: nothing came yet.
pub(crate) async fn read_range(
    client: &Client,
    partition: &TopicPartition,
    from: Offset,
    end: Offset,
    read: RangeRead,
) -> Result<Option<Chunk>> {
    if read
        .stalled
        .is_some_and(|since| since.elapsed() >= client.config().api_timeout)
    {
        return Err(stalled(partition, from, end));
    }
    let wanted = [Wanted {
        partition: partition.clone(),
        from,
        max_bytes: read.max_bytes,
    }];
    let limits = FetchLimits {
        max_wait: WAIT,
        min_bytes: 1,
        max_bytes: read.max_bytes,
        isolation: read.isolation,
    };
    let (bytes, is_empty) = client
        .retried(Some(&partition.topic), || async {
            let brought = fetch(client, &wanted, limits).await?;
            let brought = brought
                .into_iter()
                .next()
                .ok_or_else(|| error_codes::no_answer("Fetch"))?;
            let is_empty = brought.is_empty_before(end);
            Ok((brought.records?, is_empty))
        })
        .await?;
    if is_empty && has_no_records(client, partition, from, end, read.isolation).await {
        return Ok(Some(Chunk::without_records(from, end)));
    }
    Chunk::new(&bytes, from, Some(end)).map_err(|error| damaged(partition, from, error))
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
