//! A topic, for asyncio.

use std::sync::Arc;

use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;

use crate::aio::bridge;
use crate::aio::scan::AioScan;
use crate::batch::Batch;
use crate::client::topics::offsets_by_number;
use crate::convert::format::FormatArguments;
use crate::convert::position;
use crate::errors;
use crate::runtime::Embedded;
use crate::scan::Scan;
use crate::topic::{Topic, scan_options};

/// `headwater.Topic` for asyncio; `await topic.count()` is its number of records.
///
/// >>> import asyncio, headwater.aio as hw
/// >>> async def main():
/// ...     async with hw.open() as client, client.producer() as producer:
/// ...         topic = await client.create_topic("flights")
/// ...         await producer.send_batch("flights", [b"a", b"b"])
/// ...         return len(await topic.head(1)), await topic.count()
/// >>> asyncio.run(main())
/// (1, 2)
#[pyclass(frozen, weakref, module = "headwater.aio", name = "Topic")]
#[derive(Debug)]
pub(crate) struct AioTopic(Topic);

impl AioTopic {
    pub(crate) fn new(embedded: Arc<Embedded>, topic: headwater::Topic) -> Self {
        Self(Topic::new(embedded, topic))
    }

    fn ends<'py>(
        &self,
        py: Python<'py>,
        n: u64,
        last: bool,
        format: FormatArguments<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let decode = format.options()?;
        let topic = self.0.get()?.clone();
        let name = self.0.shared_name()?;
        let work = async move {
            if last {
                topic.tail(n, decode).await
            } else {
                topic.head(n, decode).await
            }
        };
        bridge::background(py, self.0.embedded().runtime(), work, move |py, batch| {
            Ok(Py::new(py, Batch::new(batch, Some(name)))?.into_any())
        })
    }
}

#[pymethods]
impl AioTopic {
    /// The topic's name.
    #[getter]
    fn name(&self) -> PyResult<String> {
        Ok(self.0.shared_name()?.to_string())
    }

    /// See `headwater.Topic.scan`.
    #[pyo3(signature = (
        start=None, end=None, *, partitions=None, columns=None, key="bytes", value="bytes", schema=None, unnest=false, on_error="raise",
        isolation_level="read_committed", progress=None
    ), text_signature = "($self, start='earliest', end='latest', *, partitions=None, columns=None, key='bytes', value='bytes', \
        schema=None, unnest=False, on_error='raise', isolation_level='read_committed', progress=None)")]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn scan(
        &self,
        start: Option<&Bound<'_, PyAny>>,
        end: Option<&Bound<'_, PyAny>>,
        partitions: Option<&Bound<'_, PyAny>>,
        columns: Option<Vec<String>>,
        key: &str,
        value: &str,
        schema: Option<&Bound<'_, PyAny>>,
        unnest: bool,
        on_error: &str,
        isolation_level: &str,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<AioScan> {
        let format = FormatArguments {
            key,
            value,
            schema,
            unnest,
            on_error,
            columns,
        };
        let options = scan_options(start, end, partitions, isolation_level, format)?;
        Ok(AioScan(Scan::new(
            Arc::clone(self.0.embedded()),
            self.0.get()?.scan(options),
            progress,
        )))
    }

    /// See `headwater.Topic.head`.
    #[pyo3(signature = (n=10, *, columns=None, key="bytes", value="bytes", schema=None, unnest=false, on_error="raise"))]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn head<'py>(
        &self,
        py: Python<'py>,
        n: u64,
        columns: Option<Vec<String>>,
        key: &str,
        value: &str,
        schema: Option<&Bound<'py, PyAny>>,
        unnest: bool,
        on_error: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.ends(
            py,
            n,
            false,
            FormatArguments {
                key,
                value,
                schema,
                unnest,
                on_error,
                columns,
            },
        )
    }

    /// See `headwater.Topic.tail`.
    #[pyo3(signature = (n=10, *, columns=None, key="bytes", value="bytes", schema=None, unnest=false, on_error="raise"))]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn tail<'py>(
        &self,
        py: Python<'py>,
        n: u64,
        columns: Option<Vec<String>>,
        key: &str,
        value: &str,
        schema: Option<&Bound<'py, PyAny>>,
        unnest: bool,
        on_error: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.ends(
            py,
            n,
            true,
            FormatArguments {
                key,
                value,
                schema,
                unnest,
                on_error,
                columns,
            },
        )
    }

    /// How many records it has.
    fn count<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let topic = self.0.get()?.clone();
        bridge::background(
            py,
            self.0.embedded().runtime(),
            async move { topic.count().await },
            |py, count| Ok(count.into_pyobject(py)?.into_any().unbind()),
        )
    }

    /// See `headwater.Topic.offsets`.
    fn offsets<'py>(&self, py: Python<'py>, at: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let at = position::position(at)?;
        let topic = self.0.get()?.clone();
        bridge::quick(
            py,
            self.0.embedded().runtime(),
            async move { topic.offsets(&at).await },
            |py, offsets| offsets_by_number(offsets).into_py_any(py),
        )
    }

    /// See `headwater.Topic.rate`.
    #[pyo3(signature = (every="1m", *, start=None, end=None),
        text_signature = "($self, every='1m', *, start='earliest', end='latest')")]
    fn rate<'py>(
        &self,
        py: Python<'py>,
        every: &str,
        start: Option<&Bound<'py, PyAny>>,
        end: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let every = headwater::duration::parse_ms(every).map_err(errors::raise)?;
        let start = start.map_or(Ok(headwater::Position::Earliest), position::position)?;
        let end = end.map_or(Ok(headwater::Position::Latest), position::position)?;
        let topic = self.0.get()?.clone();
        let name = self.0.shared_name()?;
        bridge::background(
            py,
            self.0.embedded().runtime(),
            async move { topic.rate(every, start, end).await },
            move |py, batch| Ok(Py::new(py, Batch::new(batch, Some(name)))?.into_any()),
        )
    }

    fn __repr__(&self) -> PyResult<String> {
        Ok(format!("Topic('{}')", self.0.shared_name()?))
    }
}
