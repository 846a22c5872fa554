//! Converts Python rows (dictionaries, bytes, text) to Arrow tables of keys, values, timestamps and headers.

use arrow_array::RecordBatch;
use headwater::BulkOptions;
use headwater::columnar::RowTable;
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyString};

use crate::convert::config::type_name;
use crate::convert::{partitions, record, time};

/// The maximum rows in a table, which limits the memory for an endless iterable.
const ROWS_MAX: usize = 16_384;

/// Splits an iterable of rows into tables.
pub(crate) struct Rows<'py> {
    items: Bound<'py, PyIterator>,
    columns: BulkOptions,
    /// The number of the next row.
    row: usize,
    to_json: Bound<'py, PyAny>,
}

impl<'py> Rows<'py> {
    /// `columns` maps items of a dictionary to roles; existing items without a role keep their default names.
    pub(crate) fn new(rows: &Bound<'py, PyAny>, columns: BulkOptions) -> PyResult<Self> {
        let py = rows.py();
        if rows.is_instance_of::<PyString>()
            || rows.is_instance_of::<PyDict>()
            || rows.cast::<pyo3::types::PyBytes>().is_ok()
        {
            return Err(PyTypeError::new_err(format!(
                "send_batch() takes many rows: put the {} into a list",
                type_name(rows)
            )));
        }
        let items = rows.try_iter().map_err(|_| {
            PyTypeError::new_err(format!(
                "rows must be a table (anything with __arrow_c_stream__) or an iterable of dicts, bytes or str, not {}",
                type_name(rows)
            ))
        })?;
        Ok(Self {
            items,
            columns,
            row: 0,
            to_json: py.import("headwater._frames")?.getattr("row_to_json")?,
        })
    }

    /// The next table, with columns `key`, `value`, `headers`, `timestamp`, `partition`.
    pub(crate) fn next_table(&mut self) -> PyResult<Option<RecordBatch>> {
        let mut table = RowTable::default();
        while table.len() < ROWS_MAX {
            let Some(row) = self.items.next() else { break };
            let row = row?;
            self.push(&mut table, &row)
                .map_err(|error| in_row(row.py(), self.row, error))?;
            table.end_row();
            self.row += 1;
        }
        Ok((!table.is_empty()).then(|| table.finish()))
    }

    fn push(&self, table: &mut RowTable, row: &Bound<'py, PyAny>) -> PyResult<()> {
        match row.cast::<PyDict>() {
            Ok(row) => return self.push_items(table, row),
            Err(_) if row.is_none() => {}
            Err(_) => table.value(record::bytes(row, "a row")?),
        }
        Ok(())
    }

    fn push_items(&self, table: &mut RowTable, row: &Bound<'py, PyDict>) -> PyResult<()> {
        let rest = row.copy()?;
        if let Some(key) = take(&rest, self.columns.key.as_deref(), "key")?
            && !key.is_none()
        {
            table.key(record::bytes(&key, "key")?);
        }
        if let Some(timestamp) = take(&rest, self.columns.timestamp.as_deref(), "timestamp")?
            && let Some(timestamp) = time::timestamp(&timestamp)?
        {
            table.timestamp_ms(timestamp);
        }
        if let Some(partition) = take(&rest, self.columns.partition_column.as_deref(), "partition")?
            && !partition.is_none()
        {
            table.partition(partitions::partition(&partition)?);
        }
        if let Some(headers) = take(&rest, self.columns.headers.as_deref(), "headers")?
            && !headers.is_none()
        {
            for (name, value) in record::headers(&headers)? {
                table.header(&name, value.as_deref());
            }
        }
        if let Some(name) = self.columns.value.as_deref() {
            if let Some(value) = take(&rest, Some(name), "value")?
                && !value.is_none()
            {
                table.value(record::bytes(&value, "value")?);
            }
        } else {
            let json = self.to_json.call1((rest,))?;
            table.value(json.cast::<PyString>()?.to_str()?);
        }
        Ok(())
    }
}

/// The same error, with the row before its message.
fn in_row(py: Python<'_>, row: usize, error: PyErr) -> PyErr {
    let value = error.value(py);
    let message = value
        .getattr("args")
        .and_then(|arguments| arguments.get_item(0))
        .map_or_else(|_| value.to_string(), |first| first.to_string());
    match value.setattr("args", (format!("Row {row}: {message}"),)) {
        Ok(()) => error,
        Err(broken) => broken,
    }
}

/// Takes an item out of a row: the one with the given name, which must exist, or nothing.
fn take<'py>(
    row: &Bound<'py, PyDict>,
    name: Option<&str>,
    role: &str,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(name) = name else { return Ok(None) };
    match row.get_item(name)? {
        Some(item) => {
            row.del_item(name)?;
            Ok(Some(item))
        }
        None => Err(PyKeyError::new_err(format!(
            "a row has no item {name:?} for the {role}"
        ))),
    }
}
