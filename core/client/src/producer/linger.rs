//! Sends batches that nobody filled and nobody waits for, `linger.ms` after their first record.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::Inner;
use super::drain::drain;

/// The wake-up call of the lingering task: asleep as long as no batch is open.
#[derive(Debug, Default)]
pub(crate) struct Linger {
    running: AtomicBool,
    started: Notify,
}

impl Linger {
    /// A batch was opened.
    pub(crate) fn start(&self) {
        if !self.running.load(Ordering::Relaxed) && !self.running.swap(true, Ordering::AcqRel) {
            self.started.notify_one();
        }
    }

    /// The producer is gone: the task looks around and ends.
    pub(crate) fn end(&self) {
        self.started.notify_one();
    }
}

/// Runs until the producer is gone, which it does not keep alive.
pub(crate) async fn linger(wake_up: Arc<Linger>, linger: Duration, producer: Weak<Inner>) {
    loop {
        wake_up.started.notified().await;
        tokio::time::sleep(linger).await;
        loop {
            let Some(inner) = producer.upgrade() else {
                return;
            };
            let Some(next) = send_due(&inner, linger) else {
                break;
            };
            drop(inner);
            tokio::time::sleep_until(next.into()).await;
        }
    }
}

/// Sends what is due; returns when the next batch is. `None`: no batch is open, and the next one opened starts the task again.
fn send_due(inner: &Inner, linger: Duration) -> Option<Instant> {
    // Before looking: a batch opened while we look starts the task again, at worst once too often.
    inner.context.linger.running.store(false, Ordering::Release);
    let now = Instant::now();
    let due = now.checked_sub(linger).unwrap_or(now);
    let mut next = None;
    for queue in inner.queues() {
        match queue.close_if_due(due) {
            Some(opened) => {
                next = Some(next.map_or(opened, |earliest: Instant| earliest.min(opened)));
            }
            None => drain(&queue),
        }
    }
    if next.is_some() {
        inner.context.linger.running.store(true, Ordering::Release);
    }
    next.map(|opened: Instant| opened + linger)
}
