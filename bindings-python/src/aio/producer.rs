//! The producer, for asyncio.

use std::sync::Arc;

use headwater::TrySendError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::aio::bridge;
use crate::aio::context::async_context;
use crate::convert::record::Arguments;
use crate::convert::tables::Tables;
use crate::errors;
use crate::future::Future;
use crate::producer::{BatchResult, Producer, RecordMetadata, bulk_options};
use crate::runtime::Embedded;

/// `headwater.Producer` for asyncio. `send()` takes the record at once; awaiting what it returns waits for its result.
///
/// >>> import asyncio, headwater.aio as hw
/// >>> async def main():
/// ...     async with hw.open() as client, client.producer() as producer:
/// ...         await client.create_topic("flights")
/// ...         done = await asyncio.gather(*(producer.send("flights", f"{delay}") for delay in range(3)))
/// ...         return [metadata.offset for metadata in done]
/// >>> asyncio.run(main())
/// [0, 1, 2]
#[pyclass(frozen, weakref, module = "headwater.aio", name = "Producer")]
#[derive(Debug)]
pub(crate) struct AioProducer(Py<Producer>);

impl AioProducer {
    pub(crate) fn new(
        py: Python<'_>,
        embedded: Arc<Embedded>,
        producer: headwater::Producer,
    ) -> PyResult<Self> {
        Py::new(py, Producer::new(embedded, producer)).map(Self)
    }

    /// The producer of the core, unless this is a child of its process.
    fn get(&self) -> PyResult<headwater::Producer> {
        self.0.get().get().cloned()
    }

    fn runtime(&self) -> &tokio::runtime::Handle {
        self.0.get().embedded().runtime()
    }
}

#[pymethods]
impl AioProducer {
    /// See `headwater.Producer.send`. The result can be awaited; when `buffer_memory` is full, awaiting it waits for space too.
    #[pyo3(signature = (topic, value=None, *, key=None, headers=None, partition=None, timestamp=None))]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn send<'py>(
        &self,
        py: Python<'py>,
        topic: &Bound<'py, PyString>,
        value: Option<&Bound<'py, PyAny>>,
        key: Option<&Bound<'py, PyAny>>,
        headers: Option<&Bound<'py, PyAny>>,
        partition: Option<&Bound<'py, PyAny>>,
        timestamp: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let parts = Arguments {
            topic,
            value,
            key,
            headers,
            partition,
            timestamp,
        }
        .parts()?;
        self.0.get().embedded().check()?;
        let producer = self.0.get().get()?;
        match parts.with(|record| producer.try_send(record)) {
            Ok(handle) => {
                let future = Future::new(handle, self.0.clone_ref(py));
                bridge::call_of(Bound::new(py, future)?.into_any())
            }
            Err(TrySendError::Refused(error)) => Err(errors::raise(error)),
            Err(TrySendError::WouldWait) => {
                let (parts, producer) = (parts.into_owned(), producer.clone());
                let work = async move { parts.send(&producer).await?.await };
                bridge::quick(py, self.runtime(), work, |py, done| {
                    Ok(Py::new(py, RecordMetadata(done))?.into_any())
                })
            }
        }
    }

    /// See `headwater.Producer.send_batch`.
    #[pyo3(signature = (topic, rows_or_arrow, *, key=None, value=None, headers=None, partition=None, timestamp=None, value_format="json"))]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn send_batch<'py>(
        &self,
        py: Python<'py>,
        topic: &str,
        rows_or_arrow: &Bound<'py, PyAny>,
        key: Option<String>,
        value: Option<String>,
        headers: Option<String>,
        partition: Option<&Bound<'py, PyAny>>,
        timestamp: Option<String>,
        value_format: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.0.get().embedded().check()?;
        let producer = self.get()?;
        let options = bulk_options(key, value, headers, partition, timestamp, value_format)?;
        let mut tables = Tables::new(rows_or_arrow, options)?;
        let pieces = tables.all(py)?;
        let mut sender = producer.tables(topic, tables.options);
        let work = async move {
            for piece in &pieces {
                sender.check(piece).await?;
            }
            for piece in &pieces {
                sender.send(piece).await?;
            }
            Ok(sender.finish())
        };
        bridge::background(py, self.runtime(), work, |py, sum| {
            Ok(Py::new(py, BatchResult(sum))?.into_any())
        })
    }

    /// See `headwater.Producer.flush`; `asyncio.wait_for` gives it a time-out.
    fn flush<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let producer = self.get()?;
        bridge::background(
            py,
            self.runtime(),
            async move { producer.flush().await },
            bridge::none,
        )
    }

    /// See `headwater.Producer.close`.
    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let producer = self.get()?;
        if self.0.get().embedded().engine()?.is_closed() {
            return bridge::ready(py, Ok(py.None().into_bound(py)));
        }
        bridge::background(
            py,
            self.runtime(),
            async move { producer.close().await },
            bridge::none,
        )
    }
}

async_context!(AioProducer);
