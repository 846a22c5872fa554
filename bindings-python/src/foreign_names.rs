//! Errors about names of other libraries, from the table in `headwater/_foreign_names.py`.

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The error for an attribute that does not exist. `place` is the class in the table.
pub(crate) fn missing(place: &str, owner: &Bound<'_, PyAny>, name: &str) -> PyErr {
    let error = table(owner.py()).and_then(|table| {
        let arguments = (place, name, owner);
        Ok(PyErr::from_value(
            table.call_method1("attribute_error", arguments)?,
        ))
    });
    error.unwrap_or_else(|broken| broken)
}

/// Refuses keyword arguments that a call does not have.
pub(crate) fn refuse(call: &str, given: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
    check("refuse_keywords", call, given)
}

/// A keyword argument of another library. A call with `**others` has a slower calling convention, so `Producer.send`
/// declares these arguments instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForeignArgument {
    Absent,
    Given,
}

impl FromPyObject<'_, '_> for ForeignArgument {
    type Error = PyErr;

    fn extract(_: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        Ok(Self::Given)
    }
}

/// Refuses the given ones of the declared arguments of other libraries.
pub(crate) fn refuse_declared<const N: usize>(
    py: Python<'_>,
    call: &str,
    declared: [(&str, ForeignArgument); N],
) -> PyResult<()> {
    for (name, argument) in declared {
        if argument == ForeignArgument::Given {
            let given = PyDict::new(py);
            given.set_item(name, py.None())?;
            refuse(call, Some(&given))?;
        }
    }
    Ok(())
}

/// Refuses names of other libraries among keyword arguments and configuration keys.
pub(crate) fn check_configuration(
    call: &str,
    config: Option<&Bound<'_, PyDict>>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    check("check_keys", call, config)?;
    check("check_keywords", call, keywords)
}

fn check(function: &str, call: &str, given: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
    match given {
        Some(given) if !given.is_empty() => {
            table(given.py())?.call_method1(function, (call, given))?;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn table(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("headwater._foreign_names")
}
