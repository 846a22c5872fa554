//! Integers: those of Python, and whatever stands for one (`__index__`), such as NumPy's.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt};

/// Whether the value is an integer. A bool is none here.
pub(crate) fn is_integer(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if value.is_instance_of::<PyInt>() {
        return Ok(!value.is_instance_of::<PyBool>());
    }
    value.hasattr("__index__")
}
