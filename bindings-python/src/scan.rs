//! A range of a topic as a table.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use headwater::columnar::classic_schema;
use headwater::{Bounds, Offset, PartitionId};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3::{PyTraverseError, PyVisit};

use crate::arrow::{self, ArrowViews};
use crate::garbage::Collectable;
use crate::runtime::{self, Embedded, Owned};
use crate::scan_reader::{Collected, ScanIterator, Streamed, Told};
use crate::schema::Schema;

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
    inner: Owned<headwater::Scan>,
    progress: Collectable,
}

impl Scan {
    pub(crate) fn new(
        embedded: Arc<Embedded>,
        scan: headwater::Scan,
        progress: Option<Py<PyAny>>,
    ) -> Self {
        Self {
            embedded,
            inner: Owned::new(scan),
            progress: Collectable::new(progress),
        }
    }

    pub(crate) fn get(&self) -> PyResult<&headwater::Scan> {
        self.embedded.check()?;
        self.inner.get()
    }

    pub(crate) fn embedded(&self) -> &Arc<Embedded> {
        &self.embedded
    }

    pub(crate) fn topic(&self) -> PyResult<Arc<str>> {
        Ok(self.inner.get()?.topic().into())
    }

    /// The scan as it is read: the one that tells of its progress, where somebody wants to know.
    pub(crate) fn told(&self, py: Python<'_>) -> PyResult<(headwater::Scan, Option<Arc<Told>>)> {
        let scan = self.get()?;
        let Some(callable) = self.progress.get(py) else {
            return Ok((scan.clone(), None));
        };
        let told = Told::new(callable);
        let mut options = scan.options().clone();
        options.progress = Some(told.listener());
        Ok((scan.with_options(options), Some(told)))
    }

    /// Starts to read.
    fn start(&self, py: Python<'_>) -> PyResult<ScanIterator> {
        let (scan, progress) = self.told(py)?;
        let reader = runtime::call(py, self.embedded.runtime(), scan.reader())?;
        Ok(ScanIterator::new(
            Arc::clone(&self.embedded),
            self.topic()?,
            reader,
            progress,
        ))
    }

    /// All of it, in memory.
    fn collect(&self, py: Python<'_>) -> PyResult<ArrowViews> {
        let iterator = self.start(py)?;
        let schema = iterator.schema()?;
        let mut batches = Vec::new();
        while let Some(batch) = iterator.next(py)? {
            batches.push(batch.records);
        }
        Ok(ArrowViews { schema, batches })
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.progress.traverse(visit)
    }

    pub(crate) fn clear(&self) {
        self.progress.clear();
    }

    /// The same for another scan of the topic.
    fn of(&self, py: Python<'_>, scan: headwater::Scan) -> Self {
        Self::new(Arc::clone(&self.embedded), scan, self.progress.get(py))
    }

    pub(crate) fn schema_ref(&self, py: Python<'_>) -> PyResult<SchemaRef> {
        runtime::call(py, self.embedded.runtime(), self.get()?.schema())
    }
}

#[pymethods]
impl Scan {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.traverse(&visit)
    }

    fn __clear__(&self) {
        self.clear();
    }

    /// As a `polars.DataFrame`, without a copy of keys and values. `lazy=True` gives a `polars.LazyFrame` with the same results: filters on
    /// `offset`, `partition` and `timestamp`, the selected columns and row limits are pushed down to the log's indexes, and Polars does the
    /// rest. Its schema is fixed when it is made; its records are read when it is collected.
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

    /// The number of records, counted from batch headers. With `on_error="skip"` keys and values that have a format are decoded.
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
        let reader: arrow::Reader = Box::new(Streamed::new(self.start(py)?)?);
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

    /// The same scan with the types of JSON without a schema fixed as they are inferred now.
    fn _fixed(&self, py: Python<'_>) -> PyResult<Self> {
        let scan = self.get()?.with_fixed_schema();
        let scan = runtime::call(py, self.embedded.runtime(), scan)?;
        Ok(self.of(py, scan))
    }

    /// The same scan, narrowed to what a query needs; `columns` are names of its schema. `None` leaves a bound as it is.
    #[pyo3(
        signature = (*, columns=None, partitions=None, offsets=(None, None), timestamps=(None, None), limit=None),
        text_signature = "($self, *, columns=None, partitions=None, offsets=(None, None), timestamps=(None, None), limit=None)"
    )]
    fn _narrow(
        &self,
        py: Python<'_>,
        columns: Option<Vec<String>>,
        partitions: Option<Vec<i32>>,
        offsets: (Option<i64>, Option<i64>),
        timestamps: (Option<i64>, Option<i64>),
        limit: Option<u64>,
    ) -> PyResult<Self> {
        let narrowed = self.get()?.narrow(Bounds {
            columns,
            partitions: partitions.map(|within| within.into_iter().map(PartitionId::new).collect()),
            offset_from: offsets.0.map(Offset::new),
            offset_until: offsets.1.map(Offset::new),
            timestamp_from_ms: timestamps.0,
            timestamp_until_ms: timestamps.1,
            limit,
        });
        Ok(self.of(py, narrowed))
    }

    pub(crate) fn __repr__(&self) -> PyResult<String> {
        let scan = self.inner.get()?;
        Ok(format!(
            "Scan('{}', {} to {})",
            scan.topic(),
            scan.options().start,
            scan.options().end
        ))
    }
}
