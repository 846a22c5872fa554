//! A consumer of the core, for one call at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use headwater::{Consumer, WakeupHandle};
use tokio::sync::{Mutex, MutexGuard};

use crate::owned::Owned;

/// How long closing waits for a call to end before it ends it again: another call that closes may have let it go on.
const CLOSE_AGAIN: Duration = Duration::from_millis(40);

/// A consumer with what needs no turn.
#[derive(Debug)]
pub(super) struct State {
    /// Calls take turns, in their order.
    consumer: Owned<Mutex<Consumer>>,
    pub(super) wakeup: WakeupHandle,
    /// Messages that JavaScript was given, and that the consumer does not know of.
    taken: AtomicUsize,
}

impl State {
    pub(super) fn new(consumer: Consumer) -> Self {
        Self {
            wakeup: consumer.wakeup_handle(),
            consumer: Owned::new(Mutex::new(consumer)),
            taken: AtomicUsize::new(0),
        }
    }

    pub(super) fn took(&self, messages: usize) {
        self.taken.fetch_add(messages, Ordering::AcqRel);
    }

    /// The consumer, when the calls before have ended. It knows of all messages that were taken.
    pub(super) async fn take(&self) -> MutexGuard<'_, Consumer> {
        let mut consumer = self.consumer.lock().await;
        consumer.take_messages(self.taken.swap(0, Ordering::AcqRel));
        consumer
    }

    /// Tells the consumer of the messages that were taken. The result is whether its group has to act before the next one.
    pub(super) async fn take_due(&self) -> bool {
        let mut consumer = self.consumer.lock().await;
        consumer.take_messages(self.taken.swap(0, Ordering::AcqRel))
    }

    /// [`State::take`] that ends the call that is waiting.
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
