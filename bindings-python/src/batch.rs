//! A table of records.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use headwater::columnar::{classic_schema, to_classic};
use headwater::{Event, Offset, TopicPartition};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyTuple};

use crate::arrow::{self, ArrowViews};
use crate::convert::format::Formats;
use crate::convert::partitions;
use crate::errors;
use crate::foreign_names;
use crate::message::{Message, Rows};
use crate::messages::Messages;
use crate::pickles::{self, ReduceResult};

/// Records as a table, ordered by partition and offset.
///
/// It implements the Arrow capsule interface: `pl.DataFrame(batch)`, `pa.table(batch)` and `duckdb.sql("from batch")`
/// work. Iterating it yields `Message`s, `batch[0]` is the first one, and `batch[10:20]` a batch of ten rows without a
/// copy. An empty batch is false.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client, client.producer() as producer:
/// ...     topic = client.create_topic("flights")
/// ...     _ = producer.send_batch("flights", [{"carrier": "UA", "delay": 12}, {"carrier": "AA", "delay": 0}])
/// ...     batch = topic.head()
/// >>> len(batch), bool(batch)
/// (2, True)
/// >>> [message.value for message in batch]
/// [b'{"carrier":"UA","delay":12}', b'{"carrier":"AA","delay":0}']
#[pyclass(frozen, weakref, module = "headwater")]
#[derive(Debug)]
pub(crate) struct Batch {
    rows: Arc<Rows>,
    next_offsets: BTreeMap<TopicPartition, Offset>,
    skipped: u64,
}

impl Batch {
    /// A batch of the core; `topic` is the topic if the table has no column of topics.
    pub(crate) fn new(batch: headwater::Batch, topic: Option<Arc<str>>) -> Self {
        let topic = topic.or_else(|| {
            batch
                .next_offsets
                .keys()
                .next()
                .map(|partition| Arc::clone(&partition.topic))
        });
        Self {
            rows: Rows::new(batch.records, batch.json.as_ref(), topic),
            next_offsets: batch.next_offsets,
            skipped: batch.skipped,
        }
    }

    /// The records of an event.
    pub(crate) fn of_event(event: Event) -> Self {
        match event {
            Event::Batch(batch) => Self::new(batch, None),
            Event::Rebalance(_) | Event::End | Event::Message | Event::Left => {
                unreachable!("a wait for records returns records")
            }
        }
    }

    /// These rows, and the positions after them.
    pub(crate) fn of_rows(rows: Arc<Rows>, next_offsets: BTreeMap<TopicPartition, Offset>) -> Self {
        Self {
            rows,
            next_offsets,
            skipped: 0,
        }
    }

    pub(crate) fn rows(&self) -> &Arc<Rows> {
        &self.rows
    }

    /// The position after the batch in each partition.
    pub(crate) fn positions(&self) -> &BTreeMap<TopicPartition, Offset> {
        &self.next_offsets
    }

    fn classic(&self, py: Python<'_>) -> PyResult<RecordBatch> {
        py.detach(|| to_classic(&self.rows.records))
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }
}

#[pymethods]
impl Batch {
    fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        Err(foreign_names::missing("Batch", slf.as_any(), name))
    }

    /// As a `polars.DataFrame`, without a copy.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = producer.send_batch(client.create_topic("t").name, [b"a", b"b"])
    /// ...     client["t"].head().to_polars()["value"].to_list()
    /// [b'a', b'b']
    fn to_polars<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        ArrowViews {
            schema: self.rows.records.schema(),
            batches: vec![self.rows.records.clone()],
        }
        .into_polars(py)
    }

    /// As a `pandas.DataFrame`; `dtype_backend` is pandas' own ("pyarrow", "numpy_nullable").
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = producer.send_batch(client.create_topic("t").name, [b"a", b"b"])
    /// ...     client["t"].head(value="string").to_pandas()["value"].tolist()
    /// ['a', 'b']
    #[pyo3(signature = (dtype_backend=None))]
    fn to_pandas<'py>(
        slf: &Bound<'py, Self>,
        dtype_backend: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import("headwater._frames")?
            .call_method1("to_pandas", (slf, dtype_backend))
    }

    /// As a `pyarrow.Table`.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = producer.send_batch(client.create_topic("t").name, [b"a", b"b"])
    /// ...     client["t"].head().to_arrow().num_rows
    /// 2
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import("headwater._frames")?
            .call_method1("to_arrow", (slf,))
    }

    /// The same records with keys and values decoded: see `Topic.scan` for the formats. The batch must have them as
    /// bytes.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = producer.send_batch(client.create_topic("t").name, [{"delay": 12}])
    /// ...     batch = client["t"].head()
    /// >>> [message.value for message in batch.decode(value="json", schema={"delay": "int64"})]
    /// [{'delay': 12}]
    #[pyo3(signature = (
        *, key="bytes", value="bytes", schema=None, unnest=false, unnest_prefix=None, rest=None, on_error="raise"
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn decode(
        &self,
        py: Python<'_>,
        key: &str,
        value: &str,
        schema: Option<&Bound<'_, PyAny>>,
        unnest: bool,
        unnest_prefix: Option<String>,
        rest: Option<String>,
        on_error: &str,
    ) -> PyResult<Self> {
        let options = Formats {
            key,
            value,
            schema,
            unnest,
            unnest_prefix,
            rest,
            on_error,
            columns: None,
        }
        .options()?;
        let topic = self.rows.topic_name(0).unwrap_or_else(|| "".into());
        let batch = headwater::Batch {
            records: self.rows.records.clone(),
            next_offsets: self.next_offsets.clone(),
            json: None,
            skipped: 0,
            new_fields: Vec::new(),
        };
        let decoded = py.detach(|| batch.decode(&topic, options));
        Ok(Self::new(decoded.map_err(errors::raise)?, Some(topic)))
    }

    /// The position after the batch, for each partition in it: pass it to `Consumer.seek` or `Topic.scan(start=...)`.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = producer.send_batch(client.create_topic("t").name, [b"a", b"b"])
    /// ...     client["t"].head().next_offsets
    /// {TopicPartition(topic='t', partition=0): 2}
    #[getter]
    fn next_offsets(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        partitions::with_offsets(py, self.next_offsets.clone())
    }

    /// The number of records that `on_error="skip"` has skipped since the previous batch. An unpickled batch has 0.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = producer.send_batch(client.create_topic("t").name, [b"1", b"no JSON", b"3"])
    /// ...     batch = client["t"].head(value="json", on_error="skip")
    /// >>> len(batch), batch.skipped
    /// (2, 1)
    #[getter]
    fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The names of the columns.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     client.create_topic("t").head().columns
    /// ['partition', 'offset', 'timestamp', 'key', 'value', 'headers']
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.rows
            .records
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let views = arrow::wants_views(requested_schema)?;
        arrow::export_batches(
            py,
            self.rows.records.schema(),
            vec![self.rows.records.clone()],
            views,
        )
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let batch = if arrow::wants_views(requested_schema)? {
            self.rows.records.clone()
        } else {
            self.classic(py)?
        };
        arrow::export_batch(py, batch)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        arrow::export_schema(py, &classic_schema(&self.rows.records.schema()))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<ReduceResult<'py>> {
        let stream = |table: &RecordBatch| pickles::to_stream(py, table);
        let arguments = (
            stream(&self.rows.records)?,
            self.rows.json.as_ref().map(stream).transpose()?,
            self.rows.one_topic(),
            self.next_offsets(py)?,
        );
        pickles::reduced(py, "_unpickle_batch", arguments)
    }

    fn __len__(&self) -> usize {
        self.rows.len()
    }

    fn __bool__(&self) -> bool {
        self.rows.len() > 0
    }

    fn __iter__(&self) -> BatchRows {
        BatchRows(Messages::new(Arc::clone(&self.rows)))
    }
}

/// Iterates the messages of a batch.
#[pyclass(module = "headwater._headwater", name = "_BatchRows")]
#[derive(Debug)]
pub(crate) struct BatchRows(Messages);

#[pymethods]
impl BatchRows {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Py<Message>>> {
        self.0.next(py)
    }
}
