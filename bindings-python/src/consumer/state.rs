//! The state that a consumer shares with its running calls.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use headwater::{BatchStream, Rebalance, WakeupHandle};
use parking_lot::Mutex as SyncMutex;
use pyo3::prelude::*;

use crate::exclusive::{Exclusive, Taken};
use crate::functions::Functions;
use crate::reading::Reading;
use crate::rebalances::{self, Callbacks};
use crate::runtime;

/// How long a poll waits at a time: clocks end somewhere.
const A_LONG_TIME: Duration = Duration::from_hours(1);

/// A reading whose topics are assigned at its first use.
#[derive(Debug)]
pub(super) struct DeferredReading {
    pub(super) reading: Reading,
    pub(super) topics: Option<Vec<String>>,
}

impl DeferredReading {
    pub(super) async fn ready(&mut self) -> headwater::Result<&mut Reading> {
        if let Some(topics) = &self.topics {
            let names: Vec<&str> = topics.iter().map(String::as_str).collect();
            self.reading.consumer().await?.assign_topics(&names).await?;
            self.topics = None;
        }
        Ok(&mut self.reading)
    }
}

/// A reading that a call has taken.
pub(super) type Guard = Taken<DeferredReading>;

/// A batch, and the reading that it came from.
pub(super) type FetchedBatch = (Guard, Option<headwater::Batch>);

/// Keeps a batch that did not reach its caller for the next call.
pub(super) fn take_back((mut guard, batch): FetchedBatch) {
    if let Some(batch) = batch {
        guard.reading.take_back(batch);
    }
}

/// The state that a consumer shares with its running calls.
#[derive(Debug)]
pub(super) struct State {
    pub(super) reading: Arc<Exclusive<DeferredReading>>,
    pub(super) callbacks: SyncMutex<Callbacks>,
    pub(super) wakeup: WakeupHandle,
    /// The thread that took the reading last.
    user: AtomicUsize,
}

impl State {
    pub(super) fn new(reading: Reading, topics: Option<Vec<String>>, wakeup: WakeupHandle) -> Self {
        Self {
            reading: Exclusive::new(DeferredReading { reading, topics }),
            callbacks: SyncMutex::default(),
            wakeup,
            user: AtomicUsize::new(0),
        }
    }

    /// Notes that this thread has the reading.
    #[inline]
    pub(super) fn taken(&self) {
        self.user.store(this_thread(), Ordering::Relaxed);
    }

    /// Whether this thread has the reading: it runs a signal handler then.
    pub(super) fn is_taken_here(&self) -> bool {
        self.user.load(Ordering::Relaxed) == this_thread() && self.reading.try_take().is_none()
    }

    pub(super) fn set_callbacks(&self, callbacks: Callbacks) {
        // Dropped after the lock: that may run Python code.
        let before = std::mem::replace(&mut *self.callbacks.lock(), callbacks);
        drop(before);
    }

    async fn take(&self) -> Guard {
        let guard = self.reading.take().await;
        self.taken();
        guard
    }

    /// Ends the calls that wait, and takes the reading. Then functions of the subscription may make calls.
    async fn take_to_close(&self) -> Guard {
        if let Some(guard) = self.reading.try_take() {
            self.taken();
            return guard;
        }
        loop {
            // Each time: another call that closes may have reopened it.
            self.wakeup.close();
            if let Ok(guard) = tokio::time::timeout(runtime::SLICE, self.take()).await {
                self.wakeup.reopen();
                return guard;
            }
        }
    }
}

/// A number that no other thread has at the same time.
fn this_thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here) as usize)
}

/// A call that reports rebalances: to the functions of the subscription, without the reading, because they may commit and seek.
pub(super) struct ReportingCall {
    pub(super) state: Arc<State>,
    pub(super) functions: Functions,
}

impl ReportingCall {
    /// Reports all rebalances that are due.
    async fn report(&self, mut guard: Guard) -> headwater::Result<Guard> {
        while let Some(rebalance) = self.next_rebalance(&mut guard)? {
            drop(guard);
            self.call(rebalance).await?;
            guard = self.state.take().await;
        }
        Ok(guard)
    }

    /// The next rebalance that the subscription has a function for.
    fn next_rebalance(&self, guard: &mut Guard) -> headwater::Result<Option<Rebalance>> {
        loop {
            let rebalance = guard.reading.next_rebalance()?;
            let is_reported =
                |rebalance: &Rebalance| self.state.callbacks.lock().of(rebalance).is_some();
            if rebalance.as_ref().is_none_or(is_reported) {
                return Ok(rebalance);
            }
        }
    }

    /// Calls the function of the subscription for a rebalance.
    async fn call(&self, rebalance: Rebalance) -> headwater::Result<()> {
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

    /// The next records, at most `max_records`; an empty batch when `timeout` has passed.
    pub(super) async fn poll(
        self,
        guard: impl Future<Output = Guard>,
        timeout: Duration,
        max_records: Option<usize>,
    ) -> headwater::Result<FetchedBatch> {
        let start = Instant::now();
        let mut guard = guard.await;
        loop {
            let left = timeout.saturating_sub(start.elapsed());
            let reading = guard.ready().await?;
            let batch = reading.poll(left.min(A_LONG_TIME), max_records).await?;
            if !batch.is_empty() {
                return Ok((guard, Some(batch)));
            }
            guard = self.report(guard).await?;
            if left.is_zero() {
                return Ok((guard, Some(batch)));
            }
        }
    }

    /// The next batch of a stream, or `None` at its end.
    pub(super) async fn next_batch(
        self,
        guard: impl Future<Output = Guard>,
        stream: BatchStream,
    ) -> headwater::Result<FetchedBatch> {
        let mut guard = guard.await;
        loop {
            let batch = guard.ready().await?.next_batch(&stream).await?;
            if batch.as_ref().is_none_or(|batch| !batch.is_empty()) {
                return Ok((guard, batch));
            }
            guard = self.report(guard).await?;
        }
    }

    /// Fetches messages; there are none at the end of the stream. The caller takes them while it has the reading.
    pub(super) async fn fetch_messages(
        self,
        guard: impl Future<Output = Guard>,
    ) -> headwater::Result<Guard> {
        let mut guard = guard.await;
        while guard.ready().await?.fetch().await? && !guard.reading.has_rest() {
            guard = self.report(guard).await?;
        }
        Ok(guard)
    }

    /// Reports that the partitions are given up, and gives them up. The error of a function comes after that.
    pub(super) async fn unsubscribe(
        self,
        guard: impl Future<Output = Guard>,
    ) -> headwater::Result<()> {
        let (mut guard, reported) = self.report_leaving(guard.await, Others::Continue).await?;
        guard.reading.unsubscribe().await?;
        reported
    }

    /// [`ReportingCall::unsubscribe`] for the last time. Ends the calls of other threads and tasks.
    pub(super) async fn close(self) -> headwater::Result<()> {
        let guard = self.state.take_to_close().await;
        let (mut guard, reported) = self.report_leaving(guard, Others::End).await?;
        guard.reading.close().await?;
        reported
    }

    /// Reports that the partitions are given up. The second result is the error of a function.
    async fn report_leaving(
        &self,
        mut guard: Guard,
        others: Others,
    ) -> headwater::Result<(Guard, headwater::Result<()>)> {
        guard.topics = None;
        guard.reading.prepare_leave().await?;
        while let Some(rebalance) = self.next_rebalance(&mut guard)? {
            drop(guard);
            let called = self.call(rebalance).await;
            guard = match others {
                Others::Continue => self.state.take().await,
                Others::End => self.state.take_to_close().await,
            };
            if called.is_err() {
                return Ok((guard, called));
            }
        }
        Ok((guard, Ok(())))
    }
}

/// What happens to calls of other threads and tasks that wait for records while the partitions are given up.
#[derive(Debug, Clone, Copy)]
enum Others {
    Continue,
    End,
}
