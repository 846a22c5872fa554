//! Times: aware `datetime` objects, ISO text, or milliseconds since the Unix epoch.

use arrow_schema::TimeUnit;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyString, PyTzInfo, PyTzInfoAccess,
};

use crate::convert::config::type_name;
use crate::convert::integer::is_integer;
use crate::errors;

static EPOCH: PyOnceLock<Py<PyDateTime>> = PyOnceLock::new();

fn epoch(py: Python<'_>) -> PyResult<&Bound<'_, PyDateTime>> {
    let epoch = EPOCH.get_or_try_init(py, || {
        let utc = PyTzInfo::utc(py)?.to_owned();
        PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&utc)).map(Bound::unbind)
    })?;
    Ok(epoch.bind(py))
}

/// The time `milliseconds` after the Unix epoch, in UTC. Times that Python cannot represent raise `OverflowError`.
pub(crate) fn to_datetime(py: Python<'_>, milliseconds: i64) -> PyResult<Bound<'_, PyAny>> {
    let beyond = || {
        PyOverflowError::new_err(format!(
            "The timestamp {milliseconds} is outside the years 1 to 9999 of a datetime: read timestamp_ms, an int of milliseconds since 1970."
        ))
    };
    let microseconds = milliseconds.checked_mul(1000).ok_or_else(beyond)?;
    to_datetime_microseconds(py, microseconds).map_err(|_| beyond())
}

/// The time `microseconds` after the Unix epoch, in UTC. Times that Python cannot represent raise `OverflowError`.
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

/// The date `days` after 1970-01-01.
pub(crate) fn to_date(py: Python<'_>, days: i64) -> PyResult<Bound<'_, PyAny>> {
    /// The ordinal of 1970-01-01 in Python.
    const EPOCH_ORDINAL: i64 = 719_163;
    py.import("datetime")?
        .getattr("date")?
        .call_method1("fromordinal", (days + EPOCH_ORDINAL,))
}

/// The time of day `microseconds` after midnight.
pub(crate) fn to_time(py: Python<'_>, microseconds: i64) -> PyResult<Bound<'_, PyAny>> {
    let seconds = microseconds / 1_000_000;
    let parts = (
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        microseconds % 1_000_000,
    );
    py.import("datetime")?.getattr("time")?.call1(parts)
}

/// A duration. Fractions of a microsecond are rounded down.
pub(crate) fn to_timedelta(
    py: Python<'_>,
    unit: TimeUnit,
    value: i64,
) -> PyResult<Bound<'_, PyAny>> {
    let per_second = match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    let seconds = value.div_euclid(per_second);
    // Less than 10^15.
    let microseconds = value.rem_euclid(per_second) * 1_000_000 / per_second;
    py.import("datetime")?.getattr("timedelta")?.call1((
        seconds.div_euclid(86_400),
        seconds.rem_euclid(86_400),
        microseconds,
    ))
}

/// The first of Kafka's timestamps at or after an aware datetime: the start or end of a range.
pub(crate) fn first_not_before(time: &Bound<'_, PyDateTime>) -> PyResult<i64> {
    let (milliseconds, rest) = since_epoch(time)?;
    Ok(milliseconds + i64::from(rest > 0))
}

/// The milliseconds from the Unix epoch to an aware datetime, and the remaining microseconds.
fn since_epoch(time: &Bound<'_, PyDateTime>) -> PyResult<(i64, i32)> {
    if time.get_tzinfo().is_none() {
        return Err(errors::invalid(
            "The datetime has no time zone: pass an aware one, such as datetime(2026, 1, 31, tzinfo=timezone.utc).",
        ));
    }
    let since = time.as_any().sub(epoch(time.py())?)?;
    let since = since.cast::<PyDelta>()?;
    let milliseconds = i64::from(since.get_days()) * 86_400_000
        + i64::from(since.get_seconds()) * 1000
        + i64::from(since.get_microseconds() / 1000);
    Ok((milliseconds, since.get_microseconds() % 1000))
}

/// Midnight of a date in UTC, in milliseconds since the Unix epoch.
pub(crate) fn midnight(date: &Bound<'_, PyDate>) -> PyResult<i64> {
    let utc = PyTzInfo::utc(date.py())?.to_owned();
    let (year, month, day) = (date.get_year(), date.get_month(), date.get_day());
    let midnight = PyDateTime::new(date.py(), year, month, day, 0, 0, 0, 0, Some(&utc))?;
    first_not_before(&midnight)
}

/// The milliseconds of a duration, which must have no fraction of one and not be negative.
pub(crate) fn whole_milliseconds(name: &str, duration: &Bound<'_, PyDelta>) -> PyResult<i64> {
    let milliseconds = i64::from(duration.get_days()) * 86_400_000
        + i64::from(duration.get_seconds()) * 1000
        + i64::from(duration.get_microseconds() / 1000);
    if milliseconds < 0 || duration.get_microseconds() % 1000 != 0 {
        return Err(errors::config(&format!(
            "The timedelta {duration} of {name} is not a number of whole milliseconds from 0 on."
        )));
    }
    Ok(milliseconds)
}

/// A timestamp argument: `None`, milliseconds, an aware datetime, a date, or the ISO text of one of these. Fractions of
/// a millisecond are rounded down.
pub(crate) fn timestamp(value: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    if value.is_none() {
        return Ok(None);
    }
    let milliseconds = match value.cast::<PyDateTime>() {
        Ok(time) => since_epoch(time)?.0,
        Err(_) if is_integer(value)? => value.extract()?,
        Err(_) => date_or_text(value)?,
    };
    if milliseconds < 0 {
        return Err(errors::invalid(
            "The timestamp is negative: Kafka's timestamps start at 1970.",
        ));
    }
    Ok(Some(milliseconds))
}

/// The milliseconds from the Unix epoch to a date or to a time as ISO text.
fn date_or_text(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    if let Ok(date) = value.cast::<PyDate>() {
        return midnight(date);
    }
    let Ok(text) = value.cast::<PyString>() else {
        return Err(PyTypeError::new_err(format!(
            "timestamp must be an int (milliseconds since 1970), an aware datetime, a date or the ISO text of one, not {}",
            type_name(value)
        )));
    };
    headwater::timestamp::parse_ms(text.to_str()?).map_err(errors::raise)
}
