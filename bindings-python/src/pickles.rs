//! Pickles objects of the package: as a function of the module and its arguments. Tables are pickled as an Arrow
//! stream.

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use headwater::columnar::compact;
use headwater::{Offset, PartitionId};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::batch::Batch;
use crate::convert::consuming;
use crate::message::{Message, Rows};
use crate::send_results::RecordMetadata;

/// The result of `__reduce__`.
pub(crate) type ReduceResult<'py> = (Bound<'py, PyAny>, Bound<'py, PyTuple>);

/// `function` of the module, which is called with `arguments` to recreate the object.
pub(crate) fn reduced<'py>(
    py: Python<'py>,
    function: &str,
    arguments: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
) -> PyResult<ReduceResult<'py>> {
    let function = py.import("headwater._headwater")?.getattr(function)?;
    Ok((function, arguments.into_pyobject(py)?))
}

/// A table as an Arrow stream, without fetched bytes of other tables.
pub(crate) fn to_stream<'py>(
    py: Python<'py>,
    records: &RecordBatch,
) -> PyResult<Bound<'py, PyBytes>> {
    let write = || -> Result<Vec<u8>, ArrowError> {
        let records = compact(records)?;
        let mut stream = StreamWriter::try_new(Vec::new(), records.schema_ref())?;
        stream.write(&records)?;
        stream.into_inner()
    };
    let bytes = py.detach(write).map_err(broken)?;
    Ok(PyBytes::new(py, &bytes))
}

fn from_stream(py: Python<'_>, bytes: &[u8]) -> PyResult<RecordBatch> {
    let read = || -> Result<RecordBatch, ArrowError> {
        let mut stream = StreamReader::try_new(Cursor::new(bytes), None)?;
        let missing = || ArrowError::IpcError("the stream has no table".to_owned());
        stream.next().ok_or_else(missing)?
    };
    py.detach(read).map_err(broken)
}

#[expect(clippy::needless_pass_by_value, reason = "it is mapped over results")]
fn broken(error: ArrowError) -> PyErr {
    PyValueError::new_err(format!("The pickled table cannot be read: {error}."))
}

/// Recreates a pickled `Batch`.
#[pyfunction]
pub(crate) fn _unpickle_batch(
    py: Python<'_>,
    stream: &[u8],
    json: Option<&[u8]>,
    topic: Option<&str>,
    next_offsets: &Bound<'_, PyAny>,
) -> PyResult<Batch> {
    let batch = headwater::Batch {
        records: from_stream(py, stream)?,
        next_offsets: consuming::offsets(Some(next_offsets))?.unwrap_or_default(),
        json: json.map(|json| from_stream(py, json)).transpose()?,
        skipped: 0,
        new_fields: Vec::new(),
    };
    Ok(Batch::new(batch, topic.map(Arc::from)))
}

/// Recreates a pickled `Message`.
#[pyfunction]
pub(crate) fn _unpickle_message(
    py: Python<'_>,
    stream: &[u8],
    json: Option<&[u8]>,
    topic: Option<&str>,
) -> PyResult<Message> {
    let json = json.map(|json| from_stream(py, json)).transpose()?;
    let rows = Rows::new(
        from_stream(py, stream)?,
        json.as_ref(),
        topic.map(Arc::from),
    );
    if rows.len() == 1 {
        Ok(Message::new(rows, 0))
    } else {
        Err(PyValueError::new_err(
            "The pickled message does not contain exactly one record.",
        ))
    }
}

/// Recreates a pickled `RecordMetadata`.
#[pyfunction]
pub(crate) fn _unpickle_record_metadata(
    topic: &str,
    partition: i32,
    offset: Option<i64>,
    timestamp_ms: i64,
) -> RecordMetadata {
    RecordMetadata(headwater::RecordMetadata {
        topic: topic.into(),
        partition: PartitionId::new(partition),
        offset: offset.map(Offset::new),
        timestamp_ms,
    })
}

/// Adds the functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(_unpickle_batch, module)?)?;
    module.add_function(wrap_pyfunction!(_unpickle_message, module)?)?;
    module.add_function(wrap_pyfunction!(_unpickle_record_metadata, module)?)
}
