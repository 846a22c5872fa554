//! The producer: records into batches, batches to the broker, results to those who wait.
//!
//! ```text
//! try_send -> TopicQueues::choose -> PartitionQueue::append   copies the record into the open batch
//!                                    drain                    sends what is closed, in the thread that closed it
//!                                    deliver -> produce       stamps, sends, retries, splits
//!                                    Completion               tells every SendHandle
//! ```

mod bulk;
mod bulk_answers;
mod completion;
mod context;
mod deliver;
mod drain;
mod handle;
mod identity;
mod in_flight;
mod linger;
mod memory;
mod produce;
mod queue;
mod record;
mod split;
mod stamp;
mod sticky;
mod topics;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::RecordBatch;
use hashbrown::HashMap;
use parking_lot::RwLock;
use tokio::runtime::Handle;

use crate::clock;
use crate::cluster::Cluster;
pub use crate::config::producer::ProducerConfig;
use crate::error::{Error, ErrorKind, Result};

use context::ProducerContext;
use drain::drain;
use queue::{Closed, NotTaken, PartitionQueue};
use topics::TopicQueues;

pub use bulk::TableSender;
pub use handle::SendHandle;
pub use record::{BatchResult, BulkOptions, Record, RecordMetadata};

/// What [`Producer::try_send`] answers when it cannot take the record at once.
#[derive(Debug)]
pub enum TrySendError {
    /// It would have to wait: for metadata, or for space in the buffer. Use [`Producer::send`].
    WouldWait,
    /// The record is refused for good.
    Refused(Error),
}

/// Sends records. Cloning is cheap and shares it; any number of threads may send at once.
///
/// Records of one thread to one partition keep their order. A batch is sent when it is full, when `linger.ms` has passed, when
/// somebody waits for one of its records, or at [`Producer::flush`]. When the last clone is dropped, what is left is sent.
#[derive(Debug, Clone)]
pub struct Producer {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) context: Arc<ProducerContext>,
    topics: RwLock<HashMap<Arc<str>, Arc<TopicQueues>>>,
    closed: AtomicBool,
}

/// Why a record must wait.
enum Wait {
    Metadata,
    Memory(usize),
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
        context.cluster.runtime().spawn(lingering);
        Self { inner }
    }

    /// Takes a record if that needs no waiting. This is the fast path: no future, and one allocation for each batch.
    ///
    /// Whoever fills a batch sends it before the call returns, as far as the transport goes without waiting.
    #[inline]
    pub fn try_send(&self, record: &Record<'_>) -> Result<SendHandle, TrySendError> {
        self.take(record).map_err(|not| match not {
            Ok(_) => TrySendError::WouldWait,
            Err(error) => TrySendError::Refused(error),
        })
    }

    /// Takes a record, waiting up to `max.block.ms` for metadata and for space in the buffer. The result comes from the handle.
    pub async fn send(&self, record: &Record<'_>) -> Result<SendHandle> {
        let wait = match self.take(record) {
            Ok(handle) => return Ok(handle),
            Err(Err(error)) => return Err(error),
            Err(Ok(wait)) => wait,
        };
        let config = &self.inner.context.config;
        match tokio::time::timeout(config.max_block, self.wait_and_take(record, wait)).await {
            Ok(taken) => taken,
            Err(_) => Err(self.inner.blocked_too_long().in_topic(record.topic)),
        }
    }

    /// [`Producer::send`] for a thread that may wait. Not for threads of a tokio runtime.
    pub fn send_blocking(&self, record: &Record<'_>) -> Result<SendHandle> {
        match self.take(record) {
            Ok(handle) => Ok(handle),
            Err(Err(error)) => Err(error),
            Err(Ok(_)) => self.runtime().block_on(self.send(record)),
        }
    }

    /// Sends a table and waits until the broker has taken all of it. Rows keep their order in each partition.
    ///
    /// What can be checked is checked before anything is written. The first batch that fails is the error, and nothing is sent behind it:
    /// the error names the row, if one is to blame, and says how many rows were written. Dropping the future leaves rows that were
    /// handed over on their way.
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

    /// Sends tables that are the parts of one: rows are counted over all of them.
    pub fn tables(&self, topic: &str, options: BulkOptions) -> TableSender {
        TableSender::new(self, topic, options)
    }

    /// Sends everything that was taken before the call and waits for the answers. Errors of records stay with their handles.
    pub async fn flush(&self) -> Result<()> {
        let queues = self.inner.queues();
        for queue in &queues {
            queue.close_open();
        }
        let unanswered: Vec<_> = queues.iter().flat_map(|queue| queue.unanswered()).collect();
        for queue in &queues {
            drain(queue);
        }
        for ticket in unanswered {
            std::future::poll_fn(|context| ticket.completion.poll_done(context)).await;
        }
        Ok(())
    }

    /// Flushes, then refuses further records. Idempotent.
    pub async fn close(&self) -> Result<()> {
        self.inner.closed.store(true, Ordering::Release);
        self.flush().await
    }

    /// The runtime that drives its timers and background work.
    pub fn runtime(&self) -> &Handle {
        self.inner.context.cluster.runtime()
    }

    /// What it was told.
    pub fn config(&self) -> &ProducerConfig {
        &self.inner.context.config
    }

    fn take(&self, record: &Record<'_>) -> Result<SendHandle, Result<Wait, Error>> {
        let inner = &*self.inner;
        let config = &inner.context.config;
        let size = inner.admit(record).map_err(Err)?;
        let topics = inner.topics.read();
        let Some(topic) = topics
            .get(record.topic)
            .filter(|topic| topic.generation == inner.generation())
        else {
            return Err(Ok(Wait::Metadata));
        };
        let (queue, choice) = topic.choose(record, config.ignore_keys).map_err(Err)?;
        let timestamp_ms = record.timestamp_ms.unwrap_or_else(clock::now_ms);
        let (handle, closed) = queue
            .append(record, choice, size, timestamp_ms)
            .map_err(|not| match not {
                NotTaken::NoMemory(bytes) => Ok(Wait::Memory(bytes)),
                NotTaken::Refused(error) => Err(error.in_topic(record.topic)),
            })?;
        if closed == Closed::Yes {
            let queue = Arc::clone(queue);
            drop(topics);
            drain(&queue);
        }
        Ok(handle)
    }

    async fn wait_and_take(&self, record: &Record<'_>, mut wait: Wait) -> Result<SendHandle> {
        let retry = self.inner.context.cluster.config().retry;
        let mut attempts = 0;
        loop {
            match wait {
                Wait::Metadata => match self.topic(record.topic).await {
                    Ok(_) => {}
                    // No broker can be reached: until `max.block.ms` has passed one may be.
                    Err(error)
                        if matches!(error.kind(), ErrorKind::Transport | ErrorKind::Timeout) =>
                    {
                        attempts += 1;
                        tokio::time::sleep(retry.jittered_pause(attempts)).await;
                        continue;
                    }
                    Err(error) => return Err(error),
                },
                Wait::Memory(bytes) => {
                    // Everything that is open leaves, or nobody would ever give memory back.
                    self.inner.send_all();
                    self.inner.context.memory.wait_for(bytes).await;
                }
            }
            wait = match self.take(record) {
                Ok(handle) => return Ok(handle),
                Err(Err(error)) => return Err(error),
                Err(Ok(wait)) => wait,
            };
        }
    }

    /// The queues of a topic, looked up if they are not known or not of today.
    pub(crate) async fn topic(&self, name: &str) -> Result<Arc<TopicQueues>> {
        let generation = self.inner.generation();
        if let Some(known) = self
            .inner
            .topics
            .read()
            .get(name)
            .filter(|known| known.generation == generation)
        {
            return Ok(Arc::clone(known));
        }
        let metadata = self.inner.context.cluster.topic_metadata(name).await?;
        let mut topics = self.inner.topics.write();
        let before = topics.get(name).map(Arc::clone);
        let name: Arc<str> = before
            .as_ref()
            .and_then(|before| before.queues.first())
            .map_or_else(|| Arc::from(name), |queue| Arc::clone(&queue.topic));
        let made = Arc::new(TopicQueues::new(
            &self.inner.context,
            &name,
            &metadata,
            generation,
            before.as_deref(),
        ));
        topics.insert(name, Arc::clone(&made));
        Ok(made)
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
                "The producer is closed: make a new one to send records.",
            ));
        }
        Ok(())
    }

    fn blocked_too_long(&self) -> Error {
        let config = &self.context.config;
        Error::new(
            ErrorKind::Timeout,
            format!(
                "The record was not taken within max.block.ms={}: the buffer of {} bytes is full of records that the broker has not taken yet, \
                 or the topic's metadata did not come. Send slower, raise buffer.memory, or look at the broker.",
                config.max_block.as_millis(),
                config.buffer_bytes
            ),
        )
    }

    /// Refuses what can never be sent; otherwise the most bytes that the record needs as a batch of its own.
    fn admit(&self, record: &Record<'_>) -> Result<usize> {
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
                "The record needs up to {size} bytes and {key} is {limit}: raise it (and the topic's max.message.bytes), or send less in one \
                 record."
            ),
        )
        .in_topic(record.topic))
    }

    pub(crate) fn queues(&self) -> Vec<Arc<PartitionQueue>> {
        self.topics
            .read()
            .values()
            .flat_map(|topic| topic.queues.iter().cloned())
            .collect()
    }

    /// Closes every open batch and sends what can be sent without waiting.
    fn send_all(&self) {
        for queue in self.queues() {
            queue.close_open();
            drain(&queue);
        }
    }
}

fn negative_timestamp(timestamp_ms: i64) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!(
            "The timestamp {timestamp_ms} is negative: give milliseconds since 1970, or none for now."
        ),
    )
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.send_all();
        self.context.linger.end();
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("cluster", &self.context.cluster)
            .finish_non_exhaustive()
    }
}
