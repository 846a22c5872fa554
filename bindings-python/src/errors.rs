//! Converts errors of the core to exceptions of `headwater.errors`.

use headwater::Error;
use headwater::columnar::DecodeError;
use pyo3::exceptions::PySystemExit;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::runtime;

/// The exception of an error of the core.
#[expect(clippy::needless_pass_by_value, reason = "it is mapped over results")]
pub(crate) fn raise(error: Error) -> PyErr {
    Python::attach(|py| {
        let source = std::error::Error::source(&error);
        if let Some(raised) = source.and_then(|source| source.downcast_ref::<PyErr>()) {
            // A function of the caller raised this exception.
            return raised.clone_ref(py);
        }
        let fields = PyDict::new(py);
        fields
            .set_item("code", error.code().name())
            .and_then(|()| fields.set_item("retriable", error.is_retriable()))
            .and_then(|()| fields.set_item("fatal", error.is_fatal()))
            .and_then(|()| fields.set_item("topic", error.topic()))
            .and_then(|()| {
                fields.set_item(
                    "partition",
                    error.partition().map(headwater::PartitionId::get),
                )
            })
            .and_then(|()| fields.set_item("offset", error.offset().map(headwater::Offset::get)))
            .and_then(|()| set_record(&fields, &error))
            .and_then(|()| instance(py, error.kind().name(), error.message(), Some(&fields)))
            .unwrap_or_else(|broken| broken)
    })
}

/// Sets the attributes of `DecodeError` for the record besides its position: its original key and value.
fn set_record(fields: &Bound<'_, PyDict>, error: &Error) -> PyResult<()> {
    let source = std::error::Error::source(error);
    let decoding = source.and_then(|source| source.downcast_ref::<DecodeError>());
    let Some(record) = decoding.and_then(|error| error.record.as_ref()) else {
        return Ok(());
    };
    let bytes = |bytes: &Option<_>| {
        bytes
            .as_deref()
            .map(|bytes| PyBytes::new(fields.py(), bytes))
    };
    fields.set_item("key", bytes(&record.key))?;
    fields.set_item("value", bytes(&record.value))
}

/// The object was created before a fork and is used in the child.
pub(crate) fn forked() -> PyErr {
    local(
        "ForkError",
        "This object was made before os.fork() and cannot be used in the child: open the client in the child, or start processes \
         with the method \"spawn\".",
    )
}

/// The object was closed before the call.
pub(crate) fn closed(message: &str) -> PyErr {
    local("ClosedError", message)
}

/// A call did not complete in time.
pub(crate) fn timed_out(message: &str) -> PyErr {
    local("RequestTimedOutError", message)
}

/// A configuration is invalid.
pub(crate) fn config(message: &str) -> PyErr {
    local("ConfigError", message)
}

/// An argument is invalid.
pub(crate) fn invalid(message: &str) -> PyErr {
    local("InvalidArgumentError", message)
}

fn local(class: &str, message: &str) -> PyErr {
    Python::attach(|py| instance(py, class, message, None).unwrap_or_else(|broken| broken))
}

fn instance(
    py: Python<'_>,
    class: &str,
    message: &str,
    fields: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyErr> {
    if runtime::is_left_behind() {
        // The interpreter exits and does not wait for this thread: end the thread silently.
        return Ok(PySystemExit::new_err(()));
    }
    let class = py.import("headwater.errors")?.getattr(class)?;
    Ok(PyErr::from_value(class.call((message,), fields)?))
}
