//! One cell of an Arrow column as a Python object.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
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

/// The cell at `row`. Types that Python has no object for become text.
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
        DataType::Timestamp(unit, Some(_)) => {
            time::to_datetime_microseconds(py, microseconds(array, *unit, row))
        }
        DataType::Timestamp(unit, None) => time::to_datetime_microseconds(
            py,
            microseconds(array, *unit, row),
        )?
        .call_method("replace", (), Some(&no_zone(py)?)),
        DataType::List(_) => list(py, array.as_list::<i32>().value(row).as_ref()),
        DataType::LargeList(_) => list(py, array.as_list::<i64>().value(row).as_ref()),
        DataType::Struct(_) => fields(py, array.as_struct(), row),
        DataType::Dictionary(_, _) => {
            let values = array.as_any_dictionary();
            cell(py, values.values().as_ref(), values.normalized_keys()[row])
        }
        DataType::Date32 => {
            let text = text(array, row)?;
            py.import("datetime")?
                .getattr("date")?
                .call_method1("fromisoformat", (text,))
        }
        DataType::Decimal128(_, _) | DataType::Decimal256(_, _) => py
            .import("decimal")?
            .getattr("Decimal")?
            .call1((text(array, row)?,)),
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

fn microseconds(array: &dyn Array, unit: TimeUnit, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => array
            .as_primitive::<TimestampSecondType>()
            .value(row)
            .saturating_mul(1_000_000),
        TimeUnit::Millisecond => array
            .as_primitive::<TimestampMillisecondType>()
            .value(row)
            .saturating_mul(1_000),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row),
        TimeUnit::Nanosecond => array
            .as_primitive::<TimestampNanosecondType>()
            .value(row)
            .div_euclid(1_000),
    }
}

fn list<'py>(py: Python<'py>, items: &dyn Array) -> PyResult<Bound<'py, PyAny>> {
    let items = (0..items.len())
        .map(|row| cell(py, items, row))
        .collect::<PyResult<Vec<_>>>()?;
    Ok(PyList::new(py, items)?.into_any())
}

fn fields<'py>(py: Python<'py>, array: &StructArray, row: usize) -> PyResult<Bound<'py, PyAny>> {
    let object = PyDict::new(py);
    for (field, column) in array.fields().iter().zip(array.columns()) {
        object.set_item(field.name(), cell(py, column.as_ref(), row)?)?;
    }
    Ok(object.into_any())
}
