//! Parts of a batch: one message, or a range of rows without a copy.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{ArrowPrimitiveType, PrimitiveArray};
use headwater::columnar::Column;
use headwater::{Offset, TopicPartition};
use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PySlice;

use crate::batch::Batch;
use crate::convert::config::type_name;
use crate::convert::integer::is_integer;
use crate::errors;
use crate::message::{Message, Rows};

#[pymethods]
impl Batch {
    /// `batch[0]` is a `Message`, also from the end (`batch[-1]`); `batch[10:20]` is a `Batch` of these rows, without a
    /// copy. Its `next_offsets` are the positions after its own rows, so that it can be committed.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = producer.send_batch(client.create_topic("t").name, [b"a", b"b", b"c"])
    /// ...     batch = client["t"].head()
    /// >>> batch[-1].value, len(batch[1:]), batch[:2].next_offsets
    /// (b'c', 2, {TopicPartition(topic='t', partition=0): 2})
    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        index: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(slice) = index.cast::<PySlice>() {
            let range = slice.indices(self.rows().len() as isize)?;
            if range.step != 1 {
                return Err(errors::invalid(&format!(
                    "A batch has no rows with a step of {}: take a range of rows such as batch[10:20], or convert it with to_polars().",
                    range.step
                )));
            }
            return self
                .part(range.start as usize, range.slicelength)
                .into_bound_py_any(py);
        }
        if !is_integer(index)? {
            return Err(PyTypeError::new_err(format!(
                "a row of a batch is an int or a slice such as 10:20, not {}",
                type_name(index)
            )));
        }
        let row = self.row_at(index.extract()?)?;
        Message::new(Arc::clone(self.rows()), row).into_bound_py_any(py)
    }

    fn __reversed__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let builtins = slf.py().import("builtins")?;
        let last = slf.get().rows().len() as isize - 1;
        let rows = builtins.getattr("range")?.call1((last, -1, -1))?;
        builtins
            .getattr("map")?
            .call1((slf.getattr("__getitem__")?, rows))
    }
}

impl Batch {
    /// The row at an index, which counts from the end if it is negative.
    fn row_at(&self, index: i64) -> PyResult<usize> {
        let rows = self.rows().len() as i64;
        let row = if index < 0 { index + rows } else { index };
        if (0..rows).contains(&row) {
            return Ok(row as usize);
        }
        Err(PyIndexError::new_err(format!(
            "the batch has {rows} records, and no record {index}"
        )))
    }

    /// `length` rows from row `start`.
    fn part(&self, start: usize, length: usize) -> Self {
        let rows = self.rows();
        if length == rows.len() {
            return Self::of_rows(Arc::clone(rows), self.positions().clone());
        }
        let part = rows_from(rows, start, length);
        let next_offsets = self.next_offsets_of(&part, start);
        Self::of_rows(part, next_offsets)
    }

    /// The positions after the rows of a part that begins at row `start`: after the last row of each partition, or the
    /// batch's own position if the part has the last row of the partition in the batch.
    fn next_offsets_of(&self, part: &Rows, start: usize) -> BTreeMap<TopicPartition, Offset> {
        let all: BTreeMap<_, _> = last_rows(self.rows()).into_iter().collect();
        let Some(offsets) = column::<Int64Type>(part, Column::Offset) else {
            return BTreeMap::new();
        };
        let next = last_rows(part).into_iter().map(|(partition, row)| {
            let after = Offset::new(offsets.value(row) + 1);
            let is_last = all.get(&partition) == Some(&(start + row));
            let own = self.positions().get(&partition).filter(|_| is_last);
            let next = own.copied().unwrap_or(after);
            (partition, next)
        });
        next.collect()
    }
}

/// `length` rows from row `start`, without a copy.
fn rows_from(rows: &Rows, start: usize, length: usize) -> Arc<Rows> {
    let json = rows.json.as_ref().map(|json| json.slice(start, length));
    let topic = rows.one_topic().map(Arc::from);
    Rows::new(rows.records.slice(start, length), json.as_ref(), topic)
}

/// A column of integers, if it was read.
fn column<T: ArrowPrimitiveType>(rows: &Rows, column: Column) -> Option<&PrimitiveArray<T>> {
    rows.records
        .column_by_name(column.name())?
        .as_primitive_opt()
}

/// The last row of each partition in a table; nothing if partitions or topics were not read.
fn last_rows(rows: &Rows) -> Vec<(TopicPartition, usize)> {
    let Some(partitions) = column::<Int32Type>(rows, Column::Partition) else {
        return Vec::new();
    };
    let topics = rows.records.column_by_name(Column::Topic.name());
    let topics = topics.and_then(|topics| topics.as_any_dictionary_opt());
    let keys = topics.map(arrow_array::AnyDictionaryArray::normalized_keys);
    let key = |row: usize| keys.as_ref().map(|keys| keys[row]);
    let name = |row: usize| match (topics, key(row)) {
        (Some(topics), Some(key)) => topics
            .values()
            .as_string_opt::<i32>()
            .map(|names| names.value(key)),
        _ => rows.one_topic(),
    };
    let is_last = |row: &usize| {
        let next = row + 1;
        next == rows.len()
            || (partitions.value(*row), key(*row)) != (partitions.value(next), key(next))
    };
    let last = (0..rows.len()).filter(is_last);
    last.filter_map(|row| Some((TopicPartition::new(name(row)?, partitions.value(row)), row)))
        .collect()
}
