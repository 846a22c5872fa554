//! A range of a topic as a table.

use std::sync::Arc;
use std::thread::ThreadId;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use headwater::columnar::{Projection, classic_schema};
use headwater::{Offset, PartitionId, Position, ScanProgress, ScanReader};
use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::arrow::{self, ArrowViews};
use crate::batch::Batch;
use crate::callbacks;
use crate::convert::format::sentence;
use crate::errors;
use crate::runtime::{self, Embedded, Owned};

/// A range of a topic, read when it is used, any number of times; each reading fixes its own end when it starts.
///
/// Iterating it yields `Batch`es. It implements the Arrow capsule interface: `pa.table(scan)` and `duckdb.sql("from scan")` work and
/// hold only a part of it in memory at a time.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client, client.producer() as producer:
/// ...     topic = client.create_topic("flights")
/// ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
/// ...     scan = topic.scan()
/// ...     scan.count(), [len(batch) for batch in scan], scan.to_polars()["value"].to_list()
/// (3, [3], [b'a', b'b', b'c'])
#[pyclass(frozen, weakref, module = "headwater")]
#[derive(Debug)]
pub(crate) struct Scan {
    embedded: Arc<Embedded>,
    scan: Owned<headwater::Scan>,
    progress: Option<Py<PyAny>>,
}

impl Scan {
    pub(crate) fn new(
        embedded: Arc<Embedded>,
        scan: headwater::Scan,
        progress: Option<Py<PyAny>>,
    ) -> Self {
        Self {
            embedded,
            scan: Owned::new(scan),
            progress,
        }
    }

    pub(crate) fn get(&self) -> PyResult<&headwater::Scan> {
        self.embedded.check()?;
        self.scan.get()
    }

    pub(crate) fn embedded(&self) -> &Arc<Embedded> {
        &self.embedded
    }

    pub(crate) fn topic(&self) -> PyResult<Arc<str>> {
        Ok(self.scan.get()?.topic().name().into())
    }

    /// The scan as it is read: the one that tells of its progress, where somebody wants to know.
    pub(crate) fn told(&self, py: Python<'_>) -> PyResult<(headwater::Scan, Option<Arc<Told>>)> {
        let scan = self.get()?;
        let Some(callable) = &self.progress else {
            return Ok((scan.clone(), None));
        };
        let told = Arc::new(Told {
            callable: callable.clone_ref(py),
            latest: Arc::default(),
        });
        let mut options = scan.options().clone();
        let latest = Arc::clone(&told.latest);
        options.progress = Some(Arc::new(move |progress| *latest.lock() = Some(progress)));
        Ok((scan.topic().scan(options), Some(told)))
    }

    /// Starts to read.
    fn start(&self, py: Python<'_>) -> PyResult<ScanIterator> {
        let (scan, progress) = self.told(py)?;
        let reader = runtime::call(py, self.embedded.runtime(), scan.reader())?;
        Ok(ScanIterator {
            embedded: Arc::clone(&self.embedded),
            topic: self.topic()?,
            reader: Mutex::new(Owned::new(reader)),
            progress,
        })
    }

    /// All of it, in memory.
    fn collect(&self, py: Python<'_>) -> PyResult<ArrowViews> {
        let iterator = self.start(py)?;
        let schema = iterator.reader.lock().get()?.schema();
        let mut batches = Vec::new();
        while let Some(batch) = iterator.next(py)? {
            batches.push(batch.records);
        }
        Ok(ArrowViews { schema, batches })
    }

    pub(crate) fn schema_ref(&self, py: Python<'_>) -> PyResult<SchemaRef> {
        runtime::call(py, self.embedded.runtime(), self.get()?.schema())
    }
}

#[pymethods]
impl Scan {
    /// As a `polars.DataFrame`, without a copy of keys and values; `lazy=True` gives a `polars.LazyFrame` that hands filters on
    /// `offset`, `partition` and `timestamp`, the columns and the number of rows down to the log's indexes.
    ///
    /// >>> import headwater as hw, polars as pl
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
    /// ...     topic.scan().to_polars(lazy=True).filter(pl.col("offset") >= 1).select("value").collect().rows()
    /// [(b'b',), (b'c',)]
    #[pyo3(signature = (lazy=false))]
    fn to_polars<'py>(slf: &Bound<'py, Self>, lazy: bool) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if lazy {
            return py
                .import("headwater._lazy")?
                .call_method1("lazy_frame", (slf,));
        }
        slf.get().collect(py)?.into_polars(py)
    }

    /// As a `pandas.DataFrame`; `dtype_backend` is pandas' own ("pyarrow", "numpy_nullable"). Bytes become objects, which is slow: ask for
    /// `value="string"` or a schema.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     topic.scan(value="string").to_pandas()["value"].tolist()
    /// ['a', 'b']
    #[pyo3(signature = (dtype_backend=None))]
    fn to_pandas<'py>(
        slf: &Bound<'py, Self>,
        dtype_backend: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let tables = Bound::new(py, Collected(slf.get().collect(py)?))?;
        py.import("headwater._frames")?
            .call_method1("to_pandas", (tables, dtype_backend))
    }

    /// As a `pyarrow.Table`.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     topic.scan().to_arrow()["value"].to_pylist()
    /// [b'a', b'b']
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let tables = Bound::new(py, Collected(slf.get().collect(py)?))?;
        py.import("headwater._frames")?
            .call_method1("to_arrow", (tables,))
    }

    /// As a `pyarrow.RecordBatchReader`, which holds only a part in memory at a time.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     sum(batch.num_rows for batch in topic.scan().to_reader())
    /// 2
    fn to_reader<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import("headwater._frames")?
            .call_method1("to_reader", (slf,))
    }

    /// How many records it has.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     topic.scan(start=1).count()
    /// 1
    fn count(&self, py: Python<'_>) -> PyResult<u64> {
        runtime::call(py, self.embedded.runtime(), self.get()?.count())
    }

    /// What reading it will do, as text.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     "flights" in client.create_topic("flights").scan().explain()
    /// True
    fn explain(&self, py: Python<'_>) -> PyResult<String> {
        runtime::call(py, self.embedded.runtime(), self.get()?.explain())
    }

    /// The names and types of the columns: a `polars.Schema`, a `pyarrow.schema` or a DataFrame can be made of it. JSON without a schema
    /// is inferred from the first records.
    ///
    /// >>> import headwater as hw, pyarrow as pa
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [{"delay": 12}])
    /// ...     pa.schema(topic.scan(value="json", columns=["offset", "value"]).schema).field("value").type
    /// StructType(struct<delay: int64>)
    #[getter]
    fn schema(&self, py: Python<'_>) -> PyResult<Schema> {
        Ok(Schema(classic_schema(&self.schema_ref(py)?)))
    }

    pub(crate) fn __arrow_c_schema__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        arrow::export_schema(py, &classic_schema(&self.schema_ref(py)?))
    }

    #[pyo3(signature = (requested_schema=None))]
    pub(crate) fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let views = arrow::wants_views(requested_schema)?;
        let iterator = self.start(py)?;
        let schema = iterator.reader.lock().get()?.schema();
        let reader = Box::new(Streamed {
            iterator,
            schema,
            thread: std::thread::current().id(),
        });
        arrow::export_stream(
            py,
            if views {
                reader
            } else {
                arrow::classic(reader)
            },
        )
    }

    fn __iter__(&self, py: Python<'_>) -> PyResult<ScanIterator> {
        self.start(py)
    }

    /// The same scan, narrowed to what a query needs. `None` leaves a bound as it is.
    #[pyo3(signature = (*, columns=None, partitions=None, offsets=(None, None), timestamps=(None, None), limit=None))]
    fn _narrow(
        &self,
        py: Python<'_>,
        columns: Option<Vec<String>>,
        partitions: Option<Vec<i32>>,
        offsets: (Option<i64>, Option<i64>),
        timestamps: (Option<i64>, Option<i64>),
        limit: Option<u64>,
    ) -> PyResult<Self> {
        let scan = self.get()?;
        let mut options = scan.options().clone();
        if let Some(columns) = columns {
            options.decode.columns = Projection::from_names(&columns, options.decode.unnest)
                .map_err(|error| sentence(&error))?;
        }
        if let Some(wanted) = partitions {
            let wanted: Vec<_> = wanted.into_iter().map(PartitionId::new).collect();
            options.partitions = Some(match options.partitions {
                Some(given) => given
                    .into_iter()
                    .filter(|partition| wanted.contains(partition))
                    .collect(),
                None => wanted,
            });
        }
        if offsets != (None, None) {
            let range = async {
                tokio::try_join!(
                    scan.topic().offsets(&options.start),
                    scan.topic().offsets(&options.end)
                )
            };
            let (mut starts, mut ends) = runtime::call(py, self.embedded.runtime(), range)?;
            for (partition, start) in &mut starts {
                *start = (*start).max(Offset::new(offsets.0.unwrap_or(0)));
                if let Some(end) = ends.get_mut(partition) {
                    *end = (*end)
                        .min(Offset::new(offsets.1.unwrap_or(i64::MAX)))
                        .max(*start);
                }
            }
            options.start = Position::PerPartition(starts);
            options.end = Position::PerPartition(ends);
        }
        options.timestamp_from_ms = options.timestamp_from_ms.max(timestamps.0);
        options.timestamp_until_ms = match (options.timestamp_until_ms, timestamps.1) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        options.limit = match (options.limit, limit) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let progress = self
            .progress
            .as_ref()
            .map(|progress| progress.clone_ref(py));
        Ok(Self::new(
            Arc::clone(&self.embedded),
            scan.topic().scan(options),
            progress,
        ))
    }

    pub(crate) fn __repr__(&self) -> PyResult<String> {
        let scan = self.scan.get()?;
        Ok(format!(
            "Scan('{}', {} to {})",
            scan.topic().name(),
            scan.options().start,
            scan.options().end
        ))
    }
}

/// Who is told of progress, and how far the reading is.
#[derive(Debug)]
pub(crate) struct Told {
    callable: Py<PyAny>,
    latest: Arc<Mutex<Option<ScanProgress>>>,
}

impl Told {
    /// Tells, if there is news.
    fn tell(&self, py: Python<'_>) -> PyResult<()> {
        let news = self.latest.lock().take();
        match news {
            Some(progress) => self
                .callable
                .call1(py, (progress.offsets_done, progress.offsets_total))
                .map(drop),
            None => Ok(()),
        }
    }

    /// [`Told::tell`] from a thread that runs no Python code.
    pub(crate) fn tell_later(self: &Arc<Self>) {
        let told = Arc::clone(self);
        callbacks::run(Box::new(move |py| {
            if let Err(error) = told.tell(py) {
                error.write_unraisable(py, Some(told.callable.bind(py)));
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
    fn next(&self, py: Python<'_>) -> PyResult<Option<headwater::Batch>> {
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
}

#[pymethods]
impl ScanIterator {
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
struct Streamed {
    iterator: ScanIterator,
    schema: SchemaRef,
    thread: ThreadId,
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

impl ScanIterator {
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

/// The names and types of a table's columns, for anything that takes an Arrow schema.
///
/// >>> import headwater as hw, pyarrow as pa
/// >>> with hw.open() as client:
/// ...     pa.schema(client.create_topic("t").scan(columns=["offset"]).schema).names
/// ['offset']
#[pyclass(frozen, module = "headwater")]
#[derive(Debug)]
pub(crate) struct Schema(pub(crate) SchemaRef);

#[pymethods]
impl Schema {
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        arrow::export_schema(py, &self.0)
    }

    /// The names of the columns.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.0
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }

    fn __repr__(&self) -> String {
        let fields = self
            .0
            .fields()
            .iter()
            .map(|field| format!("{}: {}", field.name(), field.data_type()));
        format!("Schema({})", fields.collect::<Vec<_>>().join(", "))
    }
}
