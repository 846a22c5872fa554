//! One reading of a scan: batch by batch, collected, or as an Arrow stream.

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
use crate::errors;
use crate::exclusive::Exclusive;
use crate::face::{Access, Answer};
use crate::functions::Functions;
use crate::garbage::Collectable;
use crate::iterators::Batches;
use crate::runtime::{self, CoreValue};

/// The function for the progress of a reading.
#[derive(Debug)]
pub(crate) struct Progress {
    function: Collectable,
    /// Progress that was not passed to the function yet.
    latest: Arc<Mutex<Option<ScanProgress>>>,
}

impl Progress {
    pub(crate) fn new(function: Py<PyAny>) -> Arc<Self> {
        Arc::new(Self {
            function: Collectable::new(Some(function)),
            latest: Arc::default(),
        })
    }

    /// The core calls it while it reads, in any thread.
    fn listener(&self) -> headwater::Progress {
        let latest = Arc::clone(&self.latest);
        Arc::new(move |progress| *latest.lock() = Some(progress))
    }

    /// Calls the function if there is progress.
    async fn report(self: &Arc<Self>, functions: &Functions) -> headwater::Result<()> {
        let Some(progress) = self.latest.lock().take() else {
            return Ok(());
        };
        let this = Arc::clone(self);
        let call = move |py: Python<'_>| match this.function.get(py) {
            Some(function) => function.call1(py, (progress.records_done, progress.records_total)),
            None => Ok(py.None()),
        };
        functions.call(call).await
    }
}

/// One reading of a scan. It starts with the first batch, or when it is opened.
#[derive(Debug)]
pub(crate) struct ScanRun {
    scan: headwater::Scan,
    reader: Option<ScanReader>,
    progress: Option<Arc<Progress>>,
}

impl ScanRun {
    pub(crate) fn new(scan: headwater::Scan, progress: Option<Arc<Progress>>) -> Self {
        let scan = match &progress {
            Some(progress) => {
                let mut options = scan.options().clone();
                options.progress = Some(progress.listener());
                scan.with_options(options)
            }
            None => scan,
        };
        Self {
            scan,
            reader: None,
            progress,
        }
    }

    /// Starts the reading, which fixes its end.
    pub(crate) async fn opened(mut self) -> headwater::Result<Self> {
        self.reader().await?;
        Ok(self)
    }

    async fn reader(&mut self) -> headwater::Result<&mut ScanReader> {
        match &mut self.reader {
            Some(reader) => Ok(reader),
            none => Ok(none.insert(self.scan.reader().await?)),
        }
    }

    /// The next batch.
    pub(crate) async fn next(
        &mut self,
        functions: &Functions,
    ) -> headwater::Result<Option<headwater::Batch>> {
        let batch = self.reader().await?.next_batch().await?;
        if let Some(progress) = &self.progress {
            progress.report(functions).await?;
        }
        Ok(batch)
    }

    /// All batches.
    pub(crate) async fn collect(mut self, functions: &Functions) -> headwater::Result<ArrowViews> {
        let schema = self.reader().await?.schema();
        let mut batches = Vec::new();
        while let Some(batch) = self.next(functions).await? {
            batches.push(batch.records);
        }
        Ok(ArrowViews { schema, batches })
    }
}

/// The batches of one reading.
#[derive(Debug)]
pub(crate) struct ScanBatches {
    access: Access,
    topic: Arc<str>,
    reading: CoreValue<Arc<Exclusive<ScanRun>>>,
    progress: Option<Arc<Progress>>,
}

impl ScanBatches {
    pub(crate) fn new(access: Access, topic: Arc<str>, reading: ScanRun) -> Self {
        Self {
            access,
            topic,
            progress: reading.progress.clone(),
            reading: CoreValue::new(Exclusive::new(reading)),
        }
    }
}

impl Batches for ScanBatches {
    fn next<'py>(&self, py: Python<'py>) -> Answer<'py> {
        self.access.check()?;
        let reading = self.access.take(
            self.reading.get()?,
            "Another thread is reading this iterator: use a separate one for each thread, with iter(scan).",
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
            // The reading has the other reference. If there is a third one, a call is using the function.
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

/// A reading as an Arrow stream, for one consumer.
#[pyclass(frozen, module = "headwater._headwater", name = "_ScanStream")]
#[derive(Debug)]
pub(crate) struct Stream(Mutex<Option<StreamReader>>);

impl Stream {
    /// `reading` must have started.
    pub(crate) fn new(access: Access, reading: ScanRun) -> Self {
        Self(Mutex::new(StreamReader::new(access, reading)))
    }
}

#[pymethods]
impl Stream {
    #[pyo3(signature = (requested_schema=None))]
    pub(crate) fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let views = arrow::wants_views(requested_schema)?;
        let Some(reader) = self.0.lock().take() else {
            let message = "This stream has already been exported: read the scan again.";
            return Err(errors::invalid(message));
        };
        let reader: arrow::Reader = Box::new(reader);
        let reader = if views {
            reader
        } else {
            arrow::classic(reader)
        };
        arrow::export_stream(py, reader)
    }
}

/// Reads for the consumer of an Arrow stream, which calls it from any thread, with or without the GIL.
#[derive(Debug)]
struct StreamReader {
    access: Access,
    reading: CoreValue<ScanRun>,
    schema: SchemaRef,
    thread: ThreadId,
}

impl StreamReader {
    fn new(access: Access, reading: ScanRun) -> Option<Self> {
        let schema = reading.reader.as_ref()?.schema();
        Some(Self {
            access,
            reading: CoreValue::new(reading),
            schema,
            thread: std::thread::current().id(),
        })
    }

    /// The next batch in a thread that may acquire the GIL.
    fn next_attached(&mut self, py: Python<'_>) -> PyResult<Option<headwater::Batch>> {
        self.access.check()?;
        let reading = self.reading.get_mut()?;
        let next = |functions| async move { reading.next(&functions).await };
        runtime::call_with(py, self.access.runtime(), next)
    }

    /// The next batch in a thread that must not.
    fn next_detached(&mut self) -> Result<Option<headwater::Batch>, ArrowError> {
        let reading = self
            .reading
            .get_mut()
            .map_err(|_| ArrowError::ExternalError("the process was forked".into()))?;
        let Some(reader) = &mut reading.reader else {
            return Ok(None);
        };
        reader
            .next_batch_blocking()
            .map_err(|error| ArrowError::ExternalError(Box::new(error)))
    }
}

impl Iterator for StreamReader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Only the thread that exported the stream may acquire the GIL: another thread's consumer may wait for it while
        // it holds the GIL.
        let next = if self.thread == std::thread::current().id() {
            Python::attach(|py| {
                self.next_attached(py).map_err(|error| {
                    if error.is_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>(py) {
                        runtime::interrupt_again();
                    }
                    ArrowError::ExternalError(error.value(py).to_string().into())
                })
            })
        } else {
            self.next_detached()
        };
        next.map(|batch| batch.map(|batch| batch.records))
            .transpose()
    }
}

impl RecordBatchReader for StreamReader {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// Tables in memory for consumers of classic types.
#[pyclass(frozen, module = "headwater._headwater", name = "_Collected")]
pub(crate) struct CollectedTables(pub(crate) ArrowViews);

#[pymethods]
impl CollectedTables {
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
