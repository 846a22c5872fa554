//! The producer: records into batches, batches to the broker, results to those who wait.

mod handle;
mod record;

use arrow_array::RecordBatch;

use crate::client::Client;
pub use crate::config::producer::ProducerConfig;
use crate::error::{Error, Result};

pub use handle::SendHandle;
pub use record::{BatchResult, BulkOptions, Record, RecordMetadata};

/// What [`Producer::try_send`] answers when it cannot take the record at once.
#[derive(Debug)]
pub enum TrySendError {
    /// It would have to wait: for metadata, for a producer id, or for space in the buffer. Use [`Producer::send`].
    WouldWait,
    /// The record is refused for good.
    Refused(Error),
}

/// Sends records. Cloning is cheap and shares it; any number of threads may send at once.
///
/// Records of one thread to one partition keep their order. A batch is sent when it is full, when `linger.ms` has passed, when
/// somebody waits for one of its records, or at [`Producer::flush`].
#[derive(Debug, Clone)]
pub struct Producer {
    client: Client,
}

impl Producer {
    pub(crate) fn new(client: Client, config: ProducerConfig) -> Self {
        let _ = config;
        Self { client }
    }

    /// Takes a record if that needs no waiting. This is the fast path: no future, no allocation.
    pub fn try_send(&self, record: &Record<'_>) -> Result<SendHandle, TrySendError> {
        let _ = record;
        todo!()
    }

    /// Takes a record, waiting up to `max.block.ms` for metadata and for space in the buffer. The result comes from the handle.
    pub async fn send(&self, record: &Record<'_>) -> Result<SendHandle> {
        let _ = record;
        todo!()
    }

    /// [`Producer::send`] for a thread that may wait. Not for threads of a tokio runtime.
    pub fn send_blocking(&self, record: &Record<'_>) -> Result<SendHandle> {
        let _ = record;
        todo!()
    }

    /// Sends a table and waits until the broker has taken all of it.
    pub async fn send_batch(&self, topic: &str, rows: &RecordBatch, options: &BulkOptions) -> Result<BatchResult> {
        let _ = (topic, rows, options);
        todo!()
    }

    /// Sends everything that was taken before the call and waits for the answers. Errors of records stay with their handles.
    pub async fn flush(&self) -> Result<()> {
        todo!()
    }

    /// Flushes, then refuses further records. Idempotent.
    pub async fn close(&self) -> Result<()> {
        todo!()
    }

    /// The client it came from.
    pub fn client(&self) -> &Client {
        &self.client
    }
}
