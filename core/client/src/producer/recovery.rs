//! Prepares the next request of a partition: pauses after a failure, looks up the leader and requests a producer id.
//!
//! Meanwhile the queue of the partition is paused, so that nothing is sent.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Instant;

use super::batch::{BatchOrder, shut_down};
use super::identity::identity;
use super::partition_queue::{PartitionLeader, PartitionQueue};
use crate::cluster::TopicMetadata;
use crate::error::{Error, Result};

/// A batch that is sent again.
#[derive(Debug)]
pub(super) struct Retry {
    pub(super) order: BatchOrder,
    /// The number of repeated attempts, including this retry.
    pub(super) attempts: u32,
    /// The failure, if metadata must be refreshed because of it.
    pub(super) error: Option<Error>,
    /// The metadata from which the failed broker was taken.
    pub(super) topic: Arc<TopicMetadata>,
    /// The time when the request failed.
    pub(super) failed_at: Instant,
}

/// Looks up the leader and the producer id, in this thread as far as possible without waiting, and sends the batches.
pub(super) fn prepare(queue: &Arc<PartitionQueue>) {
    let Some(pause) = Pause::of(queue) else {
        return;
    };
    let runtime = queue.context.cluster.runtime();
    let _entered = runtime.enter();
    let mut preparing: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(find_leader(pause));
    let mut context = Context::from_waker(Waker::noop());
    if preparing.as_mut().poll(&mut context).is_pending() {
        queue.context.expiry.watch();
        runtime.spawn(preparing);
    }
}

/// [`prepare`] in a task.
pub(super) fn prepare_in_background(queue: &Arc<PartitionQueue>) {
    if let Some(pause) = Pause::of(queue) {
        queue.context.expiry.watch();
        queue.context.cluster.runtime().spawn(find_leader(pause));
    }
}

/// Sends the batches of a queue again after a failure. The caller has paused the queue.
pub(super) fn retry(queue: &Arc<PartitionQueue>, retry: Retry) {
    let pause = Pause::begun(queue);
    queue.context.expiry.watch();
    queue.context.cluster.runtime().spawn(async move {
        back_off(&pause.queue, retry).await;
        find_leader(pause).await;
    });
}

/// Waits before a retry, or fails the batch if a retry cannot help. Does not wait if the response had another leader.
async fn back_off(queue: &PartitionQueue, retry: Retry) {
    let cluster = &queue.context.cluster;
    if let Some(error) = retry.error {
        if cluster.knows_later_leader(&retry.topic, queue.partition) {
            return;
        }
        let error = error.in_partition(queue.partition);
        let topic = Some(&*queue.topic);
        let prepared = cluster.prepare_retry_since(&error, topic, retry.failed_at);
        if let Err(error) = prepared.await {
            queue.give_up(retry.order, error.into());
            return;
        }
    }
    let pause = cluster.config().retry.jittered_pause(retry.attempts);
    tokio::time::sleep(pause).await;
}

/// Requests the leader and the producer id until both are known, then sends the batches of the queue.
async fn find_leader(mut pause: Pause) {
    let queue = Arc::clone(&pause.queue);
    let context = &queue.context;
    let mut attempts = 0;
    while !pause.end_if_empty() {
        let error = match leader(&queue).await {
            Ok(leader) => {
                let sender = context.senders.of(leader.node);
                queue.set_leader(leader);
                pause.end();
                sender.send(context, Some(&queue));
                return;
            }
            Err(error) => error,
        };
        let cluster = &context.cluster;
        if let Err(error) = cluster.prepare_retry(&error, Some(&queue.topic)).await {
            queue.give_up_waiting(error);
            continue;
        }
        queue.set_last_error(&error);
        attempts += 1;
        let back_off = cluster.config().retry.jittered_pause(attempts);
        tokio::time::sleep(back_off).await;
    }
}

/// The leader of the partition. With idempotence the producer has an id afterwards.
async fn leader(queue: &PartitionQueue) -> Result<PartitionLeader> {
    let context = &queue.context;
    let topic = context.cluster.topic_metadata(&queue.topic).await?;
    let node = topic.require_leader(queue.partition, "send to the partition")?;
    if context.config.idempotent {
        identity(context).await?;
    }
    Ok(PartitionLeader { node, topic })
}

/// Fails all waiting batches of a queue, because they can no longer be sent.
pub(super) fn give_up(queue: &PartitionQueue) {
    queue.give_up_waiting(shut_down());
}

/// The pause of a queue. Dropping it before its end, as on a shutdown of the runtime, fails the waiting batches.
struct Pause {
    queue: Arc<PartitionQueue>,
    has_ended: bool,
}

impl Pause {
    /// Pauses the queue, unless it is already paused.
    fn of(queue: &Arc<PartitionQueue>) -> Option<Self> {
        queue.pause().then(|| Self::begun(queue))
    }

    /// The pause of a queue that is already paused.
    fn begun(queue: &Arc<PartitionQueue>) -> Self {
        Self {
            queue: Arc::clone(queue),
            has_ended: false,
        }
    }

    /// Ends the pause. The caller sends the batches of the queue.
    fn end(&mut self) {
        self.has_ended = true;
        self.queue.resume();
    }

    /// Ends the pause if no batch is waiting. Returns whether it did.
    fn end_if_empty(&mut self) -> bool {
        self.has_ended = self.queue.resume_if_empty();
        self.has_ended
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        if !self.has_ended {
            self.queue.resume();
            give_up(&self.queue);
        }
    }
}
