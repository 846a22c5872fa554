//! Configuration: a dictionary with Kafka's keys, and keyword arguments with underscores instead of dots.
//!
//! A `timedelta` becomes text with its unit, such as "5000ms", which the core refuses for keys that are not in
//! milliseconds.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDelta, PyDict, PyFloat, PyList, PyString, PyTuple};

use crate::convert::integer::is_integer;
use crate::convert::time;
use crate::foreign_names;

/// Keys and values as text, keyword arguments last. `None` means that a key is not set. `call` is the name of the call
/// in the table of foreign names.
pub(crate) fn pairs(
    call: &str,
    config: Option<&Bound<'_, PyDict>>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Vec<(String, String)>> {
    Ok(changes(call, config, keywords)?
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect())
}

/// Like [`pairs`], but `None` resets a key to its default.
pub(crate) fn changes(
    call: &str,
    config: Option<&Bound<'_, PyDict>>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Vec<(String, Option<String>)>> {
    foreign_names::check_configuration(call, config, keywords)?;
    let mut pairs = Vec::new();
    for given in [config, keywords].into_iter().flatten() {
        for (key, value) in given {
            let Ok(name) = key.cast::<PyString>() else {
                return Err(PyTypeError::new_err(format!(
                    "a configuration key must be a str, not {}",
                    type_name(&key)
                )));
            };
            let name = name.to_str()?.to_owned();
            let text = if value.is_none() {
                None
            } else {
                Some(text(&name, &value)?)
            };
            pairs.push((name, text));
        }
    }
    Ok(pairs)
}

/// Addresses as text: a single text, or a list.
pub(crate) fn bootstrap_servers(servers: &Bound<'_, PyAny>) -> PyResult<String> {
    text("bootstrap_servers", servers)
}

/// The name of a value's type, for messages.
pub(crate) fn type_name(value: &Bound<'_, PyAny>) -> String {
    value
        .get_type()
        .name()
        .map_or_else(|_| "an object".to_owned(), |name| name.to_string())
}

fn text(key: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(value) = value.cast::<PyBool>() {
        return Ok(value.is_true().to_string());
    }
    if value.is_instance_of::<PyString>() || value.is_instance_of::<PyFloat>() {
        return Ok(value.str()?.to_str()?.to_owned());
    }
    if is_integer(value)? {
        let integer = value.call_method0("__index__")?;
        return Ok(integer.str()?.to_str()?.to_owned());
    }
    if let Ok(duration) = value.cast::<PyDelta>() {
        // With its unit: only keys in milliseconds take durations.
        return Ok(format!("{}ms", time::whole_milliseconds(key, duration)?));
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        let items = value
            .try_iter()?
            .map(|item| text(key, &item?))
            .collect::<PyResult<Vec<_>>>()?;
        return Ok(items.join(","));
    }
    Err(PyTypeError::new_err(format!(
        "the value of {key} must be a str, an int, a float, a bool, a timedelta or a list of them, not {}",
        type_name(value)
    )))
}
