//! A consumer of the core, for one call at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use headwater::{Consumer, ConsumerGauge, SkippedRecords, WakeupHandle};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::owned::CoreValue;

/// The time that closing waits for a call to end before it ends it again: another closing call may have let it
/// continue.
const CLOSE_AGAIN: Duration = Duration::from_millis(40);

/// A consumer, and the state that needs no turn.
#[derive(Debug)]
pub(super) struct State {
    /// Calls take turns, in the order in which JavaScript makes them.
    consumer: CoreValue<Arc<Mutex<Consumer>>>,
    pub(super) wakeup: WakeupHandle,
    /// Its assignment and its membership.
    pub(super) gauge: Arc<ConsumerGauge>,
    pub(super) skipped: SkippedRecords,
    /// The number of messages that JavaScript has got and the consumer was not notified of.
    taken: AtomicUsize,
}

impl State {
    pub(super) fn new(consumer: Consumer) -> Self {
        Self {
            wakeup: consumer.wakeup_handle(),
            gauge: Arc::clone(consumer.gauge()),
            skipped: consumer.skipped(),
            consumer: CoreValue::new(Arc::new(Mutex::new(consumer))),
            taken: AtomicUsize::new(0),
        }
    }

    pub(super) fn took(&self, messages: usize) {
        self.taken.fetch_add(messages, Ordering::AcqRel);
    }

    /// The consumer, after the previous calls have ended. The call gets its place now, and not when its task starts:
    /// tasks may start in another order.
    fn turn(&self) -> impl Future<Output = OwnedMutexGuard<Consumer>> + Send + use<> {
        let mut turn = Box::pin(Arc::clone(&self.consumer).lock_owned());
        let free = (&mut turn).now_or_never();
        async move {
            match free {
                Some(consumer) => consumer,
                None => turn.await,
            }
        }
    }

    /// The consumer, after the previous calls have ended. It is notified of all messages that were handed out.
    pub(super) fn take(
        self: &Arc<Self>,
    ) -> impl Future<Output = OwnedMutexGuard<Consumer>> + Send + use<> {
        let (state, turn) = (Arc::clone(self), self.turn());
        async move {
            let mut consumer = turn.await;
            consumer.take_messages(state.taken.swap(0, Ordering::AcqRel));
            consumer
        }
    }

    /// Notifies the consumer of the messages that were handed out. Returns whether its group has a todo before the next
    /// one.
    pub(super) fn take_due(self: &Arc<Self>) -> impl Future<Output = bool> + Send + use<> {
        let (state, turn) = (Arc::clone(self), self.turn());
        async move {
            let mut consumer = turn.await;
            consumer.take_messages(state.taken.swap(0, Ordering::AcqRel))
        }
    }

    /// Like [`State::take`], but ends the waiting call.
    pub(super) async fn take_to_close(self: &Arc<Self>) -> OwnedMutexGuard<Consumer> {
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
