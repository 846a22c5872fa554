//! One record. Its attributes are created from the columns of its batch on access.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, Int32Array, Int64Array, ListArray, RecordBatch,
    TimestampMillisecondArray,
};
use headwater::columnar::Column;
use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PySlice, PyString, PyTuple};

use crate::convert::cell::cell;
use crate::convert::time;
use crate::pickles::{self, ReduceResult};

/// A table of records with its columns, shared by a batch and all its messages.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) records: RecordBatch,
    /// The texts of JSON without a schema.
    pub(crate) json: Option<RecordBatch>,
    topic: Topic,
    partition: Option<Int32Array>,
    offset: Option<Int64Array>,
    timestamp: Option<TimestampMillisecondArray>,
    key: Cells,
    value: Cells,
    headers: Option<ListArray>,
}

#[derive(Debug)]
enum Topic {
    /// The records of one topic. The Python text is created once.
    One(Arc<str>, OnceLock<Py<PyString>>),
    Column(ArrayRef),
    Unknown,
}

#[derive(Debug)]
enum Cells {
    /// The column was not read.
    Missing,
    /// By far the most frequent kind.
    Bytes(BinaryViewArray),
    Any(ArrayRef),
    /// JSON without a schema, parsed by `json.loads`.
    Json(BinaryViewArray),
    /// The fields of the value, which are columns of the table.
    Fields(Vec<(String, ArrayRef)>),
}

impl Cells {
    /// The cells of a column with that name, or of the text from which it was parsed.
    fn of(records: &RecordBatch, json: Option<&RecordBatch>, name: Column) -> Self {
        let text = json.and_then(|json| json.column_by_name(name.name()));
        if let Some(text) = text.and_then(|text| text.as_binary_view_opt()) {
            return Self::Json(text.clone());
        }
        match records.column_by_name(name.name()) {
            Some(column) => match column.as_binary_view_opt() {
                Some(bytes) => Self::Bytes(bytes.clone()),
                None => Self::Any(Arc::clone(column)),
            },
            None if name == Column::Value => unnested(records),
            None => Self::Missing,
        }
    }

    fn get<'py>(&self, py: Python<'py>, row: usize, name: &str) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Bytes(bytes) if bytes.is_null(row) => Ok(py.None().into_bound(py)),
            Self::Bytes(bytes) => Ok(PyBytes::new(py, bytes.value(row)).into_any()),
            Self::Any(column) => cell(py, column.as_ref(), row),
            Self::Json(texts) if texts.is_null(row) => Ok(py.None().into_bound(py)),
            Self::Json(texts) => loads(py, texts.value(row)),
            Self::Fields(fields) => {
                let object = PyDict::new(py);
                for (name, column) in fields {
                    object.set_item(name, cell(py, column.as_ref(), row)?)?;
                }
                Ok(object.into_any())
            }
            Self::Missing => Err(missing(name)),
        }
    }
}

fn loads<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOADS
        .import(py, "json", "loads")?
        .call1((PyBytes::new(py, text),))
}

fn missing(name: &str) -> PyErr {
    PyAttributeError::new_err(format!(
        "The column `{name}` was not read: add it to columns=[...]."
    ))
}

impl Rows {
    /// `topic` is the topic if the table has no column of topics; `json` has the texts of JSON without a schema.
    pub(crate) fn new(
        records: RecordBatch,
        json: Option<&RecordBatch>,
        topic: Option<Arc<str>>,
    ) -> Arc<Self> {
        let column = |name: Column| records.column_by_name(name.name());
        let topic = match (column(Column::Topic), topic) {
            (Some(topics), _) => Topic::Column(Arc::clone(topics)),
            (None, Some(topic)) => Topic::One(topic, OnceLock::new()),
            (None, None) => Topic::Unknown,
        };
        Arc::new(Self {
            topic,
            partition: column(Column::Partition)
                .and_then(|c| c.as_primitive_opt::<Int32Type>().cloned()),
            offset: column(Column::Offset).and_then(|c| c.as_primitive_opt::<Int64Type>().cloned()),
            timestamp: column(Column::Timestamp)
                .and_then(|c| c.as_primitive_opt::<TimestampMillisecondType>().cloned()),
            key: Cells::of(&records, json, Column::Key),
            value: Cells::of(&records, json, Column::Value),
            json: json.cloned(),
            headers: column(Column::Headers).and_then(|c| c.as_list_opt::<i32>().cloned()),
            records,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.records.num_rows()
    }

    /// The topic of all rows, if the table has no column of topics.
    pub(crate) fn one_topic(&self) -> Option<&str> {
        match &self.topic {
            Topic::One(topic, _) => Some(topic),
            Topic::Column(_) | Topic::Unknown => None,
        }
    }

    /// The topic of a row.
    pub(crate) fn topic_name(&self, row: usize) -> Option<Arc<str>> {
        match &self.topic {
            Topic::One(topic, _) => Some(Arc::clone(topic)),
            Topic::Column(column) => {
                let topics = column.as_any_dictionary_opt()?;
                Some(
                    topics
                        .values()
                        .as_string_opt::<i32>()?
                        .value(*topics.normalized_keys().get(row)?)
                        .into(),
                )
            }
            Topic::Unknown => None,
        }
    }
}

fn unnested(records: &RecordBatch) -> Cells {
    let schema = records.schema();
    let fields = schema
        .fields()
        .iter()
        .zip(records.columns())
        .filter(|(field, _)| Column::from_name(field.name()).is_none());
    let fields: Vec<_> = fields
        .map(|(field, column)| (field.name().clone(), Arc::clone(column)))
        .collect();
    if fields.is_empty() {
        Cells::Missing
    } else {
        Cells::Fields(fields)
    }
}

/// One record of a topic. Its attributes cannot be changed.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client, client.producer() as producer:
/// ...     topic = client.create_topic("flights")
/// ...     _ = producer.send("flights", b"late", key=b"UA", timestamp=0, headers=[("gate", b"B7")]).result()
/// ...     message = next(iter(topic.head(1)))
/// >>> message.topic, message.partition, message.offset, message.key, message.value
/// ('flights', 0, 0, b'UA', b'late')
/// >>> message.timestamp.isoformat(), message.timestamp_ms, message.headers
/// ('1970-01-01T00:00:00+00:00', 0, [('gate', b'B7')])
#[pyclass(frozen, module = "headwater")]
#[derive(Debug)]
pub(crate) struct Message {
    rows: Arc<Rows>,
    /// Changed only by [`Messages`](crate::messages::Messages), which then has the only reference.
    row: AtomicU32,
}

impl Message {
    pub(crate) fn new(rows: Arc<Rows>, row: usize) -> Self {
        Self {
            rows,
            row: AtomicU32::new(row as u32),
        }
    }

    /// Changes the row of the message. The caller must have the only reference.
    pub(crate) fn move_to(&self, row: usize) {
        self.row.store(row as u32, Ordering::Relaxed);
    }

    fn row(&self) -> usize {
        self.row.load(Ordering::Relaxed) as usize
    }
}

#[pymethods]
impl Message {
    /// The topic's name.
    #[getter]
    fn topic<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.rows.topic {
            Topic::One(name, made) => Ok(made
                .get_or_init(|| PyString::new(py, name).unbind())
                .bind(py)
                .clone()
                .into_any()),
            Topic::Column(column) => cell(py, column.as_ref(), self.row()),
            Topic::Unknown => Err(missing("topic")),
        }
    }

    /// The partition's number.
    #[getter]
    fn partition(&self) -> PyResult<i32> {
        self.rows
            .partition
            .as_ref()
            .map(|column| column.value(self.row()))
            .ok_or_else(|| missing("partition"))
    }

    /// The offset in the partition.
    #[getter]
    fn offset(&self) -> PyResult<i64> {
        self.rows
            .offset
            .as_ref()
            .map(|column| column.value(self.row()))
            .ok_or_else(|| missing("offset"))
    }

    /// The timestamp of the record in milliseconds since 1970.
    #[getter]
    fn timestamp_ms(&self) -> PyResult<i64> {
        self.rows
            .timestamp
            .as_ref()
            .map(|column| column.value(self.row()))
            .ok_or_else(|| missing("timestamp"))
    }

    /// The timestamp of the record as a datetime in UTC.
    #[getter]
    fn timestamp<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        time::to_datetime(py, self.timestamp_ms()?)
    }

    /// The key: bytes, or decoded by its format.
    #[getter]
    fn key<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.rows.key.get(py, self.row(), "key")
    }

    /// The value: bytes, or decoded by its format; JSON without a schema by `json.loads`. NaN and Infinity are not JSON
    /// and are refused, and so are numbers beyond the largest float.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.rows.value.get(py, self.row(), "value")
    }

    /// The headers: pairs of a name and bytes, in order; names may repeat.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let column = self
            .rows
            .headers
            .as_ref()
            .ok_or_else(|| missing("headers"))?;
        let pairs = column.value(self.row());
        let pairs = pairs.as_struct();
        let pairs = (0..pairs.len()).map(|at| {
            let pair = pairs
                .columns()
                .iter()
                .map(|column| cell(py, column.as_ref(), at))
                .collect::<PyResult<Vec<_>>>()?;
            PyTuple::new(py, pair)
        });
        PyList::new(py, pairs.collect::<PyResult<Vec<_>>>()?)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<ReduceResult<'py>> {
        let stream = |table: &RecordBatch| pickles::to_stream(py, &table.slice(self.row(), 1));
        let arguments = (
            stream(&self.rows.records)?,
            self.rows.json.as_ref().map(stream).transpose()?,
            self.rows.one_topic(),
        );
        pickles::reduced(py, "_unpickle_message", arguments)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut parts = Vec::new();
        for name in [
            "topic",
            "partition",
            "offset",
            "timestamp_ms",
            "key",
            "value",
        ] {
            if let Ok(value) =
                Bound::new(py, Self::new(Arc::clone(&self.rows), self.row()))?.getattr(name)
            {
                parts.push(format!("{name}={}", bounded_repr(&value)?));
            }
        }
        Ok(format!("Message({})", parts.join(", ")))
    }
}

/// The maximum length of a key or value in the text of a message, in bytes or characters.
const SHOWN: usize = 80;

/// The `repr()` of a key or value. A long one is cut, and its whole size follows.
fn bounded_repr(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = value.py();
    if let Ok(bytes) = value.cast::<PyBytes>() {
        let bytes = bytes.as_bytes();
        let shown = PyBytes::new(py, &bytes[..bytes.len().min(SHOWN)]).repr()?;
        return Ok(with_size(&shown.to_string(), bytes.len(), "bytes"));
    }
    if let Ok(text) = value.cast::<PyString>() {
        let shown = text.get_item(PySlice::new(py, 0, SHOWN as isize, 1))?;
        let shown = shown.repr()?.to_string();
        return Ok(with_size(&shown, text.len()?, "characters"));
    }
    let whole = value.repr()?.to_string();
    let shown: String = whole.chars().take(SHOWN).collect();
    Ok(with_size(&shown, whole.chars().count(), "characters"))
}

/// Adds the size of the whole if it was cut.
fn with_size(shown: &str, size: usize, unit: &str) -> String {
    if size <= SHOWN {
        return shown.to_owned();
    }
    format!("{shown}... ({size} {unit})")
}
