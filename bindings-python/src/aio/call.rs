//! The awaitable that a call of `headwater.aio` returns. `asyncio.create_task` and `TaskGroup.create_task` take it like a coroutine. Its work has
//! begun already, except for reads of a consumer, which begin when they are awaited.

use parking_lot::Mutex;
use pyo3::exceptions::{PyBaseException, PyRuntimeError, PyStopIteration};
use pyo3::prelude::*;

use super::bridge::{Caller, Slot};

/// A call. It is awaited once, in the thread of its event loop.
#[pyclass(frozen, module = "headwater._headwater", name = "_Call")]
pub(crate) struct Call(Mutex<Step>);

/// How far a call is.
enum Step {
    /// Its result is there.
    Ready(PyResult<Py<PyAny>>),
    /// The work begins when it is awaited.
    Later(Begin),
    /// The same for a method of an object, without a closure on the heap: every message of a consumer comes that way.
    LaterOf { object: Py<PyAny>, begin: BeginOf },
    /// The work runs, and the call is not awaited yet; `slot` gets the result before the future is done.
    Begun { future: Py<PyAny>, slot: Slot },
    /// It is being awaited.
    Awaited { steps: Py<PyAny>, slot: Slot },
    /// Its result was taken, or it was cancelled.
    Over,
}

/// Starts the work when the call is awaited.
pub(super) type Begin = Box<dyn FnOnce(Python<'_>) -> PyResult<Start> + Send>;

/// Starts the work of an object when the call is awaited.
pub(super) type BeginOf = fn(&Bound<'_, PyAny>) -> PyResult<Start>;

/// The start of a call that is awaited.
pub(crate) enum Start {
    /// Its result.
    Result(Py<PyAny>),
    /// Another call, which brings the result.
    Call(Py<PyAny>),
}

impl Start {
    /// The call to await next; the result ends the call, as an iterator ends.
    fn into_steps(self) -> PyResult<(Py<PyAny>, Slot)> {
        match self {
            Self::Result(result) => Err(returned(result)),
            Self::Call(call) => Ok((call, Slot::default())),
        }
    }
}

impl Call {
    /// A call that begins when it is awaited.
    pub(crate) fn later(begin: Begin) -> Self {
        Self(Mutex::new(Step::Later(begin)))
    }

    /// A call of an object that begins when it is awaited.
    pub(crate) fn later_of(object: Py<PyAny>, begin: BeginOf) -> Self {
        Self(Mutex::new(Step::LaterOf { object, begin }))
    }

    /// A call whose result is there.
    pub(crate) fn ready(result: PyResult<Bound<'_, PyAny>>) -> Self {
        Self(Mutex::new(Step::Ready(result.map(Bound::unbind))))
    }

    /// A call whose result is in `slot` when `future`, something to await, is done; without a slot the future has the result.
    pub(crate) fn begun(future: Bound<'_, PyAny>, slot: Slot) -> Self {
        Self(Mutex::new(Step::Begun {
            future: future.unbind(),
            slot,
        }))
    }

    fn step(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        // Not locked while Python runs.
        let step = std::mem::replace(&mut *self.0.lock(), Step::Over);
        let (steps, slot) = match step {
            Step::Ready(result) => return Err(result.map_or_else(|error| error, returned)),
            Step::Later(begin) => begin(py)?.into_steps()?,
            Step::LaterOf { object, begin } => begin(object.bind(py))?.into_steps()?,
            Step::Begun { future, slot } => (future.call_method0(py, "__await__")?, slot),
            Step::Awaited { steps, slot } => (steps, slot),
            Step::Over => {
                let message = "This call was awaited before: keep its result.";
                return Err(PyRuntimeError::new_err(message));
            }
        };
        match steps.call_method0(py, "__next__") {
            Ok(waits_for) => {
                *self.0.lock() = Step::Awaited { steps, slot };
                Ok(waits_for)
            }
            Err(ended) if ended.is_instance_of::<PyStopIteration>(py) => match slot.take() {
                Some(make) => Err(make(py, Caller::Waits).map_or_else(|error| error, returned)),
                None => Err(ended),
            },
            Err(error) => Err(error),
        }
    }

    /// Stops the work, and takes back a result that is there.
    fn cancel(py: Python<'_>, step: Step) -> Option<Py<PyAny>> {
        let (steps, slot) = match step {
            Step::Begun { future, slot } => {
                // Only a future of asyncio can be cancelled: a record that was sent is sent.
                let _ = future.call_method0(py, "cancel");
                (None, slot)
            }
            Step::Awaited { steps, slot } => (Some(steps), slot),
            Step::Ready(_) | Step::Later(_) | Step::LaterOf { .. } | Step::Over => return None,
        };
        slot.abandon(py);
        steps
    }
}

fn returned(value: Py<PyAny>) -> PyErr {
    PyStopIteration::new_err((value,))
}

/// The exception that `throw()` was given: an instance, or a class and its value.
fn thrown(exception: &Bound<'_, PyAny>, value: Option<&Bound<'_, PyAny>>) -> PyErr {
    match value {
        Some(value) if value.is_instance_of::<PyBaseException>() => {
            PyErr::from_value(value.clone())
        }
        _ => PyErr::from_value(exception.clone()),
    }
}

#[pymethods]
impl Call {
    fn __await__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.step(py)
    }

    fn send(&self, py: Python<'_>, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.step(py)
    }

    #[pyo3(signature = (exception, value=None, _traceback=None))]
    fn throw(
        &self,
        py: Python<'_>,
        exception: &Bound<'_, PyAny>,
        value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let error = thrown(exception, value);
        let step = std::mem::replace(&mut *self.0.lock(), Step::Over);
        match Self::cancel(py, step) {
            Some(steps) => steps.call_method1(py, "throw", (error.into_value(py),)),
            None => Err(error),
        }
    }

    fn close(&self, py: Python<'_>) {
        let step = std::mem::replace(&mut *self.0.lock(), Step::Over);
        Self::cancel(py, step);
    }
}

impl Drop for Call {
    /// The work goes on, as that of a task without a reference; its result is taken back.
    fn drop(&mut self) {
        if let Step::Begun { slot, .. } | Step::Awaited { slot, .. } = self.0.get_mut() {
            let slot = slot.clone();
            let _ = Python::try_attach(|py| slot.abandon(py));
        }
    }
}
