//! Exchanges Arrow tables with other libraries through the PyCapsule interface, in both directions.
//!
//! Export: in the core keys and values are view arrays. Consumers get classic types (`binary`, `utf8`), because many
//! have no kernels for views, unless the schema that they request has a view type. Import: any object with
//! `__arrow_c_stream__` or `__arrow_c_array__`.
#![expect(
    unsafe_code,
    reason = "the Arrow C data interface consists of C structs"
)]

use std::ffi::CStr;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{Array, RecordBatch, RecordBatchIterator, RecordBatchReader, StructArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use headwater::columnar::{classic_schema, to_classic};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

use crate::convert::config::type_name;

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
const STREAM: &CStr = c"arrow_array_stream";

/// A sequence of tables.
pub(crate) type Reader = Box<dyn RecordBatchReader + Send>;

/// A schema as a capsule.
pub(crate) fn export_schema<'py>(
    py: Python<'py>,
    schema: &Schema,
) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(
        py,
        FFI_ArrowSchema::try_from(schema).map_err(|error| refused(&error))?,
        SCHEMA,
    )
}

/// A table as a pair of capsules, its schema and its columns.
pub(crate) fn export_batch(py: Python<'_>, batch: RecordBatch) -> PyResult<Bound<'_, PyTuple>> {
    let (array, schema) =
        to_ffi(&StructArray::from(batch).into_data()).map_err(|error| refused(&error))?;
    let schema = PyCapsule::new_with_value(py, schema, SCHEMA)?;
    PyTuple::new(py, [schema, PyCapsule::new_with_value(py, array, ARRAY)?])
}

/// Tables as a capsule. They are read when the consumer requests them.
pub(crate) fn export_stream(py: Python<'_>, reader: Reader) -> PyResult<Bound<'_, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), STREAM)
}

/// Tables in memory, as a capsule.
pub(crate) fn export_batches(
    py: Python<'_>,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    views: bool,
) -> PyResult<Bound<'_, PyCapsule>> {
    let reader: Reader = Box::new(RecordBatchIterator::new(
        batches.into_iter().map(Ok),
        schema,
    ));
    export_stream(py, if views { reader } else { classic(reader) })
}

/// The same tables with classic types.
pub(crate) fn classic(reader: Reader) -> Reader {
    let schema = classic_schema(&reader.schema());
    Box::new(RecordBatchIterator::new(
        reader.map(|batch| to_classic(&batch?)),
        schema,
    ))
}

/// Whether a consumer requests view types: whether its requested schema has one.
pub(crate) fn wants_views(requested: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
    let Some(capsule) = requested else {
        return Ok(false);
    };
    let pointer = capsule
        .cast::<PyCapsule>()?
        .pointer_checked(Some(SCHEMA))?
        .cast::<FFI_ArrowSchema>();
    // SAFETY: a capsule with this name contains an ArrowSchema. It is only read: the caller keeps it.
    let schema = Schema::try_from(unsafe { pointer.as_ref() }).map_err(|error| refused(&error))?;
    Ok(schema
        .fields()
        .iter()
        .any(|field| matches!(field.data_type(), DataType::BinaryView | DataType::Utf8View)))
}

/// The schema of an object that has one.
pub(crate) fn import_schema(source: &Bound<'_, PyAny>) -> PyResult<SchemaRef> {
    Schema::try_from(&take_schema(source)?)
        .map(Arc::new)
        .map_err(|error| refused(&error))
}

/// The type of an object that has one.
pub(crate) fn import_field(source: &Bound<'_, PyAny>) -> PyResult<Field> {
    Field::try_from(&take_schema(source)?).map_err(|error| refused(&error))
}

fn take_schema(source: &Bound<'_, PyAny>) -> PyResult<FFI_ArrowSchema> {
    let capsule = source.call_method0("__arrow_c_schema__")?;
    let pointer = capsule
        .cast::<PyCapsule>()?
        .pointer_checked(Some(SCHEMA))?
        .cast::<FFI_ArrowSchema>();
    // SAFETY: a capsule with this name contains an ArrowSchema, and the receiver of the capsule may move it out.
    Ok(unsafe { FFI_ArrowSchema::from_raw(pointer.as_ptr()) })
}

/// Whether tables can be read from this object.
pub(crate) fn is_table(source: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(source.hasattr("__arrow_c_stream__")? || source.hasattr("__arrow_c_array__")?)
}

/// Imports the tables of an object, without a copy.
pub(crate) fn import(source: &Bound<'_, PyAny>) -> PyResult<Reader> {
    if source.hasattr("__arrow_c_stream__")? {
        let capsule = source.call_method0("__arrow_c_stream__")?;
        let pointer = capsule
            .cast::<PyCapsule>()?
            .pointer_checked(Some(STREAM))?
            .cast::<FFI_ArrowArrayStream>();
        // SAFETY: a capsule with this name contains an ArrowArrayStream, and the receiver of the capsule may move it
        // out.
        let reader = unsafe { RecordBatchStreamReader::from_raw(pointer.as_ptr()) }
            .map_err(|error| refused(&error))?;
        return Ok(Box::new(reader));
    }
    let batch = import_array(source)?;
    let schema = batch.schema();
    Ok(Box::new(RecordBatchIterator::new([Ok(batch)], schema)))
}

fn import_array(source: &Bound<'_, PyAny>) -> PyResult<RecordBatch> {
    let pair = source.call_method0("__arrow_c_array__")?;
    let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) = pair.extract()?;
    let schema = schema
        .pointer_checked(Some(SCHEMA))?
        .cast::<FFI_ArrowSchema>();
    let array = array.pointer_checked(Some(ARRAY))?.cast::<FFI_ArrowArray>();
    // SAFETY: capsules with these names contain an ArrowSchema and an ArrowArray, which may be moved out and belong
    // together.
    let data = unsafe {
        from_ffi(
            FFI_ArrowArray::from_raw(array.as_ptr()),
            &FFI_ArrowSchema::from_raw(schema.as_ptr()),
        )
    };
    let data = data.map_err(|error| refused(&error))?;
    if !matches!(data.data_type(), DataType::Struct(_)) {
        return Err(PyTypeError::new_err(format!(
            "{} is a column, not a table: give it a name in a table",
            type_name(source)
        )));
    }
    if data.null_count() > 0 {
        return Err(PyValueError::new_err(
            "The rows of the table must not be null as a whole.",
        ));
    }
    Ok(RecordBatch::from(StructArray::from(data)))
}

fn refused(error: &ArrowError) -> PyErr {
    PyValueError::new_err(format!("The Arrow data cannot be imported: {error}."))
}

/// Tables whose binary and text columns are views, for a consumer that accepts them without a copy (Polars).
#[pyclass(frozen, module = "headwater._headwater", name = "_ArrowViews")]
pub(crate) struct ArrowViews {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
}

#[pymethods]
impl ArrowViews {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        export_batches(py, Arc::clone(&self.schema), self.batches.clone(), true)
    }
}

impl ArrowViews {
    /// Converts to a `polars.DataFrame`.
    pub(crate) fn into_polars(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        py.import("headwater._frames")?
            .call_method1("need", ("polars", "polars"))?
            .getattr("DataFrame")?
            .call1((Bound::new(py, self)?,))
    }
}
