//! Integers: Python's, and objects with `__index__`, such as NumPy's.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt};

/// Whether the value is an integer. A bool does not count.
pub(crate) fn is_integer(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if value.is_instance_of::<PyInt>() {
        return Ok(!value.is_instance_of::<PyBool>());
    }
    value.hasattr("__index__")
}
