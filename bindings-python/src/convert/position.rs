//! Positions: `"earliest"`, `"latest"`, an offset, `{partition: offset}`, a date, an aware datetime or its ISO text, or
//! an age such as `"-15m"`.

use std::collections::BTreeMap;

use headwater::{Offset, PartitionId, Position};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDate, PyDateTime, PyDict, PyString};

use crate::convert::config::type_name;
use crate::convert::integer::is_integer;
use crate::convert::{partitions, time};
use crate::errors;

/// Converts a position. Keys of a dictionary can be partitions or `TopicPartition`s.
pub(crate) fn position(value: &Bound<'_, PyAny>) -> PyResult<Position> {
    if let Ok(text) = value.cast::<PyString>() {
        return text.to_str()?.parse().map_err(errors::raise);
    }
    if is_integer(value)? {
        return offset(value).map(Position::Offset);
    }
    if let Ok(offsets) = value.cast::<PyDict>() {
        let offsets = offsets
            .iter()
            .map(|(partition, at)| Ok((partitions::number_of(&partition)?, offset(&at)?)));
        return offsets
            .collect::<PyResult<BTreeMap<PartitionId, Offset>>>()
            .map(Position::PerPartition);
    }
    if let Ok(time) = value.cast::<PyDateTime>() {
        return time::first_not_before(time).map(Position::TimestampMs);
    }
    if let Ok(date) = value.cast::<PyDate>() {
        return time::midnight(date).map(Position::TimestampMs);
    }
    Err(PyTypeError::new_err(format!(
        "a position is \"earliest\", \"latest\", an offset, {{partition: offset}}, a date, an aware datetime or its ISO text, or an age such as \"-15m\", not {}",
        type_name(value)
    )))
}

/// Converts an offset.
pub(crate) fn offset(value: &Bound<'_, PyAny>) -> PyResult<Offset> {
    if !is_integer(value)? {
        return Err(PyTypeError::new_err(format!(
            "an offset must be an int, not {}",
            type_name(value)
        )));
    }
    let offset: i64 = value.extract()?;
    if offset < 0 {
        return Err(errors::invalid(
            "The offset is negative: offsets start at 0; \"latest\" is the end and \"-15m\" an age.",
        ));
    }
    Ok(Offset::new(offset))
}
