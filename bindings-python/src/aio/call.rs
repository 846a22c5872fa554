//! The awaitable that a call of `headwater.aio` returns. `asyncio.create_task` and `TaskGroup.create_task` accept it
//! like a coroutine. Its work has already started, except for reads of a consumer, which start when they are awaited.

use parking_lot::Mutex;
use pyo3::exceptions::{PyBaseException, PyRuntimeError, PyStopIteration};
use pyo3::prelude::*;

use super::bridge::{Caller, Slot};

/// A call. It can be awaited once, in the thread of its event loop.
#[pyclass(frozen, module = "headwater._headwater", name = "_Call")]
pub(crate) struct Call(Mutex<Step>);

/// The state of a call.
enum Step {
    /// The result is available.
    Ready(PyResult<Py<PyAny>>),
    /// The work starts when the call is awaited.
    Later(Begin),
    /// The same for a method of an object, without a closure on the heap: used for every message of a consumer.
    LaterOf { object: Py<PyAny>, begin: BeginOf },
    /// The work is running and the call is not awaited yet; `slot` gets the result before the future completes.
    Begun { future: Py<PyAny>, slot: Slot },
    /// The call is being awaited.
    Awaited { steps: Py<PyAny>, slot: Slot },
    /// The result was taken, or the call was cancelled.
    Over,
}

/// Starts the work when the call is awaited.
pub(super) type Begin = Box<dyn FnOnce(Python<'_>) -> PyResult<Start> + Send>;

/// Starts the work of an object when the call is awaited.
pub(super) type BeginOf = fn(&Bound<'_, PyAny>) -> PyResult<Start>;

/// The first result of starting an awaited call.
pub(crate) enum Start {
    /// The result of the call.
    Result(Py<PyAny>),
    /// Another call, which has the result.
    Call(Py<PyAny>),
}

impl Start {
    /// The call to await next. A result ends this call with an exception, like the end of an iterator.
    fn into_steps(self) -> PyResult<(Py<PyAny>, Slot)> {
        match self {
            Self::Result(result) => Err(returned(result)),
            Self::Call(call) => Ok((call, Slot::default())),
        }
    }
}

impl Call {
    /// A call that starts when it is awaited.
    pub(crate) fn later(begin: Begin) -> Self {
        Self(Mutex::new(Step::Later(begin)))
    }

    /// A call of an object that starts when it is awaited.
    pub(crate) fn later_of(object: Py<PyAny>, begin: BeginOf) -> Self {
        Self(Mutex::new(Step::LaterOf { object, begin }))
    }

    /// A call with this result.
    pub(crate) fn ready(result: PyResult<Bound<'_, PyAny>>) -> Self {
        Self(Mutex::new(Step::Ready(result.map(Bound::unbind))))
    }

    /// A call whose result is in `slot` when the awaitable `future` completes; without a slot the future has the
    /// result.
    pub(crate) fn begun(future: Bound<'_, PyAny>, slot: Slot) -> Self {
        Self(Mutex::new(Step::Begun {
            future: future.unbind(),
            slot,
        }))
    }

    fn step(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        // The lock is not held while Python code runs.
        let step = std::mem::replace(&mut *self.0.lock(), Step::Over);
        let (steps, slot) = match step {
            Step::Ready(result) => return Err(result.map_or_else(|error| error, returned)),
            Step::Later(begin) => begin(py)?.into_steps()?,
            Step::LaterOf { object, begin } => begin(object.bind(py))?.into_steps()?,
            Step::Begun { future, slot } => (future.call_method0(py, "__await__")?, slot),
            Step::Awaited { steps, slot } => (steps, slot),
            Step::Over => {
                let message = "This call has already been awaited: keep its result.";
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

    /// Stops the work, and takes back an available result.
    fn cancel(py: Python<'_>, step: Step) -> Option<Py<PyAny>> {
        let (steps, slot) = match step {
            Step::Begun { future, slot } => {
                // Only a future of asyncio can be cancelled: a sent record cannot.
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

/// The exception passed to `throw()`: an instance, or a class and its value.
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

    /// Whether it is awaited, so that a forgotten `await` is seen.
    fn __repr__(&self) -> &'static str {
        match &*self.0.lock() {
            Step::Ready(_) => "<call of headwater.aio: done, await its result>",
            Step::Later(_) | Step::LaterOf { .. } => {
                "<call of headwater.aio: starts when it is awaited>"
            }
            Step::Begun { .. } => "<call of headwater.aio: running, await its result>",
            Step::Awaited { .. } => "<call of headwater.aio: running, awaited>",
            Step::Over => "<call of headwater.aio: over>",
        }
    }

    fn close(&self, py: Python<'_>) {
        let step = std::mem::replace(&mut *self.0.lock(), Step::Over);
        Self::cancel(py, step);
    }
}

impl Drop for Call {
    /// The work continues, like that of a task without a reference; its result is taken back.
    fn drop(&mut self) {
        if let Step::Begun { slot, .. } | Step::Awaited { slot, .. } = self.0.get_mut() {
            let slot = slot.clone();
            let _ = Python::try_attach(|py| slot.abandon(py));
        }
    }
}
