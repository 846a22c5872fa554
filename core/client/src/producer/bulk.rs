//! Tables to the broker: encoded batch by batch, each sent as soon as it is full, so that its bytes are still in the cache.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use headwater_columnar::{
    EncodeError, EncodeOptions, EncodedBatch, Encoder, KeyValueColumns, Seal,
};
use headwater_record::{BatchOptions, Offset, PartitionId};

use super::completion::Outcome;
use super::drain::drain;
use super::identity::{Identity, identity};
use super::queue::{PartitionQueue, Ticket};
use super::topics::TopicQueues;
use super::{BatchResult, BulkOptions, Producer};
use crate::clock;
use crate::error::{Error, ErrorKind, Result};

/// The size of a table's batches: large enough for the page cache, which takes unaligned ends in small pieces, and small enough to be in the
/// processor's cache still when it is written. The broker's default limit is a header more.
const BATCH_BYTES: usize = 1 << 20;
/// After so many bytes whoever runs us may do something else, such as noticing that nobody wants the result any more.
const YIELD_BYTES: usize = 4 << 20;

pub(super) async fn send_batch(
    producer: &Producer,
    topic: &str,
    rows: &RecordBatch,
    options: &BulkOptions,
) -> Result<BatchResult> {
    producer.inner.refuse_if_closed()?;
    let queues = producer.topic(topic).await?;
    if let Some(partition) = options.partition {
        queues.require(topic, partition)?;
    }
    let mut sent = Vec::new();
    let mut since_yield = 0;
    let mut encoder = Encoder::new(encode_options(producer, &queues, options));
    let identity = identity_ahead(producer).await;
    let transport = &producer.inner.shared.client.shared.transport;
    // Stamped while it is sealed: the way of a batch that is stamped later costs a copy.
    let mut seal = |partition| Seal {
        producer: queue_of(&queues, partition)
            .ok()
            .zip(identity)
            .map(|(queue, identity)| queue.stamp_ahead(identity)),
        position: transport.write_position(topic, partition),
    };
    let mut batches = encoder
        .encode(rows, &columns(options))
        .map_err(|error| refused(topic, error))?;
    while let Some(batch) = batches.next_sealed(&mut seal) {
        let batch = batch.map_err(|error| refused(topic, error))?;
        since_yield += batch.bytes.len();
        sent.push(hand_over(producer, &queues, batch).await?);
        if since_yield >= YIELD_BYTES {
            since_yield = 0;
            tokio::task::yield_now().await;
        }
    }
    drop(batches);
    queues.count_keyless(encoder.keyless_bytes());
    answers(sent).await
}

/// The producer's identity, if it is to have one and the broker gives it at once; who delivers the batches asks again.
async fn identity_ahead(producer: &Producer) -> Option<Identity> {
    let shared = &producer.inner.shared;
    if !shared.config.idempotent {
        return None;
    }
    identity(shared).await.ok()
}

/// A batch on its way.
struct Sent {
    ticket: Arc<Ticket>,
    records: u32,
    bytes: usize,
}

fn columns(options: &BulkOptions) -> KeyValueColumns {
    KeyValueColumns {
        key: options.key.clone(),
        value: options.value.clone(),
        headers: options.headers.clone(),
        timestamp: options.timestamp.clone(),
        partition: options.partition_column.clone(),
    }
}

fn encode_options(
    producer: &Producer,
    queues: &TopicQueues,
    options: &BulkOptions,
) -> EncodeOptions {
    let config = producer.config();
    EncodeOptions {
        batch: BatchOptions {
            capacity: config
                .max_request_bytes
                .min(BATCH_BYTES)
                .min(config.buffer_bytes),
            ..producer.inner.shared.batch_options()
        },
        partition_count: queues.queues.len() as i32,
        partition: options.partition,
        sticky_partition: PartitionId::new(queues.sticky() as i32),
        now_ms: clock::now_ms(),
        max_record_bytes: config.max_request_bytes,
    }
}

/// Puts a batch into its partition's queue, waiting for space in the buffer, and sends what can be sent.
async fn hand_over(producer: &Producer, queues: &TopicQueues, batch: EncodedBatch) -> Result<Sent> {
    let queue = queue_of(queues, batch.partition)?;
    let memory = &producer.inner.shared.memory;
    let bytes = batch.bytes.len();
    let reserved = bytes.min(memory.total());
    while !memory.try_take(reserved) {
        producer.inner.send_all();
        let max_block = producer.config().max_block;
        if tokio::time::timeout(max_block, memory.wait_for(reserved))
            .await
            .is_err()
        {
            return Err(producer
                .inner
                .blocked_too_long()
                .in_topic(Arc::clone(&queue.topic)));
        }
    }
    let records = batch.record_count as u32;
    let ticket = queue.push_encoded(batch.bytes, records, reserved);
    drain(queue);
    Ok(Sent {
        ticket,
        records,
        bytes,
    })
}

fn queue_of(queues: &TopicQueues, partition: PartitionId) -> Result<&Arc<PartitionQueue>> {
    let queue = usize::try_from(partition.get())
        .ok()
        .and_then(|index| queues.queues.get(index));
    queue.ok_or_else(|| {
        Error::new(
            ErrorKind::Broker,
            "A row was encoded for a partition that does not exist. Please report this.",
        )
    })
}

async fn answers(sent: Vec<Sent>) -> Result<BatchResult> {
    let mut result = BatchResult::default();
    let mut ranges: BTreeMap<PartitionId, Vec<Range<Offset>>> = BTreeMap::new();
    for Sent {
        ticket,
        records,
        bytes,
    } in sent
    {
        std::future::poll_fn(|context| ticket.completion.poll_done(context)).await;
        let ranges = ranges.entry(ticket.queue.partition).or_default();
        match ticket.completion.outcome() {
            Some(Outcome::Written(written)) => extend(ranges, written.base_offset, records),
            Some(Outcome::Parts(parts)) => {
                let ends = parts
                    .iter()
                    .skip(1)
                    .map(|(first, _)| *first)
                    .chain([records]);
                for ((first, part), end) in parts.iter().zip(ends) {
                    extend(ranges, part.clone()?.base_offset, end - first);
                }
            }
            Some(Outcome::Failed(error)) => return Err(error.clone()),
            None => unreachable!("a completion that is done has an outcome"),
        }
        result.records += u64::from(records);
        result.bytes += bytes as u64;
    }
    ranges.retain(|_, ranges| !ranges.is_empty());
    result.offsets = ranges;
    Ok(result)
}

/// Adds a run of offsets, as one with the run before where it follows on.
fn extend(ranges: &mut Vec<Range<Offset>>, base: Option<Offset>, records: u32) {
    let Some(base) = base else { return };
    let end = base + i64::from(records);
    match ranges.last_mut().filter(|last| last.end == base) {
        Some(last) => last.end = end,
        None => ranges.push(base..end),
    }
}

fn refused(topic: &str, error: EncodeError) -> Error {
    let kind = match error {
        EncodeError::RecordTooLarge { .. } | EncodeError::Append { .. } => {
            ErrorKind::RecordTooLarge
        }
        _ => ErrorKind::InvalidArgument,
    };
    Error::new(kind, format!("The table is not sent: {error}."))
        .in_topic(topic)
        .caused_by(error)
}
