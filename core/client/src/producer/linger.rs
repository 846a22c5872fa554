//! Sends batches that are not full `linger.ms` after their first record.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Inner;
use super::sender::drain_all;

/// Wakes the linger task, which sleeps while no batch is open.
#[derive(Debug, Default)]
pub(crate) struct Linger {
    running: AtomicBool,
    started: Notify,
}

impl Linger {
    /// Called when a batch is opened.
    pub(crate) fn start(&self) {
        if !self.running.load(Ordering::Relaxed) && !self.running.swap(true, Ordering::AcqRel) {
            self.started.notify_one();
        }
    }

    /// Called when the producer is dropped, to end the task.
    pub(crate) fn end(&self) {
        self.started.notify_one();
    }
}

/// Runs until the producer is dropped. Does not keep it alive.
pub(crate) async fn linger(state: Arc<Linger>, linger: Duration, producer: Weak<Inner>) {
    loop {
        state.started.notified().await;
        tokio::time::sleep(linger).await;
        loop {
            let Some(inner) = producer.upgrade() else {
                return;
            };
            let Some(next) = send_due(&inner, linger) else {
                break;
            };
            drop(inner);
            tokio::time::sleep_until(next).await;
        }
    }
}

/// Sends due batches, and returns when the next one is due. `None` if no batch is open.
fn send_due(inner: &Inner, linger: Duration) -> Option<Instant> {
    // Reset first: a batch opened during the loop wakes the task again, at worst once too often.
    inner.context.linger.running.store(false, Ordering::Release);
    let now = Instant::now();
    let due = now.checked_sub(linger).unwrap_or(now);
    let queues = inner.queues();
    let opened = queues.iter().filter_map(|queue| queue.close_if_due(due));
    let next = opened.min();
    drain_all(&queues);
    if next.is_some() {
        inner.context.linger.running.store(true, Ordering::Release);
    }
    next.map(|opened| opened + linger)
}
