//! Times: aware `datetime` objects, or milliseconds since the Unix epoch.

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDateTime, PyDelta, PyDeltaAccess, PyInt, PyTzInfo, PyTzInfoAccess};

use crate::convert::config::type_name;
use crate::errors;

static EPOCH: PyOnceLock<Py<PyDateTime>> = PyOnceLock::new();

fn epoch(py: Python<'_>) -> PyResult<&Bound<'_, PyDateTime>> {
    let epoch = EPOCH.get_or_try_init(py, || {
        let utc = PyTzInfo::utc(py)?.to_owned();
        PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&utc)).map(Bound::unbind)
    })?;
    Ok(epoch.bind(py))
}

/// The time of `milliseconds` since the Unix epoch, in UTC. Times that Python cannot express raise `OverflowError`.
pub(crate) fn to_datetime(py: Python<'_>, milliseconds: i64) -> PyResult<Bound<'_, PyAny>> {
    let beyond = || {
        PyOverflowError::new_err(format!(
            "The timestamp {milliseconds} is outside the years 1 to 9999 of a datetime: read timestamp_ms, an int of milliseconds since 1970."
        ))
    };
    let microseconds = milliseconds.checked_mul(1000).ok_or_else(beyond)?;
    to_datetime_microseconds(py, microseconds).map_err(|_| beyond())
}

/// The time of `microseconds` since the Unix epoch, in UTC. Times that Python cannot express raise `OverflowError`.
pub(crate) fn to_datetime_microseconds(
    py: Python<'_>,
    microseconds: i64,
) -> PyResult<Bound<'_, PyAny>> {
    const DAY: i64 = 86_400_000_000;
    let days = i32::try_from(microseconds.div_euclid(DAY)).unwrap_or(i32::MAX);
    let rest = microseconds.rem_euclid(DAY);
    let age = PyDelta::new(
        py,
        days,
        (rest / 1_000_000) as i32,
        (rest % 1_000_000) as i32,
        true,
    )?;
    epoch(py)?.add(age)
}

/// Milliseconds since the Unix epoch of an aware datetime, rounded up: the first of Kafka's times that is not before it.
pub(crate) fn from_datetime(time: &Bound<'_, PyDateTime>) -> PyResult<i64> {
    if time.get_tzinfo().is_none() {
        return Err(errors::invalid(
            "The datetime has no time zone: pass an aware one, such as datetime(2026, 1, 31, tzinfo=timezone.utc).",
        ));
    }
    let since = time.as_any().sub(epoch(time.py())?)?;
    let since = since.cast::<PyDelta>()?;
    let microseconds = i64::from(since.get_microseconds());
    Ok(i64::from(since.get_days()) * 86_400_000
        + i64::from(since.get_seconds()) * 1000
        + (microseconds + 999) / 1000)
}

/// A timestamp argument: `None`, milliseconds, or an aware datetime.
pub(crate) fn timestamp(value: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    if value.is_none() {
        return Ok(None);
    }
    if value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>() {
        let milliseconds: i64 = value.extract()?;
        if milliseconds < 0 {
            return Err(errors::invalid(
                "The timestamp is negative: Kafka counts milliseconds from 1970 on.",
            ));
        }
        return Ok(Some(milliseconds));
    }
    match value.cast::<PyDateTime>() {
        Ok(time) => from_datetime(time).map(Some),
        Err(_) => Err(PyTypeError::new_err(format!(
            "timestamp must be an int (milliseconds since 1970) or an aware datetime, not {}",
            type_name(value)
        ))),
    }
}
