//! The consumer: follows partitions.

mod group;
mod iterators;
mod partitions;
mod state;

use std::future::Future;
use std::sync::Arc;

use headwater::BatchStream;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::batch::Batch;
use crate::convert::consuming::{batch_stream, limit};
use crate::errors;
use crate::face::{Access, Answer, Face, closing, faces, none};
use crate::functions::Functions;
use crate::message::Message;
use crate::reading::Reading;
use crate::rebalances::Callbacks;
use crate::runtime::{self, Owned};
use iterators::{AsyncioBatchIterator, BlockingBatchIterator, NextMessage};
use state::{FetchedBatch, Guard, ReportingCall, State, take_back};

const IN_USE: &str =
    "Another thread is using this consumer: give each thread a consumer of its own.";

/// What the consumers of both faces have.
#[pyclass(
    frozen,
    subclass,
    weakref,
    module = "headwater._headwater",
    name = "Consumer"
)]
#[derive(Debug)]
pub(crate) struct Consumer {
    access: Access,
    state: Owned<Arc<State>>,
}

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
#[pyclass(frozen, extends = Consumer, module = "headwater", name = "Consumer")]
#[derive(Debug)]
pub(crate) struct BlockingConsumer;

/// `headwater.Consumer` for asyncio: `async for message in consumer`. One task at a time.
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

impl Consumer {
    /// A consumer of `topics`, which are assigned at its first use.
    pub(crate) fn new(
        access: Access,
        consumer: headwater::Consumer,
        topics: Option<Vec<String>>,
    ) -> headwater::Result<Self> {
        let wakeup = consumer.wakeup_handle();
        let reading = Reading::new(consumer, access.runtime().clone())?;
        Ok(Self {
            access,
            state: Owned::new(Arc::new(State::new(reading, topics, wakeup))),
        })
    }

    /// The lock of the reading, for one call at a time.
    fn lock(&self) -> PyResult<impl Future<Output = Guard> + Send + use<>> {
        self.access.check()?;
        let state = self.state.get()?;
        let guard = self.access.lock(&state.reading, IN_USE)?;
        state.locked();
        Ok(guard)
    }

    /// Makes a call that reports rebalances.
    fn reporting(&self) -> PyResult<impl FnOnce(Functions) -> ReportingCall + use<>> {
        let state = Arc::clone(self.state.get()?);
        Ok(move |functions| ReportingCall { state, functions })
    }

    /// The next batch of a stream.
    fn next_batch<'py>(&self, py: Python<'py>, stream: BatchStream) -> Answer<'py> {
        let (guard, call, face) = (self.lock()?, self.reporting()?, self.access.face());
        let next = |functions| {
            let call = call(functions);
            async move { call.next_batch(guard, &stream).await }
        };
        let convert = move |_: Python<'_>, (_, batch): FetchedBatch| match batch {
            Some(batch) => Ok(Batch::new(batch, None)),
            None => Err(face.end_of_iteration()),
        };
        self.access.take_with(py, next, convert, take_back)
    }

    /// The next message, if it was fetched already.
    #[inline]
    fn ready_message(&self, py: Python<'_>) -> PyResult<Option<Py<Message>>> {
        self.access.check()?;
        let state = self.state.get()?;
        match state.reading.try_lock() {
            Ok(mut reading) => {
                state.locked();
                reading.reading.next_message(py)
            }
            Err(_) if self.access.face() == Face::Blocking => Err(errors::invalid(IN_USE)),
            // A call of another task comes first.
            Err(_) => Ok(None),
        }
    }

    /// Fetches messages; at the end of the stream it ends the iteration. The caller takes a message when they are there: in asyncio in the step
    /// of the event loop in which nothing can be cancelled any more.
    fn fetch_messages<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let (guard, call, face) = (self.lock()?, self.reporting()?, self.access.face());
        let fetch = |functions| {
            let call = call(functions);
            async move { call.fetch_messages(guard).await }
        };
        self.access
            .transfer_with(py, fetch, move |py, any| match any {
                true => Ok(py.None()),
                false => Err(face.end_of_iteration()),
            })
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
    fn poll<'py>(&self, py: Python<'py>, timeout: f64, max_records: Option<i64>) -> Answer<'py> {
        let max_records = max_records
            .map(|records| limit("max_records", records))
            .transpose()?;
        let deadline = runtime::deadline(Some(timeout))?;
        let (guard, call) = (self.lock()?, self.reporting()?);
        let poll = |functions| {
            let call = call(functions);
            async move { call.poll(guard, deadline, max_records).await }
        };
        let convert = |py: Python<'_>, (_, batch): FetchedBatch| match batch {
            Some(batch) => Ok(Py::new(py, Batch::new(batch, None))?.into_any()),
            None => Ok(py.None()),
        };
        self.access.take_with(py, poll, convert, take_back)
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
    fn batches<'py>(
        slf: &Bound<'py, Self>,
        max_records: i64,
        max_bytes: i64,
        max_wait: f64,
        until: &str,
    ) -> Answer<'py> {
        let (py, consumer) = (slf.py(), slf.clone().unbind());
        let stream = batch_stream(max_records, max_bytes, max_wait, until)?;
        match slf.get().access.face() {
            Face::Blocking => {
                Ok(Bound::new(py, BlockingBatchIterator { consumer, stream })?.into_any())
            }
            Face::Asyncio => {
                Ok(Bound::new(py, AsyncioBatchIterator { consumer, stream })?.into_any())
            }
        }
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
        self.access.engine()?;
        self.state.get()?.wakeup.wakeup();
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
    fn close<'py>(&self, py: Python<'py>) -> Answer<'py> {
        if self.access.engine()?.is_closed() {
            return self.access.nothing(py);
        }
        if self.access.face() == Face::Blocking && self.state.get()?.is_locked_here() {
            return Err(errors::invalid(
                "A signal handler cannot close the consumer that its thread is using: call wakeup() there, and close the consumer where \
                 WakeupError arrives.",
            ));
        }
        let call = self.reporting()?;
        let close = |functions| {
            let call = call(functions);
            async move { call.close().await }
        };
        self.access.transfer_with(py, close, none)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // What a call has, too, or has locked, is in use. The collector may run anywhere.
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

    #[expect(clippy::unused_self, reason = "Python's protocol")]
    fn __repr__(&self) -> &'static str {
        "Consumer()"
    }
}

#[pymethods]
impl BlockingConsumer {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(slf: &Bound<'_, Self>) -> PyResult<Py<Message>> {
        let (py, consumer) = (slf.py(), slf.as_super().get());
        loop {
            if let Some(message) = consumer.ready_message(py)? {
                return Ok(message);
            }
            consumer.fetch_messages(py)?;
        }
    }
}

#[pymethods]
impl AsyncioConsumer {
    fn __aiter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __anext__(slf: &Bound<'_, Self>) -> NextMessage {
        NextMessage::new(slf.as_super().clone().unbind())
    }
}
