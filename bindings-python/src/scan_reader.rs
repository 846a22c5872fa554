//! One reading of a scan: as batches, as an Arrow stream, or collected.

use std::sync::Arc;
use std::thread::ThreadId;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use headwater::{ScanProgress, ScanReader};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3::{PyTraverseError, PyVisit};

use crate::arrow::{self, ArrowViews};
use crate::batch::Batch;
use crate::callbacks;
use crate::errors;
use crate::garbage::Collectable;
use crate::runtime::{self, Embedded, Owned};

/// Who is told of progress, and how far the reading is.
#[derive(Debug)]
pub(crate) struct Told {
    callable: Collectable,
    latest: Arc<Mutex<Option<ScanProgress>>>,
}

impl Told {
    pub(crate) fn new(callable: Py<PyAny>) -> Arc<Self> {
        Arc::new(Self {
            callable: Collectable::new(Some(callable)),
            latest: Arc::default(),
        })
    }

    /// What the core tells: kept until somebody may call Python.
    pub(crate) fn listener(&self) -> headwater::Progress {
        let latest = Arc::clone(&self.latest);
        Arc::new(move |progress| *latest.lock() = Some(progress))
    }

    /// Tells, if there is news.
    fn tell(&self, py: Python<'_>) -> PyResult<()> {
        let news = self.latest.lock().take();
        match (news, self.callable.get(py)) {
            (Some(progress), Some(callable)) => callable
                .call1(py, (progress.records_done, progress.records_total))
                .map(drop),
            _ => Ok(()),
        }
    }

    /// [`Told::tell`] from a thread that runs no Python code.
    pub(crate) fn tell_later(self: &Arc<Self>) {
        let told = Arc::clone(self);
        callbacks::run(Box::new(move |py| {
            if let Err(error) = told.tell(py) {
                let callable = told.callable.get(py);
                error.write_unraisable(py, callable.as_ref().map(|callable| callable.bind(py)));
            }
        }));
    }
}

/// One reading of a scan: yields its batches.
#[pyclass(frozen, module = "headwater._headwater", name = "_ScanIterator")]
#[derive(Debug)]
pub(crate) struct ScanIterator {
    embedded: Arc<Embedded>,
    topic: Arc<str>,
    reader: Mutex<Owned<ScanReader>>,
    progress: Option<Arc<Told>>,
}

impl ScanIterator {
    pub(crate) fn new(
        embedded: Arc<Embedded>,
        topic: Arc<str>,
        reader: ScanReader,
        progress: Option<Arc<Told>>,
    ) -> Self {
        Self {
            embedded,
            topic,
            reader: Mutex::new(Owned::new(reader)),
            progress,
        }
    }

    /// The schema of every batch.
    pub(crate) fn schema(&self) -> PyResult<SchemaRef> {
        Ok(self.reader.lock().get()?.schema())
    }

    pub(crate) fn next(&self, py: Python<'_>) -> PyResult<Option<headwater::Batch>> {
        self.embedded.check()?;
        let Some(mut reader) = self.reader.try_lock() else {
            return Err(errors::invalid(
                "Another thread is reading this iterator: give each thread its own, with iter(scan).",
            ));
        };
        let next = runtime::call(py, self.embedded.runtime(), reader.get_mut()?.next_batch())?;
        drop(reader);
        if let Some(told) = &self.progress {
            told.tell(py)?;
        }
        Ok(next)
    }

    /// The next batch in a thread that may not ask for the GIL.
    fn next_detached(&self) -> Result<Option<headwater::Batch>, ArrowError> {
        let mut reader = self.reader.lock();
        let reader = reader
            .get_mut()
            .map_err(|_| ArrowError::ExternalError("the process was forked".into()))?;
        reader
            .next_batch_blocking()
            .map_err(|error| ArrowError::ExternalError(Box::new(error)))
    }
}

#[pymethods]
impl ScanIterator {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match &self.progress {
            Some(told) if Arc::strong_count(told) == 1 => told.callable.traverse(&visit),
            _ => Ok(()),
        }
    }

    fn __clear__(&self) {
        if let Some(told) = &self.progress {
            told.callable.clear();
        }
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        Ok(self
            .next(py)?
            .map(|batch| Batch::new(batch, Some(Arc::clone(&self.topic)))))
    }
}

/// A reading as an Arrow stream. The consumer calls it from any thread, with or without the GIL.
pub(crate) struct Streamed {
    iterator: ScanIterator,
    schema: SchemaRef,
    thread: ThreadId,
}

impl Streamed {
    pub(crate) fn new(iterator: ScanIterator) -> PyResult<Self> {
        let schema = iterator.schema()?;
        Ok(Self {
            iterator,
            schema,
            thread: std::thread::current().id(),
        })
    }
}

impl Iterator for Streamed {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Only the thread that exported the stream may ask for the GIL: another one's consumer may wait for it while it holds the GIL.
        let next = if self.thread == std::thread::current().id() {
            Python::attach(|py| {
                self.iterator.next(py).map_err(|error| {
                    if error.is_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>(py) {
                        runtime::interrupt_again();
                    }
                    ArrowError::ExternalError(error.value(py).to_string().into())
                })
            })
        } else {
            self.iterator.next_detached()
        };
        next.map(|batch| batch.map(|batch| batch.records))
            .transpose()
    }
}

impl RecordBatchReader for Streamed {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// Tables in memory for consumers of classic types.
#[pyclass(frozen, module = "headwater._headwater", name = "_Collected")]
pub(crate) struct Collected(pub(crate) ArrowViews);

#[pymethods]
impl Collected {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let views = arrow::wants_views(requested_schema)?;
        arrow::export_batches(
            py,
            Arc::clone(&self.0.schema),
            self.0.batches.clone(),
            views,
        )
    }
}
