//! The consumer: reads partitions in offset order.

mod group;
mod partitions;
mod state;
mod text;

use std::future::Future;
use std::sync::Arc;

use headwater::{Event, Operation, Subscription};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3::{PyTraverseError, PyVisit};

use crate::aio::bridge;
use crate::aio::call::Start;
use crate::batch::Batch;
use crate::convert::consuming::{batch_stream, limit};
use crate::errors;
use crate::face::{Access, Answer, Convert, Face, closing, faces, none};
use crate::foreign_names;
use crate::functions::Functions;
use crate::iterators::{Batches, iterator};
use crate::message::Message;
use crate::reading::ReadState;
use crate::rebalances::Callbacks;
use crate::runtime::{self, CoreValue};
use state::{Guard, OperationResult, ReportingCall, State, take_back};

const IN_USE: &str = "Another thread is using this consumer: use one consumer for each thread.";

/// The methods of consumers of both faces.
#[pyclass(frozen, subclass, weakref, module = "headwater._headwater")]
#[derive(Debug)]
pub(crate) struct Consumer {
    access: Access,
    state: CoreValue<Arc<State>>,
}

/// Reads partitions in offset order: manually assigned ones, or with `group_id` those that the group assigns. For one
/// thread at a time, except `wakeup` and `close`; iterating yields `Message`s as they arrive.
///
/// With `group_id`, auto-commit commits finished records (`enable_auto_commit`): every `auto_commit_interval_ms`,
/// before partitions go to other members, and at `close`. A batch or message is finished when you request the next one,
/// or when you commit it. So the last batch before `close` is delivered again unless you commit it.
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
#[pyclass(frozen, extends = Consumer, module = "headwater", name = "Consumer")]
#[derive(Debug)]
pub(crate) struct BlockingConsumer;

/// `headwater.Consumer` for asyncio: `async for message in consumer`. One task at a time. Concurrent calls take effect
/// in the order in which they were made; a call that reads, such as `poll`, in the order in which it was awaited.
///
/// >>> import asyncio, headwater.aio as hw
/// >>> async def main():
/// ...     async with hw.open() as client, client.producer() as producer:
/// ...         await client.create_topic("flights")
/// ...         await producer.send_batch("flights", [b"a", b"b"])
/// ...         async with client.consumer("flights", auto_offset_reset="earliest") as consumer:
/// ...             async for message in consumer:
/// ...                 return message.value
/// >>> asyncio.run(main())
/// b'a'
#[pyclass(frozen, extends = Consumer, module = "headwater.aio", name = "Consumer")]
#[derive(Debug)]
pub(crate) struct AsyncioConsumer;

faces!(Consumer: BlockingConsumer, AsyncioConsumer);
closing!(Consumer: BlockingConsumer, AsyncioConsumer);

/// Takes the reading state of a consumer.
struct StateTaker {
    access: Access,
    state: Arc<State>,
}

impl StateTaker {
    fn take(&self) -> PyResult<impl Future<Output = Guard> + Send + use<>> {
        let guard = self.access.take(&self.state.reading, IN_USE)?;
        self.state.taken();
        Ok(guard)
    }
}

impl Consumer {
    /// `topics` are the topics that the consumer reads or subscribes to.
    pub(crate) fn new(
        access: Access,
        consumer: headwater::Consumer,
        topics: Option<Subscription>,
    ) -> Self {
        let state = State::new(ReadState::new(consumer), topics);
        Self {
            access,
            state: CoreValue::new(Arc::new(state)),
        }
    }

    /// Takes the reading state, for one call at a time.
    fn take(&self) -> PyResult<impl Future<Output = Guard> + Send + use<>> {
        self.taker()?.take()
    }

    /// Takes the reading state later.
    fn taker(&self) -> PyResult<StateTaker> {
        self.access.check()?;
        Ok(StateTaker {
            access: self.access.clone(),
            state: Arc::clone(self.state.get()?),
        })
    }

    /// Creates a call that reports rebalances.
    fn reporting(&self) -> PyResult<impl FnOnce(Functions) -> ReportingCall + use<>> {
        let state = Arc::clone(self.state.get()?);
        Ok(move |functions| ReportingCall { state, functions })
    }

    /// The next message, if it was already fetched.
    #[inline]
    fn ready_message(&self, py: Python<'_>) -> PyResult<Option<Py<Message>>> {
        self.access.check()?;
        let state = self.state.get()?;
        let next = state.reading.use_in_place(|reading| {
            state.taken();
            reading.ready_message(py)
        });
        match next {
            Some(next) => next,
            None if self.access.face() == Face::Blocking => Err(errors::invalid(IN_USE)),
            // A call of another task comes first.
            None => Ok(None),
        }
    }

    /// Fetches the next message. In asyncio it is taken in a step of the event loop that can no longer be cancelled.
    fn fetch_message<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let (guard, call, face) = (self.take()?, self.reporting()?, self.access.face());
        let fetch = |functions| call(functions).run(guard, || Operation::NextMessage);
        let take = move |py: Python<'_>, (mut guard, _): OperationResult| {
            let message = guard.ready_message(py)?;
            message.ok_or_else(|| face.end_of_iteration())
        };
        self.access.transfer_with(py, fetch, take)
    }
}

/// Converts a batch; the end of a stream ends the iteration.
fn to_batch(face: Face) -> impl Convert<OperationResult, Batch> {
    move |_: Python<'_>, (_, event): OperationResult| match event {
        Event::End => Err(face.end_of_iteration()),
        event => Ok(Batch::of_event(event)),
    }
}

/// The batches of a stream of a consumer.
#[derive(Debug)]
struct ConsumerBatches {
    consumer: Py<Consumer>,
    next: Operation,
}

impl Batches for ConsumerBatches {
    fn next<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let (consumer, next) = (self.consumer.get(), self.next.clone());
        let face = consumer.access.face();
        let (taker, call) = (consumer.taker()?, consumer.reporting()?);
        let next = |functions, guard| call(functions).run(guard, || next);
        consumer
            .access
            .take_with(py, move || taker.take(), next, to_batch(face), take_back)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.consumer)
    }
}

#[pymethods]
impl Consumer {
    fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        Err(foreign_names::missing("Consumer", slf.as_any(), name))
    }

    /// The next records, at most `max_records` (by default `max_poll_records`). If none arrive within `timeout`
    /// seconds, the batch is empty and false.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     with client.consumer("flights", auto_offset_reset="earliest") as consumer:
    /// ...         len(consumer.poll()), bool(consumer.poll(timeout=0))
    /// (2, False)
    #[pyo3(signature = (timeout=1.0, *, max_records=None, **others), text_signature = "($self, timeout=1.0, *, max_records=None)")]
    fn poll<'py>(
        &self,
        py: Python<'py>,
        timeout: f64,
        max_records: Option<i64>,
        others: Option<&Bound<'py, PyDict>>,
    ) -> Answer<'py> {
        foreign_names::refuse("Consumer.poll", others)?;
        let max_records = max_records
            .map(|records| limit("max_records", records))
            .transpose()?;
        let timeout = runtime::duration(timeout)?;
        let (taker, call, face) = (self.taker()?, self.reporting()?, self.access.face());
        // The timeout starts with the call.
        let poll = move |functions, guard| {
            call(functions).run(guard, move || Operation::poll(timeout, max_records))
        };
        self.access
            .take_with(py, move || taker.take(), poll, to_batch(face), take_back)
    }

    /// The stream as batches of at most `max_records` records and about `max_bytes` bytes. After the first record,
    /// waits up to `max_wait` seconds for a fuller batch. `until="end"` stops at the current end of each partition.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
    /// ...     with client.consumer("flights", auto_offset_reset="earliest") as consumer:
    /// ...         [len(batch) for batch in consumer.batches(max_records=2, until="end")]
    /// [2, 1]
    #[pyo3(signature = (*, max_records=65_536, max_bytes=16_777_216, max_wait=0.1, until="forever"))]
    fn batches<'py>(
        slf: &Bound<'py, Self>,
        max_records: i64,
        max_bytes: i64,
        max_wait: f64,
        until: &str,
    ) -> Answer<'py> {
        let consumer = slf.clone().unbind();
        let next = Operation::NextBatch(batch_stream(max_records, max_bytes, max_wait, until)?);
        let batches = ConsumerBatches { consumer, next };
        iterator(slf.py(), slf.get().access.face(), batches)
    }

    /// The number of records that `on_error="skip"` has skipped so far. May be read from any thread. Records that are
    /// decoded again, after a seek or a rebalance, count again.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = producer.send_batch(client.create_topic("t").name, [b"1", b"no JSON", b"3"])
    /// ...     with client.consumer("t", auto_offset_reset="earliest", value="json", on_error="skip") as consumer:
    /// ...         len(consumer.poll()), consumer.skipped
    /// (2, 1)
    #[getter]
    fn skipped(&self) -> PyResult<u64> {
        Ok(self.state.get()?.skipped.get())
    }

    /// End the waiting call, from any thread or signal handler: it raises `WakeupError`, and no records are lost. If no
    /// call is waiting, the next one that may wait raises it.
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
        self.access.engine()?;
        self.state.get()?.wakeup.wakeup();
        Ok(())
    }

    /// Commit finished records (unless `enable_auto_commit` is false), leave the group and clear the assignment. A
    /// batch or message is finished when the next one was requested, or when it was committed. Idempotent; `with` calls
    /// it.
    ///
    /// `on_revoke` of the subscription is called before the partitions are released, and may commit; its exception is
    /// raised after the consumer is closed. Any thread may close a consumer: a waiting call in another thread raises
    /// `ClosedError`.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     consumer = client.consumer()
    /// ...     consumer.close()
    /// ...     consumer.close()
    fn close<'py>(&self, py: Python<'py>) -> Answer<'py> {
        if self.access.engine()?.is_closed() {
            return self.access.nothing(py);
        }
        if self.access.face() == Face::Blocking && self.state.get()?.is_taken_here() {
            return Err(errors::invalid(
                "A signal handler cannot close the consumer that its thread is using: call wakeup() there, and close the consumer where \
                 WakeupError arrives.",
            ));
        }
        let call = self.reporting()?;
        let close = |functions| call(functions).close();
        self.access.transfer_with(py, close, none)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Callbacks that are locked, or shared with a call, are in use. The collector may run at any time.
        let Some(state) = self.state.if_ours() else {
            return Ok(());
        };
        match state.callbacks.try_lock() {
            Some(callbacks) if Arc::strong_count(state) == 1 => callbacks.traverse(&visit),
            _ => Ok(()),
        }
    }

    fn __clear__(&self) {
        if let Some(state) = self.state.if_ours() {
            state.set_callbacks(Callbacks::default());
        }
    }
}

#[pymethods]
impl BlockingConsumer {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(slf: &Bound<'py, Self>) -> Answer<'py> {
        let (py, consumer) = (slf.py(), slf.as_super().get());
        match consumer.ready_message(py)? {
            Some(message) => Ok(message.into_bound(py).into_any()),
            None => consumer.fetch_message(py),
        }
    }
}

#[pymethods]
impl AsyncioConsumer {
    fn __aiter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    /// The next message, which is taken when the call is awaited: a call that is cancelled before takes none.
    fn __anext__<'py>(slf: &Bound<'py, Self>) -> Answer<'py> {
        bridge::later_of(slf.as_super().clone().into_any(), |consumer| {
            let (py, consumer) = (consumer.py(), consumer.cast::<Consumer>()?.get());
            match consumer.ready_message(py)? {
                Some(message) => Ok(Start::Result(message.into_any())),
                None => Ok(Start::Call(consumer.fetch_message(py)?.unbind())),
            }
        })
    }
}
