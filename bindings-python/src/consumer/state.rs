//! The state that a consumer shares with its running calls.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater::{
    ConsumerGauge, Event, Operation, Rebalance, SkippedRecords, Subscription, WakeupHandle,
};
use parking_lot::Mutex as SyncMutex;
use pyo3::prelude::*;

use crate::exclusive::{Exclusive, ExclusiveGuard};
use crate::functions::Functions;
use crate::reading::ReadState;
use crate::rebalances::{self, Callbacks};
use crate::runtime;

/// The reading state, taken by a call.
pub(super) type Guard = ExclusiveGuard<ReadState>;

/// The last event of an operation, and the reading state that returned it.
pub(super) type OperationResult = (Guard, Event);

/// Keeps records whose call was cancelled for the next call.
pub(super) fn take_back((mut guard, _): OperationResult) {
    guard.consumer.take_back();
}

/// The state that a consumer shares with its running calls.
#[derive(Debug)]
pub(super) struct State {
    pub(super) reading: Arc<Exclusive<ReadState>>,
    pub(super) callbacks: SyncMutex<Callbacks>,
    pub(super) wakeup: WakeupHandle,
    /// Its assignment and its membership.
    pub(super) gauge: Arc<ConsumerGauge>,
    pub(super) group_id: Option<String>,
    /// The topics of the last subscription, or of the constructor.
    topics: SyncMutex<Option<Subscription>>,
    pub(super) skipped: SkippedRecords,
    /// The last thread that took the reading state.
    user: AtomicUsize,
}

impl State {
    pub(super) fn new(reading: ReadState, topics: Option<Subscription>) -> Self {
        let group = reading.consumer.config().group.as_ref();
        Self {
            wakeup: reading.consumer.wakeup_handle(),
            gauge: Arc::clone(reading.consumer.gauge()),
            group_id: group.map(|group| group.group_id.clone()),
            topics: SyncMutex::new(topics),
            skipped: reading.consumer.skipped(),
            reading: Exclusive::new(reading),
            callbacks: SyncMutex::default(),
            user: AtomicUsize::new(0),
        }
    }

    /// Records that this thread has the reading state.
    #[inline]
    pub(super) fn taken(&self) {
        self.user.store(this_thread(), Ordering::Relaxed);
    }

    /// Whether this thread has the reading state; then a signal handler is running in it.
    pub(super) fn is_taken_here(&self) -> bool {
        self.user.load(Ordering::Relaxed) == this_thread() && self.reading.try_take().is_none()
    }

    pub(super) fn set_callbacks(&self, callbacks: Callbacks) {
        // Dropped after the lock is released: that may run Python code.
        let before = std::mem::replace(&mut *self.callbacks.lock(), callbacks);
        drop(before);
    }

    pub(super) fn topics(&self) -> Option<Subscription> {
        self.topics.lock().clone()
    }

    pub(super) fn set_topics(&self, topics: Option<Subscription>) {
        *self.topics.lock() = topics;
    }

    async fn take(&self) -> Guard {
        let guard = self.reading.take().await;
        self.taken();
        guard
    }

    /// Ends waiting calls, and takes the reading state. The core reopens the wake-up handle, so that functions of the
    /// subscription can make calls.
    async fn take_to_close(&self) -> Guard {
        if let Some(guard) = self.reading.try_take() {
            self.taken();
            return guard;
        }
        loop {
            // In each iteration: another call that closes may have reopened it.
            self.wakeup.close();
            if let Ok(guard) = tokio::time::timeout(runtime::SLICE, self.take()).await {
                return guard;
            }
        }
    }
}

/// A number that is unique among running threads.
fn this_thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here) as usize)
}

/// A call that reports rebalances to the functions of the subscription. It releases the reading state meanwhile,
/// because they may commit and seek.
pub(super) struct ReportingCall {
    pub(super) state: Arc<State>,
    pub(super) functions: Functions,
}

impl ReportingCall {
    /// Runs an operation that reads until it is complete.
    pub(super) async fn run(
        self,
        guard: impl Future<Output = Guard>,
        operation: impl FnOnce() -> Operation,
    ) -> headwater::Result<OperationResult> {
        let operation = operation();
        let mut guard = guard.await;
        loop {
            match guard.consumer.next_event(&operation).await? {
                Event::Rebalance(rebalance) => {
                    drop(guard);
                    self.report(rebalance).await?;
                    guard = self.state.take().await;
                }
                event => return Ok((guard, event)),
            }
        }
    }

    /// Reports that the partitions are released, and releases them. Then returns the error of the function.
    pub(super) async fn unsubscribe(
        self,
        guard: impl Future<Output = Guard>,
    ) -> headwater::Result<()> {
        let guard = guard.await;
        self.leave(guard, &Operation::Unsubscribe, Others::Continue)
            .await
    }

    /// [`ReportingCall::unsubscribe`] for the last time. Ends the calls of other threads and tasks.
    pub(super) async fn close(self) -> headwater::Result<()> {
        let guard = self.state.take_to_close().await;
        self.leave(guard, &Operation::Close, Others::End).await
    }

    async fn leave(
        &self,
        mut guard: Guard,
        operation: &Operation,
        others: Others,
    ) -> headwater::Result<()> {
        let mut reported = Ok(());
        while let Event::Rebalance(rebalance) = guard.consumer.next_event(operation).await? {
            drop(guard);
            if reported.is_ok() {
                reported = self.report(rebalance).await;
            }
            guard = match others {
                Others::Continue => self.state.take().await,
                Others::End => self.state.take_to_close().await,
            };
        }
        reported
    }

    /// Calls the function of the subscription for a rebalance, if it has one.
    async fn report(&self, rebalance: Rebalance) -> headwater::Result<()> {
        if self.state.callbacks.lock().of(&rebalance).is_none() {
            return Ok(());
        }
        let state = Arc::clone(&self.state);
        let call = move |py: Python<'_>| {
            let callbacks = state.callbacks.lock();
            let function = callbacks.of(&rebalance);
            let function = function.map(|function| function.clone_ref(py));
            drop(callbacks);
            function.map_or_else(
                || Ok(py.None()),
                |function| rebalances::call(py, &function, &rebalance).map(Bound::unbind),
            )
        };
        self.functions.call(call).await
    }
}

/// How waiting calls of other threads and tasks are handled while the partitions are released.
#[derive(Debug, Clone, Copy)]
enum Others {
    Continue,
    End,
}
