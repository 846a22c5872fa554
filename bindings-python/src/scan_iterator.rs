//! What iterating a scan yields: its batches.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};
use tokio::sync::Mutex;

use crate::batch::Batch;
use crate::face::{Access, Answer};
use crate::runtime::Owned;
use crate::scan_reading::{Progress, ScanReading};

/// The batches of one reading.
#[derive(Debug)]
pub(crate) struct ScanIterator {
    access: Access,
    topic: Arc<str>,
    reading: Owned<Arc<Mutex<ScanReading>>>,
    progress: Option<Arc<Progress>>,
}

impl ScanIterator {
    pub(crate) fn new(access: Access, topic: Arc<str>, reading: ScanReading) -> Self {
        Self {
            access,
            topic,
            progress: reading.progress().cloned(),
            reading: Owned::new(Arc::new(Mutex::new(reading))),
        }
    }

    fn next<'py>(&self, py: Python<'py>) -> Answer<'py> {
        self.access.check()?;
        let reading = self.access.lock(
            self.reading.get()?,
            "Another thread is reading this iterator: give each thread its own, with iter(scan).",
        )?;
        let next = |functions| async move { reading.await.next(&functions).await };
        let (topic, face) = (Arc::clone(&self.topic), self.access.face());
        self.access
            .transfer_with(py, next, move |_, batch| match batch {
                Some(batch) => Ok(Batch::new(batch, Some(topic))),
                None => Err(face.end_of_iteration()),
            })
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match &self.progress {
            // The reading has the other reference. While a call has one too, the function is in use.
            Some(progress) if Arc::strong_count(progress) == 2 => progress.function.traverse(visit),
            _ => Ok(()),
        }
    }

    fn clear(&self) {
        if let Some(progress) = &self.progress {
            progress.function.clear();
        }
    }
}

/// The iterator of a scan of `headwater`.
#[pyclass(frozen, module = "headwater._headwater", name = "_ScanIterator")]
#[derive(Debug)]
pub(crate) struct BlockingScanIterator(pub(crate) ScanIterator);

#[pymethods]
impl BlockingScanIterator {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> Answer<'py> {
        self.0.next(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(&visit)
    }

    fn __clear__(&self) {
        self.0.clear();
    }
}

/// The iterator of a scan of `headwater.aio`.
#[pyclass(frozen, module = "headwater._headwater", name = "_AioScanIterator")]
#[derive(Debug)]
pub(crate) struct AsyncioScanIterator(pub(crate) ScanIterator);

#[pymethods]
impl AsyncioScanIterator {
    fn __aiter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __anext__<'py>(&self, py: Python<'py>) -> Answer<'py> {
        self.0.next(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(&visit)
    }

    fn __clear__(&self) {
        self.0.clear();
    }
}
