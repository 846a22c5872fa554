//! A range of a topic as a table.

use headwater::columnar::classic_schema;
use headwater::{Bounds, Format, Offset, PartitionId};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3::{PyTraverseError, PyVisit};

use crate::arrow::{self, ArrowViews};
use crate::face::{Access, Answer, Convert, Face, faces};
use crate::foreign_names;
use crate::garbage::Collectable;
use crate::iterators::iterator;
use crate::runtime::{self, CoreValue};
use crate::scan_reading::{CollectedTables, Progress, ScanBatches, ScanRun, Stream};
use crate::schema::Schema;
use crate::texts;

/// The methods of scans of both faces.
#[pyclass(frozen, subclass, weakref, module = "headwater._headwater")]
#[derive(Debug)]
pub(crate) struct Scan {
    access: Access,
    inner: CoreValue<headwater::Scan>,
    progress: Collectable,
}

/// A range of a topic, which is read on use, any number of times; each reading fixes its own end when it starts.
///
/// Iterating it yields `Batch`es. It implements the Arrow capsule interface: `pa.table(scan)` and `duckdb.sql("from
/// scan")` work and keep only a part of it in memory at a time.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client, client.producer() as producer:
/// ...     topic = client.create_topic("flights")
/// ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
/// ...     scan = topic.scan()
/// ...     scan.count(), [len(batch) for batch in scan], scan.to_polars()["value"].to_list()
/// (3, [3], [b'a', b'b', b'c'])
#[pyclass(frozen, extends = Scan, module = "headwater", name = "Scan")]
#[derive(Debug)]
pub(crate) struct BlockingScan;

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
#[pyclass(frozen, extends = Scan, module = "headwater.aio", name = "Scan")]
#[derive(Debug)]
pub(crate) struct AsyncioScan;

faces!(Scan: BlockingScan, AsyncioScan);

impl Scan {
    pub(crate) fn new(access: Access, scan: headwater::Scan, progress: Option<Py<PyAny>>) -> Self {
        Self {
            access,
            inner: CoreValue::new(scan),
            progress: Collectable::new(progress),
        }
    }

    fn get(&self) -> PyResult<headwater::Scan> {
        self.access.check()?;
        self.inner.get().cloned()
    }

    /// A new reading of it, which has not started.
    fn reading(&self, py: Python<'_>) -> PyResult<ScanRun> {
        let progress = self.progress.get(py).map(Progress::new);
        Ok(ScanRun::new(self.get()?, progress))
    }

    /// The batches of one reading.
    fn iterate<'py>(&self, py: Python<'py>, reading: ScanRun) -> Answer<'py> {
        let topic = self.inner.get()?.topic().into();
        let batches = ScanBatches::new(self.access.clone(), topic, reading);
        iterator(py, self.access.face(), batches)
    }

    /// Reads all of it into memory.
    fn collect<'py>(
        &self,
        py: Python<'py>,
        convert: impl Convert<ArrowViews, Py<PyAny>>,
    ) -> Answer<'py> {
        let reading = self.reading(py)?;
        let collect = |functions| async move { reading.collect(&functions).await };
        self.access.transfer_with(py, collect, convert)
    }

    /// A lazy frame of Polars, which reads it without asyncio.
    fn lazy<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let scan = self.get()?;
        let work = async move {
            let fixed = scan.with_fixed_schema().await?;
            let mut none = fixed.options().clone();
            none.limit = Some(0);
            let schema = fixed.with_options(none).reader().await?.schema();
            Ok((fixed, schema))
        };
        let access = self.access.with_face(Face::Blocking);
        let progress = self.progress.get(py);
        self.access.transfer(py, work, |py, (fixed, schema)| {
            let batches = Vec::new();
            let empty = ArrowViews { schema, batches };
            let scan = Self::new(access, fixed, progress).into_object(py)?;
            py.import("headwater._lazy")?
                .call_method1("lazy_frame", (scan, empty))
                .map(Bound::unbind)
        })
    }

    pub(crate) fn export_schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let scan = self.get()?;
        let schema = runtime::call(py, self.access.runtime(), scan.schema())?;
        arrow::export_schema(py, &classic_schema(&schema))
    }

    pub(crate) fn export_stream<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let opened = self.reading(py)?.opened();
        let reading = runtime::call(py, self.access.runtime(), opened)?;
        Stream::new(self.access.clone(), reading).__arrow_c_stream__(py, requested_schema)
    }
}

#[pymethods]
impl Scan {
    fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        Err(foreign_names::missing("Scan", slf.as_any(), name))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.progress.traverse(&visit)
    }

    fn __clear__(&self) {
        self.progress.clear();
    }

    /// Convert to a `polars.DataFrame`, without a copy of keys and values. `lazy=True` returns a `polars.LazyFrame`
    /// with the same results: filters on `offset`, `partition` and `timestamp`, the selected columns and row limits are
    /// pushed down to the log's indexes, and Polars does the rest. Its schema is fixed when it is created; its records
    /// are read when it is collected.
    ///
    /// >>> import headwater as hw, polars as pl
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
    /// ...     topic.scan().to_polars(lazy=True).filter(pl.col("offset") >= 1).select("value").collect().rows()
    /// [(b'b',), (b'c',)]
    #[pyo3(signature = (lazy=false))]
    fn to_polars<'py>(&self, py: Python<'py>, lazy: bool) -> Answer<'py> {
        if lazy {
            return self.lazy(py);
        }
        self.collect(py, |py, tables| Ok(tables.into_polars(py)?.unbind()))
    }

    /// Convert to a `pandas.DataFrame`; `dtype_backend` is pandas' own ("pyarrow", "numpy_nullable"). Bytes become
    /// objects, which is slow: use `value="string"` or a schema.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     topic.scan(value="string").to_pandas()["value"].tolist()
    /// ['a', 'b']
    #[pyo3(signature = (dtype_backend=None))]
    fn to_pandas<'py>(&self, py: Python<'py>, dtype_backend: Option<String>) -> Answer<'py> {
        self.collect(py, |py, tables| {
            py.import("headwater._frames")?
                .call_method1("to_pandas", (CollectedTables(tables), dtype_backend))
                .map(Bound::unbind)
        })
    }

    /// As a `pyarrow.Table`.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     topic.scan().to_arrow()["value"].to_pylist()
    /// [b'a', b'b']
    fn to_arrow<'py>(&self, py: Python<'py>) -> Answer<'py> {
        self.collect(py, |py, tables| {
            py.import("headwater._frames")?
                .call_method1("to_arrow", (CollectedTables(tables),))
                .map(Bound::unbind)
        })
    }

    /// A `pyarrow.RecordBatchReader`, which keeps only a part in memory at a time.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     sum(batch.num_rows for batch in topic.scan().to_reader())
    /// 2
    fn to_reader<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let opened = self.reading(py)?.opened();
        let access = self.access.clone();
        self.access.transfer(py, opened, |py, reading| {
            py.import("headwater._frames")?
                .call_method1("to_reader", (Stream::new(access, reading),))
                .map(Bound::unbind)
        })
    }

    /// The number of records, counted from batch headers. With `on_error="skip"` keys and values that have a format are
    /// decoded.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     topic.scan(start=1).count()
    /// 1
    fn count<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let scan = self.get()?;
        let work = async move { scan.count().await };
        self.access.transfer(py, work, |_, count| Ok(count))
    }

    /// Describe how it will be read, as text.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     "flights" in client.create_topic("flights").scan().explain()
    /// True
    fn explain<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let scan = self.get()?;
        let work = async move { scan.explain().await };
        self.access.transfer(py, work, |_, text| Ok(text))
    }

    /// The names and types of the columns: convert it to a `polars.Schema`, a `pyarrow.schema` or a DataFrame. JSON
    /// without a schema is inferred from the first records.
    ///
    /// >>> import headwater as hw, pyarrow as pa
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [{"delay": 12}])
    /// ...     pa.schema(topic.scan(value="json", columns=["offset", "value"]).schema).field("value").type
    /// StructType(struct<delay: int64>)
    #[getter]
    fn schema<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let scan = self.get()?;
        let work = async move { scan.schema().await };
        self.access
            .transfer(py, work, |_, schema| Ok(Schema(classic_schema(&schema))))
    }

    /// The number of records that `on_error="skip"` has skipped since a reading of the scan last started.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = producer.send_batch(client.create_topic("t").name, [b"1", b"no JSON", b"3"])
    /// ...     scan = client["t"].scan(value="json", on_error="skip")
    /// ...     scan.to_polars().height, scan.skipped
    /// (2, 1)
    #[getter]
    fn skipped(&self) -> PyResult<u64> {
        Ok(self.inner.get()?.skipped())
    }

    /// The topic, the range, and what differs from the defaults.
    fn __repr__(&self) -> String {
        let face = self.access.face();
        let Some(scan) = self.inner.if_ours() else {
            return texts::object(face, "Scan", ["opened before a fork".to_owned()]);
        };
        let options = scan.options();
        let mut properties = vec![
            texts::quoted(scan.topic()),
            format!("{} to {}", options.start, options.end),
        ];
        if let Some(partitions) = &options.partitions {
            properties.push(texts::count(partitions.len(), "partition"));
        }
        let formats = [
            ("key", &options.decode.key),
            ("value", &options.decode.value),
        ];
        let formats = formats.map(|(name, format)| Some((name, format_name(format)?)));
        for (name, format) in formats.into_iter().flatten() {
            properties.push(format!("{name}='{format}'"));
        }
        if let Some(limit) = options.limit {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let limit = texts::count(limit, "record");
            properties.push(format!("at most {limit}"));
        }
        texts::object(face, "Scan", properties)
    }
}

#[pymethods]
impl AsyncioScan {
    fn __aiter__<'py>(slf: &Bound<'py, Self>) -> Answer<'py> {
        let (py, this) = (slf.py(), slf.as_super().get());
        this.iterate(py, this.reading(py)?)
    }
}

#[pymethods]
impl BlockingScan {
    fn __iter__<'py>(slf: &Bound<'py, Self>) -> Answer<'py> {
        let (py, this) = (slf.py(), slf.as_super().get());
        let opened = this.reading(py)?.opened();
        this.iterate(py, runtime::call(py, this.access.runtime(), opened)?)
    }

    fn __arrow_c_schema__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyCapsule>> {
        slf.as_super().get().export_schema(slf.py())
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        slf: &Bound<'py, Self>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let this = slf.as_super().get();
        this.export_stream(slf.py(), requested_schema)
    }

    /// The same scan with the columns and bounds of a query; `columns` are names of its schema. `None` does not change
    /// a bound.
    #[pyo3(
        signature = (*, columns=None, partitions=None, offsets=(None, None), timestamps=(None, None), limit=None),
        text_signature = "($self, *, columns=None, partitions=None, offsets=(None, None), timestamps=(None, None), limit=None)"
    )]
    fn _narrow(
        slf: &Bound<'_, Self>,
        columns: Option<Vec<String>>,
        partitions: Option<Vec<i32>>,
        offsets: (Option<i64>, Option<i64>),
        timestamps: (Option<i64>, Option<i64>),
        limit: Option<u64>,
    ) -> PyResult<Py<PyAny>> {
        let this = slf.as_super().get();
        let narrowed = this.get()?.narrow(Bounds {
            columns,
            partitions: partitions.map(|within| within.into_iter().map(PartitionId::new).collect()),
            offset_from: offsets.0.map(Offset::new),
            offset_until: offsets.1.map(Offset::new),
            timestamp_from_ms: timestamps.0,
            timestamp_until_ms: timestamps.1,
            limit,
        });
        let progress = this.progress.get(slf.py());
        Scan::new(this.access.clone(), narrowed, progress).into_object(slf.py())
    }
}

/// The name of a format other than the default.
fn format_name(format: &Format) -> Option<&'static str> {
    match format {
        Format::Bytes => None,
        Format::String => Some("string"),
        Format::Json(_) | Format::InferredJson(_) => Some("json"),
    }
}
