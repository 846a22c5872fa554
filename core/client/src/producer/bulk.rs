//! Sends tables: encodes rows batch by batch, and sends each batch as soon as it is full, while its bytes are in the
//! processor's cache.

use std::sync::Arc;

use arrow_array::RecordBatch;
use headwater_columnar::{EncodeError, EncodeOptions, EncodedBatch, Encoder, KeyValueColumns};
use headwater_record::{AppendError, BatchOptions, PartitionId};

use super::bulk_answers::{BulkFailure, SentTableBatch, TableAnswers};
use super::identity::{Identity, identity};
use super::partition_queue::PartitionQueue;
use super::sender::drain;
use super::topics::TopicQueues;
use super::{BatchResult, BulkOptions, Producer};
use crate::clock;
use crate::error::{Error, ErrorKind, Result};

/// The size of a table's batches: large enough for `write`, which is slower for the unaligned ends of a batch, and
/// small enough that a batch is still in the processor's cache when it is written. The broker's default limit is this
/// plus a batch header.
const BATCH_BYTES: usize = 1 << 20;
/// The number of bytes after which the task yields, so that a caller can cancel it.
const YIELD_BYTES: usize = 4 << 20;

/// The number of rows after which a check can be cancelled.
const CHECK_ROWS: usize = 1 << 18;

/// Sends tables as the parts of one large table: [`Producer::tables`].
///
/// An error has the row, counted over all tables, and the number of rows written. After an error nothing more is sent.
#[derive(Debug)]
pub struct TableSender {
    producer: Producer,
    topic: String,
    options: BulkOptions,
    /// The number of rows that were checked.
    checked: usize,
    /// The number of rows that were sent.
    sent: usize,
    result: BatchResult,
}

impl TableSender {
    pub(super) fn new(producer: &Producer, topic: &str, options: BulkOptions) -> Self {
        Self {
            producer: producer.clone(),
            topic: topic.to_owned(),
            options,
            checked: 0,
            sent: 0,
            result: BatchResult::default(),
        }
    }

    /// Checks a table before anything is written: its columns, its values, and the size of its rows. Call it for the
    /// tables in the order in which they will be sent.
    pub async fn check(&mut self, rows: &RecordBatch) -> Result<()> {
        let mut start = 0;
        loop {
            let part = rows.slice(start, CHECK_ROWS.min(rows.num_rows() - start));
            let first = self.checked;
            self.checked += part.num_rows();
            let checked = check(&self.producer, &self.topic, &part, &self.options).await;
            checked.map_err(|failure| self.error(first, failure))?;
            start += part.num_rows();
            if start == rows.num_rows() {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    }

    /// Checks all of these tables, then sends them: nothing is written if one of them cannot be sent.
    pub async fn send_checked(&mut self, tables: &[RecordBatch]) -> Result<()> {
        for table in tables {
            self.check(table).await?;
        }
        for table in tables {
            self.send(table).await?;
        }
        Ok(())
    }

    /// Sends a table and waits until all of it is acknowledged. Rows keep their order in each partition.
    pub async fn send(&mut self, rows: &RecordBatch) -> Result<()> {
        let first = self.sent;
        self.sent += rows.num_rows();
        let mut answers = TableAnswers::default();
        let sent = send(
            &self.producer,
            &self.topic,
            rows,
            &self.options,
            &mut answers,
        )
        .await;
        let answered = answers.wait_for_all().await;
        self.result.add(answers.result);
        sent.and(answered)
            .map_err(|failure| self.error(first, failure))
    }

    /// The result of all tables.
    pub fn finish(self) -> BatchResult {
        self.result
    }

    /// The error of a failure in the table that starts at row `first`.
    fn error(&self, first: usize, failure: BulkFailure) -> Error {
        let written = self.result.sentence();
        failure.into_error(first, &self.topic, &written)
    }
}

async fn check(
    producer: &Producer,
    topic: &str,
    rows: &RecordBatch,
    options: &BulkOptions,
) -> Result<(), BulkFailure> {
    let queues = queues(producer, topic, options).await?;
    Encoder::new(encode_options(producer, &queues, options))
        .check(rows, &columns(options))
        .map_err(refused)
}

/// The queues of the topic. Fails if the producer is closed, or if the topic or the partition does not exist.
async fn queues(
    producer: &Producer,
    topic: &str,
    options: &BulkOptions,
) -> Result<Arc<TopicQueues>> {
    producer.inner.refuse_if_closed()?;
    match options.partition {
        Some(partition) => producer.topic_with(topic, partition).await,
        None => producer.topic(topic).await,
    }
}

async fn send(
    producer: &Producer,
    topic: &str,
    rows: &RecordBatch,
    options: &BulkOptions,
    answers: &mut TableAnswers,
) -> Result<(), BulkFailure> {
    let queues = queues(producer, topic, options).await?;
    let mut since_yield = 0;
    let mut encoder = Encoder::new(encode_options(producer, &queues, options));
    let identity = identity_ahead(producer).await;
    // The header is written with the expected sequence: a different one would have to be written into it later.
    let mut stamp = |partition| {
        let queue = queue_of(&queues, partition).ok()?;
        queue.stamp_ahead(identity?)
    };
    let mut batches = encoder.encode(rows, &columns(options)).map_err(refused)?;
    while let Some(batch) = batches.next_stamped(&mut stamp) {
        let batch = batch.map_err(refused)?;
        since_yield += batch.bytes.len();
        answers.expect(queue_and_send(producer, &queues, batch).await?);
        // After a failure nothing more is sent.
        answers.take_ready()?;
        if since_yield >= YIELD_BYTES {
            since_yield = 0;
            tokio::task::yield_now().await;
        }
    }
    drop(batches);
    queues.count_keyless(encoder.keyless_bytes());
    Ok(())
}

/// The producer's identity. `None` without idempotence, or if the broker does not assign one yet: sending a batch
/// requests it again.
async fn identity_ahead(producer: &Producer) -> Option<Identity> {
    let context = &producer.inner.context;
    if !context.config.idempotent {
        return None;
    }
    identity(context).await.ok()
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
            ..producer.inner.context.batch_options()
        },
        partition_count: queues.queues.len() as i32,
        partition: options.partition,
        sticky_partition: PartitionId::new(queues.sticky() as i32),
        now_ms: clock::now_ms(),
        max_record_bytes: config.max_request_bytes,
    }
}

/// Queues a batch when the buffer has space for it, and sends it.
async fn queue_and_send(
    producer: &Producer,
    queues: &TopicQueues,
    batch: EncodedBatch,
) -> Result<SentTableBatch> {
    let queue = queue_of(queues, batch.partition)?;
    let memory = &producer.inner.context.memory;
    let bytes = batch.bytes.len();
    let reserved = bytes.min(memory.total());
    while !memory.try_take(reserved) {
        let max_block = producer.config().max_block;
        let free = producer.inner.wait_for_memory(reserved);
        if tokio::time::timeout(max_block, free).await.is_err() {
            return Err(producer
                .inner
                .blocked_too_long()
                .in_topic(Arc::clone(&queue.topic)));
        }
    }
    let records = batch.record_count as u32;
    let ticket = queue.push_encoded(batch.bytes, records, reserved);
    drain(queue);
    Ok(SentTableBatch {
        ticket,
        records,
        bytes,
        rows: batch.rows,
    })
}

fn queue_of(queues: &TopicQueues, partition: PartitionId) -> Result<&Arc<PartitionQueue>> {
    queues.queue(partition).ok_or_else(|| {
        Error::new(
            ErrorKind::Broker,
            "A row was encoded for a partition that does not exist. Please report this.",
        )
    })
}

/// The failure of a table that cannot be encoded.
fn refused(error: EncodeError) -> BulkFailure {
    let kind = match &error {
        EncodeError::RecordTooLarge { .. }
        | EncodeError::Append {
            source: AppendError::TooLarge { .. },
            ..
        } => ErrorKind::RecordTooLarge,
        _ => ErrorKind::InvalidArgument,
    };
    BulkFailure::refused(kind, error)
}
