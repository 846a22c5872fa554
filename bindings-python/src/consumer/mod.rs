//! The consumer: follows partitions.

mod group;
mod partitions;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater::{Event, Operation, Rebalance, WakeupHandle};
use parking_lot::{Mutex, MutexGuard};
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::batch::Batch;
use crate::convert::consuming::{batch_stream, limit};
use crate::errors;
use crate::message::Message;
use crate::reading::Reading;
use crate::rebalances::{self, Callbacks};
use crate::runtime::{self, Embedded, Owned};

/// Reads partitions in the order of their offsets: those that it is given, or with `group_id` those that the group assigns. One thread at a
/// time, but for `wakeup` and `close`; iterating yields `Message`s as they come.
///
/// With `group_id`, auto-commit commits the records that you have finished (`enable_auto_commit`): every `auto_commit_interval_ms`, before
/// partitions go to other members, and at `close`. A batch or message is finished when you ask for the next one, or when you commit it. So
/// the last batch before `close` is delivered again unless you commit it.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client, client.producer() as producer:
/// ...     _ = client.create_topic("flights")
/// ...     _ = producer.send_batch("flights", [b"a", b"b"])
/// ...     with client.consumer("flights", auto_offset_reset="earliest") as consumer:
/// ...         for message in consumer:
/// ...             print(message.offset, message.value)
/// ...             if message.offset == 1:
/// ...                 break
/// 0 b'a'
/// 1 b'b'
#[pyclass(frozen, weakref, module = "headwater")]
#[derive(Debug)]
pub(crate) struct Consumer {
    embedded: Arc<Embedded>,
    reading: Mutex<Owned<Reading>>,
    /// The thread that locked the reading last.
    user: AtomicUsize,
    wakeup: WakeupHandle,
    callbacks: Mutex<Callbacks>,
}

/// A number that no other thread has at the same time.
fn this_thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here) as usize)
}

impl Consumer {
    pub(crate) fn new(embedded: Arc<Embedded>, consumer: headwater::Consumer) -> Self {
        Self {
            embedded,
            wakeup: consumer.wakeup_handle(),
            reading: Mutex::new(Owned::new(Reading::new(consumer))),
            user: AtomicUsize::new(0),
            callbacks: Mutex::default(),
        }
    }

    fn lock(&self) -> PyResult<MutexGuard<'_, Owned<Reading>>> {
        self.embedded.check()?;
        self.try_lock().ok_or_else(|| {
            errors::invalid(
                "Another thread is using this consumer: give each thread a consumer of its own.",
            )
        })
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Owned<Reading>>> {
        let reading = self.reading.try_lock()?;
        self.user.store(this_thread(), Ordering::Relaxed);
        Some(reading)
    }

    /// Ends the call of another thread that waits, and all later ones, and locks the reading.
    fn lock_to_close(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, Owned<Reading>>> {
        loop {
            if let Some(reading) = self.try_lock() {
                return Ok(reading);
            }
            if self.user.load(Ordering::Relaxed) == this_thread() {
                return Err(errors::invalid(
                    "A signal handler cannot close the consumer that its thread is using: call wakeup() there, and close the consumer where \
                     WakeupError arrives.",
                ));
            }
            self.wakeup.close();
            py.detach(|| drop(self.reading.try_lock_for(runtime::SLICE)));
            py.check_signals()?;
        }
    }

    /// Runs an operation until it is done. The functions of the subscription hear of rebalances meanwhile, while nothing is locked: they may
    /// commit and seek.
    fn run(&self, py: Python<'_>, operation: &Operation) -> PyResult<Event> {
        loop {
            match self.next_event(py, self.lock()?, operation)? {
                Event::Rebalance(rebalance) => self.report(py, &rebalance)?,
                event => return Ok(event),
            }
        }
    }

    /// [`Consumer::run`] that gives the partitions up in any case, and raises what a function raised afterwards.
    fn leave<'a>(
        &'a self,
        py: Python<'_>,
        operation: &Operation,
        lock: impl Fn() -> PyResult<MutexGuard<'a, Owned<Reading>>>,
    ) -> PyResult<()> {
        let mut reported = Ok(());
        while let Event::Rebalance(rebalance) = self.next_event(py, lock()?, operation)? {
            if reported.is_ok() {
                reported = self.report(py, &rebalance);
            }
        }
        reported
    }

    fn next_event(
        &self,
        py: Python<'_>,
        mut reading: MutexGuard<'_, Owned<Reading>>,
        operation: &Operation,
    ) -> PyResult<Event> {
        let event = reading.get_mut()?.consumer.next_event(operation);
        runtime::call(py, self.embedded.runtime(), event)
    }

    fn report(&self, py: Python<'_>, rebalance: &Rebalance) -> PyResult<()> {
        let function = self.callbacks.lock().of(py, rebalance);
        match function {
            Some(function) => rebalances::call(py, &function, rebalance).map(drop),
            None => Ok(()),
        }
    }

    fn set_callbacks(&self, callbacks: Callbacks) {
        // Dropped behind the lock: that may run Python code.
        let before = std::mem::replace(&mut *self.callbacks.lock(), callbacks);
        drop(before);
    }
}

#[pymethods]
impl Consumer {
    /// The next records, at most `max_records` (by default `max_poll_records`). When `timeout` seconds pass first, the batch is empty and
    /// false.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     with client.consumer("flights", auto_offset_reset="earliest") as consumer:
    /// ...         len(consumer.poll()), bool(consumer.poll(timeout=0))
    /// (2, False)
    #[pyo3(signature = (timeout=1.0, *, max_records=None))]
    fn poll(&self, py: Python<'_>, timeout: f64, max_records: Option<i64>) -> PyResult<Batch> {
        let max_records = max_records
            .map(|records| limit("max_records", records))
            .transpose()?;
        let deadline = runtime::deadline(Some(timeout))?;
        let poll = Operation::Poll {
            deadline,
            max_records,
        };
        Ok(Batch::of_event(self.run(py, &poll)?))
    }

    /// The stream as batches of at most `max_records` records and about `max_bytes` bytes. Once there is something, `max_wait` seconds are
    /// given to a fuller batch. `until="end"` stops at the end of each partition as it is now.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
    /// ...     with client.consumer("flights", auto_offset_reset="earliest") as consumer:
    /// ...         [len(batch) for batch in consumer.batches(max_records=2, until="end")]
    /// [2, 1]
    #[pyo3(signature = (*, max_records=65_536, max_bytes=16_777_216, max_wait=0.1, until="forever"))]
    fn batches(
        slf: &Bound<'_, Self>,
        max_records: i64,
        max_bytes: i64,
        max_wait: f64,
        until: &str,
    ) -> PyResult<BatchIterator> {
        Ok(BatchIterator {
            consumer: slf.clone().unbind(),
            next: Operation::NextBatch(batch_stream(max_records, max_bytes, max_wait, until)?),
        })
    }

    /// End the call that waits for records, from any thread or signal handler: it raises `WakeupError`, and loses nothing. If none waits,
    /// the next one that may wait raises it.
    ///
    /// >>> import headwater as hw, threading
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights")
    /// ...     with client.consumer("flights") as consumer:
    /// ...         threading.Timer(0.1, consumer.wakeup).start()
    /// ...         try:
    /// ...             consumer.poll(timeout=60)
    /// ...         except hw.WakeupError:
    /// ...             print("woken")
    /// woken
    fn wakeup(&self) -> PyResult<()> {
        self.embedded.engine()?;
        self.wakeup.wakeup();
        Ok(())
    }

    /// Commit what is finished (unless `enable_auto_commit` is false), leave the group and give the assignment up. A batch or a message is
    /// finished when the next one was asked for, or when it was committed. Idempotent; `with` calls it.
    ///
    /// `on_revoke` of the subscription is called before the partitions go, and may commit; what it raises comes when the consumer is closed.
    /// Any thread may close a consumer: a call that waits for records in another one raises `ClosedError`.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     consumer = client.consumer()
    /// ...     consumer.close()
    /// ...     consumer.close()
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.embedded.engine()?.is_closed() {
            return Ok(());
        }
        self.leave(py, &Operation::Close, || self.lock_to_close(py))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // The collector may run anywhere: callbacks that are locked are in use.
        match self.callbacks.try_lock() {
            Some(callbacks) => callbacks.traverse(&visit),
            None => Ok(()),
        }
    }

    fn __clear__(&self) {
        self.set_callbacks(Callbacks::default());
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        self.close(py)
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<Message>> {
        loop {
            if let Some(message) = self.lock()?.get_mut()?.ready_message(py)? {
                return Ok(message);
            }
            self.run(py, &Operation::NextMessage)?;
        }
    }

    #[expect(clippy::unused_self, reason = "Python's protocol")]
    fn __repr__(&self) -> &'static str {
        "Consumer()"
    }
}

/// Iterates the batches of a consumer.
#[pyclass(frozen, module = "headwater._headwater", name = "_BatchIterator")]
#[derive(Debug)]
pub(crate) struct BatchIterator {
    consumer: Py<Consumer>,
    next: Operation,
}

#[pymethods]
impl BatchIterator {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        Ok(match self.consumer.get().run(py, &self.next)? {
            Event::End => None,
            event => Some(Batch::of_event(event)),
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.consumer)
    }
}
