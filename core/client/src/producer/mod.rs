//! The producer: appends records to batches, sends batches to brokers, and completes the handles of records.
//!
//! ```text
//! try_send -> TopicQueues::choose -> PartitionQueue::append   copies the record into the open batch of its partition
//!             sender::drain -> Sender::next_request           one request for each broker: the next batches of its partitions
//!                              Sequences::assign              a batch gets its sequences when it is sent for the first time
//!                              Lane::call                     polled once in the thread that closed the batch
//!             PartitionQueue::{written, refused}              completes every SendHandle, or queues the batch again
//!             recovery                                        pause, leader and producer id before the next request
//! ```

mod batch;
mod bulk;
mod bulk_answers;
mod completion;
mod context;
mod expiry;
mod flush;
mod handle;
mod identity;
mod linger;
mod memory;
mod owner;
mod partition_queue;
mod pending_batches;
mod produce_answer;
mod produce_request;
mod queue_sending;
mod record;
mod recovery;
mod registry;
mod sender;
mod senders;
mod sequences;
mod spawn_on_wake;
mod split;
mod split_outcome;
mod stamp;
mod sticky;
mod topics;
mod unsent;
mod verdict;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::RecordBatch;
use hashbrown::HashMap;
use headwater_record::PartitionId;
use parking_lot::RwLock;
use tokio::runtime::Handle;

use crate::clock;
use crate::cluster::Cluster;
pub use crate::config::producer::ProducerConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::ProducerMetrics;

use context::ProducerContext;
use owner::Owner;
use partition_queue::{AppendFailure, Drain};
use sender::drain;
use topics::TopicQueues;

pub use bulk::TableSender;
pub use handle::SendHandle;
pub(crate) use registry::ProducerRegistry;

pub use record::{BatchResult, BulkOptions, Record, RecordMetadata, ValueFormat};

/// The reason why [`Producer::try_send`] did not accept a record.
#[derive(Debug)]
pub enum TrySendError {
    /// It would have to wait for metadata or for buffer space. Use [`Producer::send`].
    WouldWait,
    /// The record cannot be sent.
    Refused(Error),
}

/// Sends records. Cloning is cheap; clones share the producer. May be used concurrently.
///
/// Records from one thread to one partition keep their order. A batch is sent when it is full, after `linger.ms`, when
/// a caller waits for one of its records, or at [`Producer::flush`]. Dropping the last clone sends the remaining
/// records.
#[derive(Debug, Clone)]
pub struct Producer {
    inner: Arc<Owner>,
}

pub(crate) struct Inner {
    pub(crate) context: Arc<ProducerContext>,
    topics: RwLock<HashMap<Arc<str>, Arc<TopicQueues>>>,
    closed: AtomicBool,
}

/// The resource that a record must wait for.
enum WaitFor {
    Metadata,
    /// Metadata that has this partition: it may have been added a moment ago.
    Partition(PartitionId),
    /// This many bytes of `buffer.memory`.
    Memory(usize),
}

/// The reason why a record was not appended to a batch.
enum TryAppendError {
    WouldWait(WaitFor),
    Refused(Error),
}

impl From<Error> for TryAppendError {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl Producer {
    pub(crate) fn new(cluster: Cluster, config: ProducerConfig) -> Self {
        let context = Arc::new(ProducerContext::new(cluster, config));
        let inner = Arc::new(Inner {
            context: Arc::clone(&context),
            topics: RwLock::default(),
            closed: AtomicBool::new(false),
        });
        let lingering = linger::linger(
            Arc::clone(&context.linger),
            context.config.linger,
            Arc::downgrade(&inner),
        );
        let expiring = expiry::expire(Arc::clone(&context.expiry), Arc::downgrade(&inner));
        let runtime = context.cluster.runtime();
        runtime.spawn(lingering);
        runtime.spawn(expiring);
        let inner = Arc::new(Owner(inner));
        Self { inner }
    }

    /// Accepts a record if that needs no waiting. This is the fast path: no future, and one allocation per batch.
    ///
    /// A call that fills a batch also sends it, as far as the transport can do so without waiting.
    #[inline]
    pub fn try_send(&self, record: &Record<'_>) -> Result<SendHandle, TrySendError> {
        self.try_append(record).map_err(|error| match error {
            TryAppendError::WouldWait(_) => TrySendError::WouldWait,
            TryAppendError::Refused(error) => TrySendError::Refused(error),
        })
    }

    /// Accepts a record, and waits up to `max.block.ms` for metadata and buffer space. The handle returns the result.
    pub async fn send(&self, record: &Record<'_>) -> Result<SendHandle> {
        let wait = match self.try_append(record) {
            Ok(handle) => return Ok(handle),
            Err(TryAppendError::Refused(error)) => return Err(error),
            Err(TryAppendError::WouldWait(wait)) => wait,
        };
        let config = &self.inner.context.config;
        match tokio::time::timeout(config.max_block, self.wait_and_append(record, wait)).await {
            Ok(sent) => sent,
            Err(_) => Err(self.inner.blocked_too_long().in_topic(record.topic)),
        }
    }

    /// [`Producer::send`] that blocks the thread. Must not be called in a thread of a tokio runtime.
    pub fn send_blocking(&self, record: &Record<'_>) -> Result<SendHandle> {
        match self.try_append(record) {
            Ok(handle) => Ok(handle),
            Err(TryAppendError::Refused(error)) => Err(error),
            Err(TryAppendError::WouldWait(_)) => self.runtime().block_on(self.send(record)),
        }
    }

    /// Sends a table and waits until all of it is acknowledged. Rows keep their order in each partition.
    ///
    /// The table is checked before anything is written. The first batch that fails ends the call: the error has the
    /// invalid row, if any, and the number of rows written. Dropping the future does not stop rows that are already
    /// queued.
    pub async fn send_batch(
        &self,
        topic: &str,
        rows: &RecordBatch,
        options: &BulkOptions,
    ) -> Result<BatchResult> {
        let mut tables = self.tables(topic, options.clone());
        tables.send(rows).await?;
        Ok(tables.finish())
    }

    /// A sender for a table in several parts. Errors count rows over all parts.
    pub fn tables(&self, topic: &str, options: BulkOptions) -> TableSender {
        TableSender::new(self, topic, options)
    }

    /// Sends all records accepted before the call and waits for their results. Errors are returned by the handles only.
    pub async fn flush(&self) -> Result<()> {
        self.inner.flush(None).await;
        Ok(())
    }

    /// Flushes, and rejects further records. Fails if records could not be sent: the error has their number and topics.
    ///
    /// Idempotent: a second call reports only records that the first one left.
    pub async fn close(&self) -> Result<()> {
        self.inner.close(None).await.into_result()
    }

    /// Fails if the producer is closed.
    pub fn check(&self) -> Result<()> {
        self.inner.refuse_if_closed()
    }

    /// The records without a result, and their bytes.
    pub fn metrics(&self) -> ProducerMetrics {
        self.inner.metrics()
    }

    /// The runtime that drives its timers and background work.
    pub fn runtime(&self) -> &Handle {
        self.inner.context.cluster.runtime()
    }

    /// Its configuration.
    pub fn config(&self) -> &ProducerConfig {
        &self.inner.context.config
    }

    fn try_append(&self, record: &Record<'_>) -> Result<SendHandle, TryAppendError> {
        let inner = &**self.inner;
        let config = &inner.context.config;
        let size = inner.checked_size(record)?;
        let topics = inner.topics.read();
        let Some(topic) = topics
            .get(record.topic)
            .filter(|topic| topic.generation == inner.generation())
        else {
            return Err(TryAppendError::WouldWait(WaitFor::Metadata));
        };
        let (queue, choice) = topic
            .choose(record, config.ignore_keys)
            .map_err(|unknown| TryAppendError::WouldWait(WaitFor::Partition(unknown)))?;
        let timestamp_ms = record.timestamp_ms.unwrap_or_else(clock::now_ms);
        let (handle, drain_queue) =
            queue
                .append(record, choice, size, timestamp_ms)
                .map_err(|failure| match failure {
                    AppendFailure::BufferFull(bytes) => {
                        TryAppendError::WouldWait(WaitFor::Memory(bytes))
                    }
                    AppendFailure::Refused(error) => {
                        TryAppendError::Refused(error.in_topic(record.topic))
                    }
                })?;
        if drain_queue == Drain::Required {
            let queue = Arc::clone(queue);
            drop(topics);
            drain(&queue);
        }
        Ok(handle)
    }

    async fn wait_and_append(&self, record: &Record<'_>, mut wait: WaitFor) -> Result<SendHandle> {
        loop {
            match wait {
                WaitFor::Metadata => {
                    self.topic(record.topic).await?;
                }
                WaitFor::Partition(partition) => {
                    self.topic_with(record.topic, partition).await?;
                }
                WaitFor::Memory(bytes) => {
                    self.inner.wait_for_memory(bytes).await;
                }
            }
            wait = match self.try_append(record) {
                Ok(handle) => return Ok(handle),
                Err(TryAppendError::Refused(error)) => return Err(error),
                Err(TryAppendError::WouldWait(wait)) => wait,
            };
        }
    }
}

impl Inner {
    fn generation(&self) -> u64 {
        self.context.cluster.metadata_generation()
    }

    fn refuse_if_closed(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::new(
                ErrorKind::Closed,
                "The producer is closed: create a new one to send records.",
            ));
        }
        Ok(())
    }

    /// Waits until this many bytes of `buffer.memory` are free. Sends open batches meanwhile.
    async fn wait_for_memory(&self, bytes: usize) {
        let memory = &self.context.memory;
        memory.wait_for(bytes, || self.send_all()).await;
    }

    fn blocked_too_long(&self) -> Error {
        let config = &self.context.config;
        Error::new(
            ErrorKind::Timeout,
            format!(
                "The record was not accepted within max.block.ms={}: the buffer of {} bytes is full of unacknowledged records, or the topic's \
                 metadata could not be fetched. Send slower, raise buffer.memory, or check the broker.",
                config.max_block.as_millis(),
                config.buffer_bytes
            ),
        )
    }

    /// Rejects a record that can never be sent. Otherwise returns its maximum size in its own batch.
    fn checked_size(&self, record: &Record<'_>) -> Result<usize> {
        self.refuse_if_closed()?;
        if let Some(timestamp_ms) = record.timestamp_ms.filter(|timestamp_ms| *timestamp_ms < 0) {
            return Err(negative_timestamp(timestamp_ms).in_topic(record.topic));
        }
        let size = record.size_bound();
        let config = &self.context.config;
        let (key, limit) = if size > config.max_request_bytes {
            ("max.request.size", config.max_request_bytes)
        } else if size > self.context.memory.total() {
            ("buffer.memory", config.buffer_bytes)
        } else {
            return Ok(size);
        };
        Err(Error::new(
            ErrorKind::RecordTooLarge,
            format!(
                "The record needs up to {size} bytes and {key} is {limit}: raise it (and the topic's max.message.bytes), or send smaller \
                 records."
            ),
        )
        .in_topic(record.topic))
    }
}

fn negative_timestamp(timestamp_ms: i64) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!(
            "The timestamp {timestamp_ms} is negative: use milliseconds since 1970, or none for the current time."
        ),
    )
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.context.linger.end();
        self.context.expiry.end();
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("cluster", &self.context.cluster)
            .finish_non_exhaustive()
    }
}
