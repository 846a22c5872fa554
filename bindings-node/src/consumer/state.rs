//! A consumer of the core, for one call at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use headwater::{Consumer, SkippedRecords, WakeupHandle};
use tokio::sync::{Mutex, MutexGuard};

use crate::owned::CoreValue;

/// The time that closing waits for a call to end before it ends it again: another closing call may have let it
/// continue.
const CLOSE_AGAIN: Duration = Duration::from_millis(40);

/// A consumer, and the state that needs no turn.
#[derive(Debug)]
pub(super) struct State {
    /// Calls take turns, in order.
    consumer: CoreValue<Mutex<Consumer>>,
    pub(super) wakeup: WakeupHandle,
    pub(super) skipped: SkippedRecords,
    /// The number of messages that JavaScript has got and the consumer was not notified of.
    taken: AtomicUsize,
}

impl State {
    pub(super) fn new(consumer: Consumer) -> Self {
        Self {
            wakeup: consumer.wakeup_handle(),
            skipped: consumer.skipped(),
            consumer: CoreValue::new(Mutex::new(consumer)),
            taken: AtomicUsize::new(0),
        }
    }

    pub(super) fn took(&self, messages: usize) {
        self.taken.fetch_add(messages, Ordering::AcqRel);
    }

    /// The consumer, after the previous calls have ended. It is notified of all messages that were handed out.
    pub(super) async fn take(&self) -> MutexGuard<'_, Consumer> {
        let mut consumer = self.consumer.lock().await;
        consumer.take_messages(self.taken.swap(0, Ordering::AcqRel));
        consumer
    }

    /// Notifies the consumer of the messages that were handed out. Returns whether its group has a todo before the next
    /// one.
    pub(super) async fn take_due(&self) -> bool {
        let mut consumer = self.consumer.lock().await;
        consumer.take_messages(self.taken.swap(0, Ordering::AcqRel))
    }

    /// Like [`State::take`], but ends the waiting call.
    pub(super) async fn take_to_close(&self) -> MutexGuard<'_, Consumer> {
        loop {
            if let Ok(consumer) = tokio::time::timeout(Duration::ZERO, self.take()).await {
                return consumer;
            }
            self.wakeup.close();
            if let Ok(consumer) = tokio::time::timeout(CLOSE_AGAIN, self.take()).await {
                return consumer;
            }
        }
    }
}
