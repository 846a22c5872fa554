//! The records of `Producer.send` on their way from the event loop to the core.
//!
//! A core call that fills a batch also writes it, so the event loop does not make it: it copies the record into a queue, one for each topic,
//! and a task of the engine hands the queue to the core. What comes meanwhile waits for the next round, so that sends in a row share
//! batches. Records of a topic keep their order.

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
use crate::runtime::{Failure, Pending};

/// A record with the end of its promise.
pub(crate) struct QueuedRecord {
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
    pub(crate) headers: Vec<(String, Option<Bytes>)>,
    pub(crate) partition: Option<PartitionId>,
    pub(crate) timestamp_ms: Option<i64>,
    pub(crate) pending: Pending,
}

/// The queues of a producer.
#[derive(Default)]
pub(crate) struct Sends {
    /// A topic is there while a task works on it.
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
                // The promises were rejected when they were dropped.
                sends.remove(&topic);
            }
        });
    }

    /// Completes when everything that was queued before was handed to the core.
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
            // The callers wait for the results, so nothing is gained by waiting for linger.ms.
            if let Some((handle, _)) = sent.last() {
                handle.send_now();
            }
            answer(producer, sent);
        }
    }

    /// The records that are queued; the last round ends the work on the topic.
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
    fn bytes(bytes: &Option<Bytes>) -> Option<&[u8]> {
        bytes.as_ref().map(|bytes| bytes.0.as_slice())
    }
    let headers: Vec<_> = record
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), bytes(value)))
        .collect();
    let record = Record {
        topic,
        partition: record.partition,
        timestamp_ms: record.timestamp_ms,
        key: bytes(&record.key),
        value: bytes(&record.value),
        headers: &headers,
    };
    match producer.try_send(&record) {
        Ok(handle) => Ok(handle),
        Err(TrySendError::Refused(error)) => Err(error),
        Err(TrySendError::WouldWait) => producer.send(&record).await,
    }
}

/// Settles promises as their batches are answered.
fn answer(producer: &headwater::Producer, sent: Vec<(SendHandle, Pending)>) {
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

fn settle(pending: Pending, result: headwater::Result<RecordMetadata>) {
    pending.settle(result.map_err(Failure::Error), |_, written| {
        Ok(metadata(&written))
    });
}
