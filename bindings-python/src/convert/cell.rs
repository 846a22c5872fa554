//! Converts a cell of an Arrow column to a Python object.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, StructArray};
use arrow_cast::display::array_value_to_string;
use arrow_schema::{DataType, TimeUnit};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyList, PyString};

use crate::convert::time;

macro_rules! number {
    ($py:expr, $array:expr, $row:expr, $type:ty) => {
        Ok($array
            .as_primitive::<$type>()
            .value($row)
            .into_pyobject($py)?
            .into_any())
    };
}

/// The cell at `row`. Types without a Python equivalent become text.
pub(crate) fn cell<'py>(
    py: Python<'py>,
    array: &dyn Array,
    row: usize,
) -> PyResult<Bound<'py, PyAny>> {
    if array.is_null(row) {
        return Ok(py.None().into_bound(py));
    }
    match array.data_type() {
        DataType::Null => Ok(py.None().into_bound(py)),
        DataType::Boolean => Ok(PyBool::new(py, array.as_boolean().value(row))
            .to_owned()
            .into_any()),
        DataType::Int8 => number!(py, array, row, Int8Type),
        DataType::Int16 => number!(py, array, row, Int16Type),
        DataType::Int32 => number!(py, array, row, Int32Type),
        DataType::Int64 => number!(py, array, row, Int64Type),
        DataType::UInt8 => number!(py, array, row, UInt8Type),
        DataType::UInt16 => number!(py, array, row, UInt16Type),
        DataType::UInt32 => number!(py, array, row, UInt32Type),
        DataType::UInt64 => number!(py, array, row, UInt64Type),
        DataType::Float16 => Ok(PyFloat::new(
            py,
            array.as_primitive::<Float16Type>().value(row).to_f64(),
        )
        .into_any()),
        DataType::Float32 => number!(py, array, row, Float32Type),
        DataType::Float64 => number!(py, array, row, Float64Type),
        DataType::Utf8 => Ok(PyString::new(py, array.as_string::<i32>().value(row)).into_any()),
        DataType::LargeUtf8 => {
            Ok(PyString::new(py, array.as_string::<i64>().value(row)).into_any())
        }
        DataType::Utf8View => Ok(PyString::new(py, array.as_string_view().value(row)).into_any()),
        DataType::Binary => Ok(PyBytes::new(py, array.as_binary::<i32>().value(row)).into_any()),
        DataType::LargeBinary => {
            Ok(PyBytes::new(py, array.as_binary::<i64>().value(row)).into_any())
        }
        DataType::BinaryView => Ok(PyBytes::new(py, array.as_binary_view().value(row)).into_any()),
        DataType::FixedSizeBinary(_) => {
            Ok(PyBytes::new(py, array.as_fixed_size_binary().value(row)).into_any())
        }
        DataType::List(_) => list(py, array.as_list::<i32>().value(row).as_ref()),
        DataType::LargeList(_) => list(py, array.as_list::<i64>().value(row).as_ref()),
        DataType::ListView(_) => list(py, array.as_list_view::<i32>().value(row).as_ref()),
        DataType::LargeListView(_) => list(py, array.as_list_view::<i64>().value(row).as_ref()),
        DataType::FixedSizeList(..) => list(py, array.as_fixed_size_list().value(row).as_ref()),
        DataType::Map(..) => entries(py, &array.as_map().value(row)),
        DataType::Struct(_) => fields(py, array.as_struct(), row),
        DataType::Dictionary(_, _) => {
            let values = array.as_any_dictionary();
            cell(py, values.values().as_ref(), values.normalized_keys()[row])
        }
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => py
            .import("decimal")?
            .getattr("Decimal")?
            .call1((text(array, row)?,)),
        _ => temporal(py, array, row),
    }
}

/// A date or a time, or the text of a type without a Python equivalent.
fn temporal<'py>(py: Python<'py>, array: &dyn Array, row: usize) -> PyResult<Bound<'py, PyAny>> {
    match array.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            time::to_datetime_microseconds(py, microseconds(array, *unit, row)?)
        }
        DataType::Timestamp(unit, None) => time::to_datetime_microseconds(
            py,
            microseconds(array, *unit, row)?,
        )?
        .call_method("replace", (), Some(&no_zone(py)?)),
        DataType::Time32(unit) | DataType::Time64(unit) => {
            time::to_time(py, microseconds(array, *unit, row)?)
        }
        DataType::Duration(unit) => time::to_timedelta(py, *unit, integer(array, row)?),
        DataType::Date32 => time::to_date(py, integer(array, row)?),
        DataType::Date64 => time::to_date(py, integer(array, row)?.div_euclid(86_400_000)),
        _ => Ok(PyString::new(py, &text(array, row)?).into_any()),
    }
}

fn text(array: &dyn Array, row: usize) -> PyResult<String> {
    array_value_to_string(array, row).map_err(|error| PyValueError::new_err(error.to_string()))
}

fn no_zone(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let zone = PyDict::new(py);
    zone.set_item("tzinfo", py.None())?;
    Ok(zone)
}

/// The integer value of a date or time.
fn integer(array: &dyn Array, row: usize) -> PyResult<i64> {
    let cell = array.slice(row, 1);
    arrow_cast::cast(&cell, &DataType::Int64)
        .map(|cell| cell.as_primitive::<Int64Type>().value(0))
        .map_err(|error| PyValueError::new_err(error.to_string()))
}

/// A time in microseconds, Python's resolution; finer decimals are rounded down.
fn microseconds(array: &dyn Array, unit: TimeUnit, row: usize) -> PyResult<i64> {
    let value = integer(array, row)?;
    Ok(match unit {
        TimeUnit::Second => value.saturating_mul(1_000_000),
        TimeUnit::Millisecond => value.saturating_mul(1_000),
        TimeUnit::Microsecond => value,
        TimeUnit::Nanosecond => value.div_euclid(1_000),
    })
}

fn list<'py>(py: Python<'py>, items: &dyn Array) -> PyResult<Bound<'py, PyAny>> {
    let items = (0..items.len())
        .map(|row| cell(py, items, row))
        .collect::<PyResult<Vec<_>>>()?;
    Ok(PyList::new(py, items)?.into_any())
}

/// A map as a dictionary, because the keys of JSON objects are unique.
fn entries<'py>(py: Python<'py>, pairs: &StructArray) -> PyResult<Bound<'py, PyAny>> {
    let object = PyDict::new(py);
    let (keys, values) = (pairs.column(0), pairs.column(1));
    for at in 0..pairs.len() {
        object.set_item(cell(py, keys.as_ref(), at)?, cell(py, values.as_ref(), at)?)?;
    }
    Ok(object.into_any())
}

fn fields<'py>(py: Python<'py>, array: &StructArray, row: usize) -> PyResult<Bound<'py, PyAny>> {
    let object = PyDict::new(py);
    for (field, column) in array.fields().iter().zip(array.columns()) {
        object.set_item(field.name(), cell(py, column.as_ref(), row)?)?;
    }
    Ok(object.into_any())
}
