//! The decoding of keys and values: `key=`, `value=`, `schema=`, `unnest=`, `unnest_prefix=`, `rest=`, `on_error=`,
//! `columns=` and `infer_records=`.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use headwater::columnar::{Infer, fields_without_views};
use headwater::{DecodeOptions, Format, Projection};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyType};

use crate::arrow;
use crate::convert::config::type_name;
use crate::errors;

/// The arguments of a decoding call.
pub(crate) struct Formats<'a, 'py> {
    pub(crate) key: &'a str,
    pub(crate) value: &'a str,
    pub(crate) schema: Option<&'a Bound<'py, PyAny>>,
    pub(crate) unnest: bool,
    pub(crate) unnest_prefix: Option<String>,
    pub(crate) rest: Option<String>,
    pub(crate) on_error: &'a str,
    pub(crate) columns: Option<Vec<String>>,
}

impl Formats<'_, '_> {
    /// As options of the core.
    pub(crate) fn options(self) -> PyResult<DecodeOptions> {
        let key = self.key.parse().map_err(|error| sentence(&error))?;
        let value = self.value.parse().map_err(|error| sentence(&error))?;
        let value = match (value, self.schema) {
            (Format::Json(None), Some(given)) => Format::Json(Some(schema_of(given)?)),
            (_, Some(_)) => {
                return Err(errors::invalid(
                    "A schema needs a format that has fields: pass value=\"json\" with it.",
                ));
            }
            (format, None) => format,
        };
        let columns = match self.columns {
            Some(names) => {
                Projection::from_names(&names, self.unnest).map_err(|error| sentence(&error))?
            }
            None => Projection::default(),
        };
        let on_error = self.on_error.parse().map_err(|error| sentence(&error))?;
        let defaults = DecodeOptions::default();
        if self.unnest_prefix.is_some() && !self.unnest {
            return Err(errors::invalid(
                "unnest_prefix has no effect without unnest=True: pass both, or leave it out.",
            ));
        }
        Ok(DecodeOptions {
            columns,
            key,
            value,
            unnest: self.unnest,
            unnest_prefix: self
                .unnest_prefix
                .unwrap_or_else(|| defaults.unnest_prefix.clone()),
            rest: self.rest,
            on_error,
            ..defaults
        })
    }
}

/// The sample from which a scan infers the types of JSON without a schema.
pub(crate) fn infer(options: &DecodeOptions, records: Option<i64>) -> PyResult<Infer> {
    let Some(records) = records else {
        return Ok(options.infer);
    };
    if ![&options.key, &options.value].contains(&&Format::Json(None)) {
        return Err(errors::invalid(
            "infer_records has no effect without JSON whose types are inferred: pass value=\"json\" without a schema, or leave it out.",
        ));
    }
    match usize::try_from(records) {
        Ok(records) if records > 0 => Ok(Infer::First(records)),
        _ => Err(errors::invalid(&format!(
            "infer_records is {records}: use at least 1."
        ))),
    }
}

/// An error of the Arrow codec as an error of an argument.
pub(crate) fn sentence(error: &impl std::fmt::Display) -> PyErr {
    errors::invalid(&headwater::sentence(error))
}

/// A schema: an object with an Arrow schema capsule, or a dictionary of names and dtypes.
fn schema_of(value: &Bound<'_, PyAny>) -> PyResult<SchemaRef> {
    if module_of(value)?.starts_with("polars.") {
        return polars_schema(value);
    }
    if value.hasattr("__arrow_c_schema__")? {
        return arrow::import_schema(value);
    }
    match value.cast::<PyDict>() {
        Ok(fields) => Ok(Arc::new(Schema::new(struct_fields(fields)?))),
        Err(_) => Err(PyTypeError::new_err(format!(
            "schema must be an Arrow schema or a dict of names and dtypes, not {}",
            type_name(value)
        ))),
    }
}

fn struct_fields(fields: &Bound<'_, PyDict>) -> PyResult<Vec<Field>> {
    fields
        .iter()
        .map(|(name, dtype)| {
            let Ok(name) = name.cast::<PyString>() else {
                return Err(PyTypeError::new_err(format!(
                    "a field's name must be a str, not {}",
                    type_name(&name)
                )));
            };
            Ok(Field::new(name.to_str()?, data_type(&dtype)?, true))
        })
        .collect()
}

/// A dtype: text, a nested dictionary, a list of one dtype, a Python type, or a type of Polars or PyArrow.
fn data_type(dtype: &Bound<'_, PyAny>) -> PyResult<DataType> {
    if let Ok(text) = dtype.cast::<PyString>() {
        return headwater::columnar::parse_dtype(text.to_str()?).map_err(|error| sentence(&error));
    }
    if let Ok(fields) = dtype.cast::<PyDict>() {
        return Ok(DataType::Struct(struct_fields(fields)?.into()));
    }
    if let Ok(items) = dtype.cast::<pyo3::types::PyList>()
        && items.len() == 1
    {
        return Ok(DataType::List(Arc::new(Field::new(
            "item",
            data_type(&items.get_item(0)?)?,
            true,
        ))));
    }
    if let Some(name) = dtype.cast::<PyType>().ok().and_then(builtin) {
        return headwater::columnar::parse_dtype(name).map_err(|error| sentence(&error));
    }
    if module_of(dtype)?.starts_with("polars.") {
        let fields = PyDict::new(dtype.py());
        fields.set_item("field", dtype)?;
        return Ok(polars_schema(&fields)?.field(0).data_type().clone());
    }
    if dtype.hasattr("__arrow_c_schema__")? {
        return arrow::import_field(dtype).map(|field| field.data_type().clone());
    }
    Err(PyTypeError::new_err(format!(
        "{} is not a dtype: use for example \"int64\", \"string\" or \"timestamp[ms, UTC]\"",
        dtype.repr()?
    )))
}

/// The schema of Polars names and types. Polars exports text as views, which are converted to classic types.
fn polars_schema(fields: &Bound<'_, PyAny>) -> PyResult<SchemaRef> {
    static FRAME: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = fields.py();
    let options = PyDict::new(py);
    options.set_item("schema", fields)?;
    // Use an empty frame: older versions have no Arrow schema for a schema.
    let frame = FRAME
        .import(py, "polars", "DataFrame")?
        .call((), Some(&options))?;
    let schema = arrow::import(&frame)?.schema();
    Ok(Arc::new(Schema::new(fields_without_views(schema.fields()))))
}

fn builtin(class: &Bound<'_, PyType>) -> Option<&'static str> {
    match class.fully_qualified_name().ok()?.to_str().ok()? {
        "int" => Some("int64"),
        "float" => Some("float64"),
        "bool" => Some("bool"),
        "str" => Some("string"),
        "datetime.datetime" => Some("timestamp[us, UTC]"),
        "datetime.date" => Some("date"),
        _ => None,
    }
}

fn module_of(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let class = value
        .cast::<PyType>()
        .cloned()
        .unwrap_or_else(|_| value.get_type());
    Ok(class.module()?.to_str()?.to_owned())
}
