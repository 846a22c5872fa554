//! Tables to the broker: encoded batch by batch, each sent as soon as it is full, so that its bytes are still in the cache.

use std::sync::Arc;

use arrow_array::RecordBatch;
use headwater_columnar::{
    EncodeError, EncodeOptions, EncodedBatch, Encoder, KeyValueColumns, Seal,
};
use headwater_record::{AppendError, BatchOptions, PartitionId};

use super::bulk_answers::{Answers, Failure, Sent};
use super::drain::drain;
use super::identity::{Identity, identity};
use super::queue::PartitionQueue;
use super::topics::TopicQueues;
use super::{BatchResult, BulkOptions, Producer};
use crate::clock;
use crate::error::{Error, ErrorKind, Result};

/// The size of a table's batches: large enough for the page cache, which takes unaligned ends in small pieces, and small enough to be in the
/// processor's cache still when it is written. The broker's default limit is a header more.
const BATCH_BYTES: usize = 1 << 20;
/// After so many bytes whoever runs us may do something else, such as noticing that nobody wants the result any more.
const YIELD_BYTES: usize = 4 << 20;

/// After so many rows a check may be cancelled.
const CHECK_ROWS: usize = 1 << 18;

/// Sends tables as the parts of one large table: [`Producer::tables`].
///
/// An error names the row, counted over all tables, and says how many rows were written. After an error nothing more is sent.
#[derive(Debug)]
pub struct TableSender {
    producer: Producer,
    topic: String,
    options: BulkOptions,
    /// Rows of the tables that were checked, and of those that were sent.
    checked: usize,
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

    /// Refuses what can be refused before anything is written: a column, a value, a row that is too large. To be called for tables in
    /// the order in which they will be sent.
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

    /// Sends a table and waits until the broker has taken all of it. Rows keep their order in each partition.
    pub async fn send(&mut self, rows: &RecordBatch) -> Result<()> {
        let first = self.sent;
        self.sent += rows.num_rows();
        let mut answers = Answers::default();
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

    /// Where the tables went.
    pub fn finish(self) -> BatchResult {
        self.result
    }

    /// The error of a failure in the table that starts at row `first`.
    fn error(&self, first: usize, failure: Failure) -> Error {
        let written = self.result.sentence();
        failure.into_error(first, &self.topic, &written)
    }
}

async fn check(
    producer: &Producer,
    topic: &str,
    rows: &RecordBatch,
    options: &BulkOptions,
) -> Result<(), Failure> {
    let queues = queues(producer, topic, options).await?;
    Encoder::new(encode_options(producer, &queues, options))
        .check(rows, &columns(options))
        .map_err(refused)
}

/// The queues of the topic, if it may be sent to.
async fn queues(
    producer: &Producer,
    topic: &str,
    options: &BulkOptions,
) -> Result<Arc<TopicQueues>> {
    producer.inner.refuse_if_closed()?;
    let queues = producer.topic(topic).await?;
    if let Some(partition) = options.partition {
        queues.require(topic, partition)?;
    }
    Ok(queues)
}

async fn send(
    producer: &Producer,
    topic: &str,
    rows: &RecordBatch,
    options: &BulkOptions,
    answers: &mut Answers,
) -> Result<(), Failure> {
    let queues = queues(producer, topic, options).await?;
    let mut since_yield = 0;
    let mut encoder = Encoder::new(encode_options(producer, &queues, options));
    let identity = identity_ahead(producer).await;
    let cluster = &producer.inner.context.cluster;
    // Stamped while it is sealed: the way of a batch that is stamped later costs a copy.
    let mut seal = |partition| Seal {
        producer: queue_of(&queues, partition)
            .ok()
            .zip(identity)
            .map(|(queue, identity)| queue.stamp_ahead(identity)),
        position: cluster.write_position(topic, partition),
    };
    let mut batches = encoder.encode(rows, &columns(options)).map_err(refused)?;
    while let Some(batch) = batches.next_sealed(&mut seal) {
        let batch = batch.map_err(refused)?;
        since_yield += batch.bytes.len();
        answers.expect(hand_over(producer, &queues, batch).await?);
        // Behind a failure nothing more is sent.
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

/// The producer's identity, if it is to have one and the broker gives it at once; who delivers the batches asks again.
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

/// Puts a batch into its partition's queue, waiting for space in the buffer, and sends what can be sent.
async fn hand_over(producer: &Producer, queues: &TopicQueues, batch: EncodedBatch) -> Result<Sent> {
    let queue = queue_of(queues, batch.partition)?;
    let memory = &producer.inner.context.memory;
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
        rows: batch.rows,
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

/// The failure of a table that cannot be encoded.
fn refused(error: EncodeError) -> Failure {
    let kind = match &error {
        EncodeError::RecordTooLarge { .. }
        | EncodeError::Append {
            source: AppendError::TooLarge { .. },
            ..
        } => ErrorKind::RecordTooLarge,
        _ => ErrorKind::InvalidArgument,
    };
    Failure::refused(kind, error)
}
