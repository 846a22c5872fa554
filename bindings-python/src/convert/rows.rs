//! Python rows (dictionaries, bytes, text) as Arrow tables of keys, values, timestamps and headers.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, Int32Builder, ListBuilder, StringBuilder, StructBuilder,
    TimestampMillisecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema};
use headwater::BulkOptions;
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyString};

use crate::convert::config::type_name;
use crate::convert::{partitions, record, time};

/// Rows in a table at most: what is held in memory of an endless iterable.
const ROWS_MAX: usize = 16_384;

/// Cuts an iterable of rows into tables.
pub(crate) struct Rows<'py> {
    items: Bound<'py, PyIterator>,
    columns: BulkOptions,
    /// The number of the next row.
    row: usize,
    to_json: Bound<'py, PyAny>,
}

impl<'py> Rows<'py> {
    /// `columns` says which items of a dictionary become what; those that are not named and are there keep their default names.
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
        let mut table = Table::default();
        while table.rows < ROWS_MAX {
            let Some(row) = self.items.next() else { break };
            let row = row?;
            self.push(&mut table, &row)
                .map_err(|error| in_row(row.py(), self.row, error))?;
            table.complete_row();
            self.row += 1;
        }
        if table.rows == 0 {
            return Ok(None);
        }
        table
            .finish()
            .map(Some)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn push(&self, table: &mut Table, row: &Bound<'py, PyAny>) -> PyResult<()> {
        match row.cast::<PyDict>() {
            Ok(row) => return self.push_items(table, row),
            Err(_) if row.is_none() => table.value.append_null(),
            Err(_) => table.value.append_value(record::bytes(row, "a row")?),
        }
        Ok(())
    }

    fn push_items(&self, table: &mut Table, row: &Bound<'py, PyDict>) -> PyResult<()> {
        let rest = row.copy()?;
        if let Some(key) = take(&rest, self.columns.key.as_deref(), "key")? {
            if key.is_none() {
                table.key.append_null();
            } else {
                table.key.append_value(record::bytes(&key, "key")?);
            }
        }
        if let Some(timestamp) = take(&rest, self.columns.timestamp.as_deref(), "timestamp")? {
            table.timestamp.append_option(time::timestamp(&timestamp)?);
        }
        if let Some(partition) = take(&rest, self.columns.partition_column.as_deref(), "partition")?
            && !partition.is_none()
        {
            table
                .partition
                .append_value(partitions::partition(&partition)?.get());
        }
        if let Some(headers) = take(&rest, self.columns.headers.as_deref(), "headers")?
            && !headers.is_none()
        {
            table.push_headers(&headers)?;
        }
        if let Some(name) = self.columns.value.as_deref() {
            match take(&rest, Some(name), "value")? {
                Some(value) if !value.is_none() => {
                    table.value.append_value(record::bytes(&value, "value")?);
                }
                _ => table.value.append_null(),
            }
        } else {
            let json = self.to_json.call1((rest,))?;
            table.value.append_value(json.cast::<PyString>()?.to_str()?);
        }
        Ok(())
    }
}

/// The same error with the row in front of its message.
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

/// Takes an item out of a row: the one that was named, which must be there, or nothing.
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

struct Table {
    rows: usize,
    key: BinaryBuilder,
    value: BinaryBuilder,
    timestamp: TimestampMillisecondBuilder,
    partition: Int32Builder,
    headers: ListBuilder<StructBuilder>,
}

impl Default for Table {
    fn default() -> Self {
        let header = StructBuilder::new(
            header_fields(),
            vec![
                Box::new(StringBuilder::new()),
                Box::new(BinaryBuilder::new()),
            ],
        );
        Self {
            rows: 0,
            key: BinaryBuilder::new(),
            value: BinaryBuilder::new(),
            timestamp: TimestampMillisecondBuilder::new().with_timezone("UTC"),
            partition: Int32Builder::new(),
            headers: ListBuilder::new(header),
        }
    }
}

fn header_fields() -> Fields {
    Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Binary, true),
    ])
}

impl Table {
    fn push_headers(&mut self, headers: &Bound<'_, PyAny>) -> PyResult<()> {
        for (name, value) in record::headers(headers)? {
            let header = self.headers.values();
            if let Some(names) = header.field_builder::<StringBuilder>(0) {
                names.append_value(&name);
            }
            if let Some(values) = header.field_builder::<BinaryBuilder>(1) {
                values.append_option(value);
            }
            header.append(true);
        }
        self.headers.append(true);
        Ok(())
    }

    /// Fills what the row did not have with null.
    fn complete_row(&mut self) {
        use arrow_array::builder::ArrayBuilder;
        self.rows += 1;
        if self.key.len() < self.rows {
            self.key.append_null();
        }
        if self.timestamp.len() < self.rows {
            self.timestamp.append_null();
        }
        if self.partition.len() < self.rows {
            self.partition.append_null();
        }
        if self.headers.len() < self.rows {
            self.headers.append(true);
        }
    }

    fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        let columns: [(&str, ArrayRef); 5] = [
            ("key", Arc::new(self.key.finish())),
            ("value", Arc::new(self.value.finish())),
            ("headers", Arc::new(self.headers.finish())),
            ("timestamp", Arc::new(self.timestamp.finish())),
            ("partition", Arc::new(self.partition.finish())),
        ];
        let fields: Vec<_> = columns
            .iter()
            .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
            .collect();
        RecordBatch::try_new(
            Arc::new(Schema::new(fields)),
            columns.into_iter().map(|(_, column)| column).collect(),
        )
    }
}

/// Which columns of the tables that [`Rows`] makes become what.
pub(crate) fn made_columns(given: &BulkOptions) -> BulkOptions {
    BulkOptions {
        key: Some("key".into()),
        value: Some("value".into()),
        headers: Some("headers".into()),
        timestamp: Some("timestamp".into()),
        partition_column: given.partition_column.as_ref().map(|_| "partition".into()),
        partition: given.partition,
    }
}
