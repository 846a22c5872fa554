//! A range of a topic, for asyncio.

use std::sync::Arc;

use headwater::ScanReader;
use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};
use tokio::sync::Mutex;

use crate::aio::bridge;
use crate::arrow::ArrowViews;
use crate::batch::Batch;
use crate::runtime::{Embedded, Owned};
use crate::scan::Scan;
use crate::scan_reader::{Collected, Told};
use crate::schema::Schema;

/// `headwater.Scan` for asyncio: `async for batch in scan`.
///
/// >>> import asyncio, headwater.aio as hw
/// >>> async def main():
/// ...     async with hw.open() as client, client.producer() as producer:
/// ...         topic = await client.create_topic("flights")
/// ...         await producer.send_batch("flights", [b"a", b"b"])
/// ...         return [len(batch) async for batch in topic.scan()], (await topic.scan().to_polars())["value"].to_list()
/// >>> asyncio.run(main())
/// ([2], [b'a', b'b'])
#[pyclass(frozen, weakref, module = "headwater.aio", name = "Scan")]
#[derive(Debug)]
pub(crate) struct AioScan(pub(crate) Scan);

impl AioScan {
    fn collect<'py>(
        &self,
        py: Python<'py>,
        convert: impl FnOnce(Python<'_>, ArrowViews) -> PyResult<Py<PyAny>> + Send + 'static,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (scan, progress) = self.0.told(py)?;
        let work = async move {
            let mut reader = scan.reader().await?;
            let mut batches = Vec::new();
            while let Some(batch) = reader.next_batch().await? {
                batches.push(batch.records);
                if let Some(progress) = &progress {
                    progress.tell_later();
                }
            }
            Ok(ArrowViews {
                schema: reader.schema(),
                batches,
            })
        };
        bridge::background(py, self.0.embedded().runtime(), work, convert)
    }
}

#[pymethods]
impl AioScan {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(&visit)
    }

    fn __clear__(&self) {
        self.0.clear();
    }

    /// See `headwater.Scan.to_polars`.
    fn to_polars<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.collect(py, |py, tables| Ok(tables.into_polars(py)?.unbind()))
    }

    /// See `headwater.Scan.to_pandas`.
    #[pyo3(signature = (dtype_backend=None))]
    fn to_pandas<'py>(
        &self,
        py: Python<'py>,
        dtype_backend: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.collect(py, |py, tables| {
            let tables = Py::new(py, Collected(tables))?;
            Ok(py
                .import("headwater._frames")?
                .call_method1("to_pandas", (tables, dtype_backend))?
                .unbind())
        })
    }

    /// See `headwater.Scan.to_arrow`.
    fn to_arrow<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.collect(py, |py, tables| {
            let tables = Py::new(py, Collected(tables))?;
            Ok(py
                .import("headwater._frames")?
                .call_method1("to_arrow", (tables,))?
                .unbind())
        })
    }

    /// See `headwater.Scan.count`.
    fn count<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let scan = self.0.get()?.clone();
        bridge::background(
            py,
            self.0.embedded().runtime(),
            async move { scan.count().await },
            |py, count| Ok(count.into_pyobject(py)?.into_any().unbind()),
        )
    }

    /// See `headwater.Scan.explain`.
    fn explain<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let scan = self.0.get()?.clone();
        bridge::background(
            py,
            self.0.embedded().runtime(),
            async move { scan.explain().await },
            |py, text| Ok(text.into_pyobject(py)?.into_any().unbind()),
        )
    }

    /// See `headwater.Scan.schema`.
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let scan = self.0.get()?.clone();
        bridge::background(
            py,
            self.0.embedded().runtime(),
            async move { scan.schema().await },
            |py, schema| {
                Ok(Py::new(py, Schema(headwater::columnar::classic_schema(&schema)))?.into_any())
            },
        )
    }

    fn __aiter__(&self, py: Python<'_>) -> PyResult<AioScanIterator> {
        let (scan, progress) = self.0.told(py)?;
        Ok(AioScanIterator {
            embedded: Arc::clone(self.0.embedded()),
            topic: self.0.topic()?,
            progress,
            reading: Owned::new(Arc::new(Mutex::new(Reading::Before(Box::new(scan))))),
        })
    }

    fn __repr__(&self) -> PyResult<String> {
        self.0.__repr__()
    }
}

#[derive(Debug)]
enum Reading {
    Before(Box<headwater::Scan>),
    At(Box<ScanReader>),
}

/// One reading of a scan: yields its batches.
#[pyclass(frozen, module = "headwater._headwater", name = "_AioScanIterator")]
#[derive(Debug)]
pub(crate) struct AioScanIterator {
    embedded: Arc<Embedded>,
    topic: Arc<str>,
    progress: Option<Arc<Told>>,
    reading: Owned<Arc<Mutex<Reading>>>,
}

#[pymethods]
impl AioScanIterator {
    fn __aiter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __anext__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.embedded.check()?;
        let reading = Arc::clone(self.reading.get()?);
        let progress = self.progress.clone();
        let work = async move {
            let mut reading = reading.lock().await;
            if let Reading::Before(scan) = &*reading {
                let reader = scan.reader().await?;
                *reading = Reading::At(Box::new(reader));
            }
            let next = match &mut *reading {
                Reading::At(reader) => reader.next_batch().await,
                Reading::Before(_) => Ok(None),
            };
            if let Some(progress) = progress {
                progress.tell_later();
            }
            next
        };
        let topic = Arc::clone(&self.topic);
        bridge::background(
            py,
            self.embedded.runtime(),
            work,
            move |py, batch| match batch {
                Some(batch) => Ok(Py::new(py, Batch::new(batch, Some(topic)))?.into_any()),
                None => Err(PyStopAsyncIteration::new_err(())),
            },
        )
    }
}
