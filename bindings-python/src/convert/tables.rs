//! Tables to send: from an object with an Arrow capsule, or built from Python rows.

use arrow_array::{Array, RecordBatch};
use headwater::BulkOptions;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::arrow;
use crate::convert::config::type_name;
use crate::convert::rows::Rows;

/// The number of bytes of a table that are checked before its first row is sent. A table may be an endless stream.
const CHECKED_BYTES: usize = 256 << 20;

/// The tables of `rows`, some at a time.
pub(crate) struct Tables<'py> {
    source: Source<'py>,
    /// Whether the rows are already in memory. Those of an iterator or a reader may be endless, or slow to arrive.
    in_memory: bool,
    /// The roles of the tables' columns.
    pub(crate) options: BulkOptions,
}

enum Source<'py> {
    Arrow {
        reader: arrow::Reader,
        type_name: String,
    },
    Rows(Rows<'py>),
}

impl<'py> Tables<'py> {
    pub(crate) fn new(rows: &Bound<'py, PyAny>, options: BulkOptions) -> PyResult<Self> {
        if arrow::is_table(rows)? {
            let type_name = type_name(rows);
            let frames = rows.py().import("headwater._frames")?;
            let reader = arrow::import(&frames.call_method1("to_send", (rows,))?)?;
            return Ok(Self {
                source: Source::Arrow { reader, type_name },
                in_memory: rows.hasattr("__len__")?,
                options,
            });
        }
        let made = options.for_row_table();
        Ok(Self {
            source: Source::Rows(Rows::new(rows, options)?),
            in_memory: rows.is_instance_of::<PyList>() || rows.is_instance_of::<PyTuple>(),
            options: made,
        })
    }

    /// All remaining tables.
    pub(crate) fn all(&mut self, py: Python<'py>) -> PyResult<Vec<RecordBatch>> {
        self.in_memory = true;
        self.gather(py, usize::MAX)
    }

    /// The next tables, which are checked before the first of them is sent. Empty at the end.
    pub(crate) fn next(&mut self, py: Python<'py>) -> PyResult<Vec<RecordBatch>> {
        self.gather(py, CHECKED_BYTES)
    }

    fn gather(&mut self, py: Python<'py>, bytes: usize) -> PyResult<Vec<RecordBatch>> {
        let mut tables = Vec::new();
        let mut gathered = 0;
        while gathered < bytes && (self.in_memory || tables.is_empty()) {
            let Some(table) = self.next_table(py)? else {
                break;
            };
            if table.num_rows() > 0 {
                gathered += memory(&table);
                tables.push(table);
            }
        }
        Ok(tables)
    }

    fn next_table(&mut self, py: Python<'py>) -> PyResult<Option<RecordBatch>> {
        match &mut self.source {
            Source::Rows(rows) => rows.next_table(),
            Source::Arrow { reader, type_name } => {
                let Some(table) = py.detach(|| reader.next()) else {
                    return Ok(None);
                };
                let table = table.map_err(|error| {
                    PyTypeError::new_err(format!("{type_name} could not be read: {error}"))
                })?;
                without_index(&table, &self.options).map(Some)
            }
        }
    }
}

/// The approximate size of a table's rows in bytes.
fn memory(table: &RecordBatch) -> usize {
    let columns = table.columns().iter();
    columns
        .map(|column| column.to_data().get_slice_memory_size().unwrap_or(0))
        .sum()
}

/// The table without the columns that pandas creates for an index without a name, unless one of them has a role.
fn without_index(table: &RecordBatch, options: &BulkOptions) -> PyResult<RecordBatch> {
    let schema = table.schema_ref();
    if !schema.metadata().contains_key("pandas") {
        return Ok(table.clone());
    }
    let named = [
        &options.key,
        &options.value,
        &options.headers,
        &options.timestamp,
        &options.partition_column,
    ];
    let is_index = |name: &String| {
        name.starts_with("__index_level_") && !named.iter().any(|role| role.as_ref() == Some(name))
    };
    let fields = schema.fields().iter().enumerate();
    let kept: Vec<usize> = fields
        .filter(|(_, field)| !is_index(field.name()))
        .map(|(index, _)| index)
        .collect();
    table
        .project(&kept)
        .map_err(|error| PyTypeError::new_err(error.to_string()))
}
