//! Queues the records of `Producer.send` between the event loop and the core.
//!
//! A core call that fills a batch also writes it, so the event loop does not make it: it copies the record into a queue
//! for each topic, and a task of the engine passes the queue to the core. Records that arrive meanwhile wait for the
//! next round, so that consecutive sends share batches. Records of a topic keep their order.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use headwater::{PartitionId, Record, RecordMetadata, SendHandle, TrySendError};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::convert::bytes::Bytes;
use crate::producer::metadata;
use crate::runtime::{Failure, PromiseSettler};

/// A record with its promise.
pub(crate) struct QueuedRecord {
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
    pub(crate) headers: Vec<(String, Option<Bytes>)>,
    pub(crate) partition: Option<PartitionId>,
    pub(crate) timestamp_ms: Option<i64>,
    pub(crate) pending: PromiseSettler,
}

/// The queues of a producer.
#[derive(Default)]
pub(crate) struct Sends {
    /// A topic is in the map while a task processes it.
    queues: Mutex<HashMap<String, Vec<QueuedRecord>>>,
    idle: Notify,
}

impl std::fmt::Debug for Sends {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sends").finish_non_exhaustive()
    }
}

impl Sends {
    /// Queues a record. Never waits.
    pub(crate) fn push(
        self: &Arc<Self>,
        producer: &headwater::Producer,
        topic: String,
        record: QueuedRecord,
    ) {
        let mut queues = self.queues.lock();
        if let Some(queue) = queues.get_mut(&topic) {
            queue.push(record);
            return;
        }
        queues.insert(topic.clone(), vec![record]);
        drop(queues);
        let (sends, producer) = (Arc::clone(self), producer.clone());
        producer.runtime().clone().spawn(async move {
            let work = AssertUnwindSafe(sends.hand_over(&producer, &topic));
            if work.catch_unwind().await.is_err() {
                // The promises were rejected when the records were dropped.
                sends.remove(&topic);
            }
        });
    }

    /// Completes when all records queued before were passed to the core.
    pub(crate) async fn idle(&self) {
        loop {
            let idle = self.idle.notified();
            if self.queues.lock().is_empty() {
                return;
            }
            idle.await;
        }
    }

    async fn hand_over(self: &Arc<Self>, producer: &headwater::Producer, topic: &str) {
        while let Some(records) = self.next(topic) {
            let mut sent = Vec::with_capacity(records.len());
            for record in records {
                match send(producer, topic, &record).await {
                    Ok(handle) => sent.push((handle, record.pending)),
                    Err(error) => settle(record.pending, Err(error)),
                }
            }
            // The callers wait for the results, so do not wait for linger.ms.
            if let Some((handle, _)) = sent.last() {
                handle.send_now();
            }
            answer(producer, sent);
        }
    }

    /// The queued records; `None` ends the task of the topic.
    fn next(&self, topic: &str) -> Option<Vec<QueuedRecord>> {
        let mut queues = self.queues.lock();
        let records = std::mem::take(queues.get_mut(topic)?);
        if records.is_empty() {
            queues.remove(topic);
            self.idle.notify_waiters();
            return None;
        }
        Some(records)
    }

    fn remove(&self, topic: &str) {
        let removed = self.queues.lock().remove(topic);
        self.idle.notify_waiters();
        drop(removed);
    }
}

async fn send(
    producer: &headwater::Producer,
    topic: &str,
    record: &QueuedRecord,
) -> headwater::Result<SendHandle> {
    fn bytes(bytes: Option<&Bytes>) -> Option<&[u8]> {
        bytes.map(|bytes| bytes.0.as_slice())
    }
    let headers: Vec<_> = record
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), bytes(value.as_ref())))
        .collect();
    let record = Record {
        topic,
        partition: record.partition,
        timestamp_ms: record.timestamp_ms,
        key: bytes(record.key.as_ref()),
        value: bytes(record.value.as_ref()),
        headers: &headers,
    };
    match producer.try_send(&record) {
        Ok(handle) => Ok(handle),
        Err(TrySendError::Refused(error)) => Err(error),
        Err(TrySendError::WouldWait) => producer.send(&record).await,
    }
}

/// Settles promises when their batches are answered.
fn answer(producer: &headwater::Producer, sent: Vec<(SendHandle, PromiseSettler)>) {
    let mut waiting = Vec::new();
    for (handle, pending) in sent {
        handle.send_now();
        match handle.try_result() {
            Some(result) => settle(pending, result),
            None => waiting.push((handle, pending)),
        }
    }
    if waiting.is_empty() {
        return;
    }
    let answers = waiting
        .into_iter()
        .map(|(handle, pending)| handle.map(|result| settle(pending, result)));
    let mut answers: FuturesUnordered<_> = answers.collect();
    producer
        .runtime()
        .spawn(async move { while answers.next().await.is_some() {} });
}

fn settle(pending: PromiseSettler, result: headwater::Result<RecordMetadata>) {
    pending.settle(result.map_err(Failure::Error), |_, written| {
        Ok(metadata(&written))
    });
}
