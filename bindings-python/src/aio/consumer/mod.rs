//! The consumer, for asyncio.

mod group;
mod partitions;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater::{BatchStream, WakeupHandle};
use parking_lot::Mutex as SyncMutex;
use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::aio::bridge;
use crate::aio::context::async_context;
use crate::aio::iterators::{AioBatchIterator, NextMessage};
use crate::aio::reader::{FetchedBatches, Reader, Shared, take_back};
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
    shared: Owned<Arc<Mutex<Shared>>>,
    /// Calls that read have them, too.
    callbacks: Owned<Arc<SyncMutex<Callbacks>>>,
    wakeup: WakeupHandle,
}

impl AioConsumer {
    pub(crate) fn new(
        embedded: Arc<Embedded>,
        consumer: headwater::Consumer,
        topics: Option<Vec<String>>,
    ) -> headwater::Result<Self> {
        let wakeup = consumer.wakeup_handle();
        let reading = Reading::new(consumer, embedded.runtime().clone())?;
        Ok(Self {
            embedded,
            shared: Owned::new(Arc::new(Mutex::new(Shared { reading, topics }))),
            callbacks: Owned::new(Arc::default()),
            wakeup,
        })
    }

    /// What reading needs: the way to the consumer, and to the functions of its subscription.
    pub(super) fn reader(&self, py: Python<'_>) -> PyResult<Reader> {
        self.embedded.check()?;
        Ok(Reader {
            shared: Arc::clone(self.shared.get()?),
            callbacks: Arc::clone(self.callbacks.get()?),
            teller: Teller::new(py)?,
        })
    }

    /// The reading, for one task after the other.
    fn lock(&self) -> PyResult<impl Future<Output = OwnedMutexGuard<Shared>> + Send + use<>> {
        self.embedded.check()?;
        Ok(Arc::clone(self.shared.get()?).lock_owned())
    }

    pub(super) fn next_batch<'py>(
        &self,
        py: Python<'py>,
        stream: BatchStream,
    ) -> PyResult<Bound<'py, PyAny>> {
        let reader = self.reader(py)?;
        let work = async move {
            let mut shared = reader.lock().await;
            loop {
                match shared.ready().await?.next_batch(&stream).await? {
                    Some(batch) if batch.is_empty() => shared = reader.tell(shared).await?,
                    batch => return Ok((shared, batch)),
                }
            }
        };
        let convert = |py: Python<'_>, (_, batch): FetchedBatches| match batch {
            Some(batch) => Ok(Py::new(py, Batch::new(batch, None))?.into_any()),
            None => Err(PyStopAsyncIteration::new_err(())),
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
        let reader = self.reader(py)?;
        let work = async move {
            let deadline = Instant::now() + timeout;
            let mut shared = reader.lock().await;
            loop {
                let left = deadline.saturating_duration_since(Instant::now());
                let batch = shared.ready().await?.poll(left, max_records).await?;
                if !batch.is_empty() {
                    return Ok((shared, Some(batch)));
                }
                shared = reader.tell(shared).await?;
                if left.is_zero() {
                    return Ok((shared, Some(batch)));
                }
            }
        };
        let convert = |py: Python<'_>, (_, batch): FetchedBatches| match batch {
            Some(batch) => Ok(Py::new(py, Batch::new(batch, None))?.into_any()),
            None => Ok(py.None()),
        };
        let runtime = self.embedded.runtime().clone();
        bridge::later(py, move |py| {
            bridge::background_or(py, &runtime, work, convert, take_back)
        })
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
            stream: batch_stream(max_records, max_bytes, max_wait, until)?,
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
        let shared = self.lock()?;
        let reader = self.reader(py)?;
        self.wakeup.close();
        let wakeup = self.wakeup.clone();
        let work = async move {
            let shared = shared.await;
            // The calls of other tasks have ended, and the functions of the subscription may commit.
            wakeup.reopen();
            let (mut shared, told) = reader.tell_leaving(shared).await?;
            shared.topics = None;
            shared.reading.close().await?;
            told
        };
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
        match self.shared.get()?.try_lock() {
            Ok(mut shared) => shared.reading.next_message(py),
            Err(_) => Ok(None),
        }
    }

    /// An asyncio future that is done when there are messages. Who awaits it takes one itself, in the step in which nothing can be
    /// cancelled any more.
    pub(super) fn fetch_messages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let reader = self.reader(py)?;
        let work = async move {
            let mut shared = reader.lock().await;
            while shared.ready().await?.fetch().await? && !shared.reading.has_rest() {
                shared = reader.tell(shared).await?;
            }
            Ok(shared.reading.has_rest())
        };
        bridge::background(py, self.embedded.runtime(), work, |py, has_any| {
            if has_any {
                bridge::none(py, ())
            } else {
                Err(PyStopAsyncIteration::new_err(()))
            }
        })
    }
}
