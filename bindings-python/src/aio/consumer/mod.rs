//! The consumer, for asyncio.

mod group;
mod partitions;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use headwater::{Event, Operation, WakeupHandle};
use parking_lot::Mutex as SyncMutex;
use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::aio::bridge;
use crate::aio::context::async_context;
use crate::aio::iterators::{AioBatchIterator, NextMessage};
use crate::aio::reader::{Done, Reader, take_back};
use crate::aio::telling::Teller;
use crate::batch::Batch;
use crate::convert::consuming::{batch_stream, limit};
use crate::errors;
use crate::message::Message;
use crate::reading::Reading;
use crate::rebalances::Callbacks;
use crate::runtime::{Embedded, Owned};

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
#[pyclass(frozen, weakref, module = "headwater.aio", name = "Consumer")]
#[derive(Debug)]
pub(crate) struct AioConsumer {
    embedded: Arc<Embedded>,
    reading: Owned<Arc<Mutex<Reading>>>,
    /// Calls that read have them, too.
    callbacks: Owned<Arc<SyncMutex<Callbacks>>>,
    wakeup: WakeupHandle,
}

impl AioConsumer {
    pub(crate) fn new(
        embedded: Arc<Embedded>,
        mut consumer: headwater::Consumer,
        topics: Option<Vec<String>>,
    ) -> Self {
        if let Some(topics) = topics {
            consumer.assign_topics_at_first_use(topics);
        }
        Self {
            embedded,
            wakeup: consumer.wakeup_handle(),
            reading: Owned::new(Arc::new(Mutex::new(Reading::new(consumer)))),
            callbacks: Owned::new(Arc::default()),
        }
    }

    /// What reading needs: the way to the consumer, and to the functions of its subscription.
    pub(super) fn reader(&self, py: Python<'_>) -> PyResult<Reader> {
        self.embedded.check()?;
        Ok(Reader {
            reading: Arc::clone(self.reading.get()?),
            callbacks: Arc::clone(self.callbacks.get()?),
            teller: Teller::new(py)?,
        })
    }

    /// The reading, for one task after the other.
    fn lock(&self) -> PyResult<impl Future<Output = OwnedMutexGuard<Reading>> + Send + use<>> {
        self.embedded.check()?;
        Ok(Arc::clone(self.reading.get()?).lock_owned())
    }

    /// A call for records, which begins when it is awaited. Records that nobody waits for any more are read again.
    pub(super) fn read<'py>(
        &self,
        py: Python<'py>,
        operation: impl FnOnce() -> Operation + Send + 'static,
    ) -> PyResult<Bound<'py, PyAny>> {
        let reader = self.reader(py)?;
        let work = async move { reader.run(&operation()).await };
        let convert = |py: Python<'_>, (_, event): Done| match event {
            Event::End => Err(PyStopAsyncIteration::new_err(())),
            event => Ok(Py::new(py, Batch::of_event(event))?.into_any()),
        };
        let runtime = self.embedded.runtime().clone();
        bridge::later(py, move |py| {
            bridge::background_or(py, &runtime, work, convert, take_back)
        })
    }
}

#[pymethods]
impl AioConsumer {
    /// See `headwater.Consumer.poll`.
    #[pyo3(signature = (timeout=1.0, *, max_records=None))]
    fn poll<'py>(
        &self,
        py: Python<'py>,
        timeout: f64,
        max_records: Option<i64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let max_records = max_records
            .map(|records| limit("max_records", records))
            .transpose()?;
        if timeout.is_nan() {
            return Err(errors::invalid(
                "The timeout is not a number: give seconds.",
            ));
        }
        let timeout =
            Duration::try_from_secs_f64(timeout.max(0.0)).unwrap_or(Duration::from_hours(1));
        self.read(py, move || Operation::poll(timeout, max_records))
    }

    /// See `headwater.Consumer.batches`: `async for batch in consumer.batches()`.
    #[pyo3(signature = (*, max_records=65_536, max_bytes=16_777_216, max_wait=0.1, until="forever"))]
    fn batches(
        slf: &Bound<'_, Self>,
        max_records: i64,
        max_bytes: i64,
        max_wait: f64,
        until: &str,
    ) -> PyResult<AioBatchIterator> {
        Ok(AioBatchIterator {
            consumer: slf.clone().unbind(),
            next: Operation::NextBatch(batch_stream(max_records, max_bytes, max_wait, until)?),
        })
    }

    /// See `headwater.Consumer.wakeup`. Not a coroutine: any thread may call it.
    fn wakeup(&self) -> PyResult<()> {
        self.embedded.engine()?;
        self.wakeup.wakeup();
        Ok(())
    }

    /// See `headwater.Consumer.close`. Calls of other tasks that wait raise `ClosedError`.
    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if self.embedded.engine()?.is_closed() {
            return bridge::ready(py, Ok(py.None().into_bound(py)));
        }
        let reader = self.reader(py)?;
        self.wakeup.close();
        let work = async move { reader.leave(&Operation::Close).await };
        bridge::quick(py, self.embedded.runtime(), work, bridge::none)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // What a call has, too, or has locked, is in use.
        let Some(callbacks) = self.callbacks.if_ours() else {
            return Ok(());
        };
        match callbacks.try_lock() {
            Some(known) if Arc::strong_count(callbacks) == 1 => known.traverse(&visit),
            _ => Ok(()),
        }
    }

    fn __clear__(&self) {
        if let Some(callbacks) = self.callbacks.if_ours() {
            let before = std::mem::take(&mut *callbacks.lock());
            drop(before);
        }
    }

    fn __aiter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __anext__(slf: &Bound<'_, Self>) -> NextMessage {
        NextMessage {
            consumer: slf.clone().unbind(),
            fetching: None,
        }
    }
}

async_context!(AioConsumer);

impl AioConsumer {
    /// The next message, if it was fetched already.
    pub(super) fn ready_message(&self, py: Python<'_>) -> PyResult<Option<Py<Message>>> {
        self.embedded.check()?;
        match self.reading.get()?.try_lock() {
            Ok(mut reading) => reading.ready_message(py),
            Err(_) => Ok(None),
        }
    }

    /// An asyncio future that is done when there are messages. Who awaits it takes one itself, in the step in which nothing can be
    /// cancelled any more.
    pub(super) fn fetch_messages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let reader = self.reader(py)?;
        let work = async move { reader.run(&Operation::NextMessage).await.map(drop) };
        bridge::background(py, self.embedded.runtime(), work, bridge::none)
    }
}
