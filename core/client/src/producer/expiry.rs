//! Fails records that are not acknowledged within `delivery.timeout.ms`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Inner;

/// Wakes the task that expires batches. It sleeps while no batch is waiting.
#[derive(Debug, Default)]
pub(crate) struct Expiry {
    is_watching: AtomicBool,
    wake: Notify,
}

impl Expiry {
    /// Call it when a batch has to wait: for a response, a leader, a retry, or an earlier request.
    pub(crate) fn watch(&self) {
        if !self.is_watching.load(Ordering::Relaxed)
            && !self.is_watching.swap(true, Ordering::AcqRel)
        {
            self.wake.notify_one();
        }
    }

    /// Called when the producer is dropped, to end the task.
    pub(crate) fn end(&self) {
        self.wake.notify_one();
    }
}

/// Runs until the producer is dropped. Does not keep it alive.
pub(crate) async fn expire(expiry: Arc<Expiry>, producer: Weak<Inner>) {
    let mut next = None;
    loop {
        match next {
            None => expiry.wake.notified().await,
            // An early wake-up does no harm.
            Some(next) => {
                tokio::time::timeout_at(next, expiry.wake.notified())
                    .await
                    .ok();
            }
        }
        let Some(inner) = producer.upgrade() else {
            return;
        };
        next = expire_due(&inner);
    }
}

/// Expires batches, and returns when the next one expires. `None` if no batch is left.
fn expire_due(inner: &Inner) -> Option<Instant> {
    let is_watching = &inner.context.expiry.is_watching;
    // Reset first: a batch that starts to wait during the loop wakes the task again, at worst once too often.
    is_watching.store(false, Ordering::Release);
    let now = Instant::now();
    let queues = inner.queues();
    let next = queues.iter().filter_map(|queue| queue.expire(now)).min();
    if next.is_some() {
        is_watching.store(true, Ordering::Release);
    }
    next
}
