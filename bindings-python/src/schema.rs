//! The names and types of a table's columns.

use arrow_schema::SchemaRef;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::arrow;

/// The names and types of a table's columns, for any function that takes an Arrow schema.
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
