//! What `async for` iterates: the messages and the batches of a consumer.

use headwater::Operation;
use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::aio::call::thrown;
use crate::aio::consumer::AioConsumer;

/// A call for the next message, which it takes only when it is awaited: one that is cancelled before takes none.
#[pyclass(module = "headwater._headwater", name = "_NextMessage")]
pub(super) struct NextMessage {
    pub(super) consumer: Py<AioConsumer>,
    pub(super) fetching: Option<Py<PyAny>>,
}

#[pymethods]
impl NextMessage {
    fn __await__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(fetching) = &self.fetching {
            match fetching.bind(py).call_method0("__next__") {
                Err(fetched) if fetched.is_instance_of::<PyStopIteration>(py) => {}
                waits_or_failed => return waits_or_failed,
            }
        }
        let consumer = self.consumer.get();
        if let Some(message) = consumer.ready_message(py)? {
            return Err(PyStopIteration::new_err((message,)));
        }
        let fetching = consumer.fetch_messages(py)?.call_method0("__await__")?;
        self.fetching = Some(fetching.clone().unbind());
        fetching.call_method0("__next__")
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.consumer)?;
        visit.call(&self.fetching)
    }

    fn __clear__(&mut self) {
        self.fetching = None;
    }

    fn send<'py>(
        &mut self,
        py: Python<'py>,
        _value: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.__next__(py)
    }

    #[pyo3(signature = (exception, value=None, _traceback=None))]
    fn throw<'py>(
        &mut self,
        py: Python<'py>,
        exception: &Bound<'py, PyAny>,
        value: Option<&Bound<'py, PyAny>>,
        _traceback: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let error = thrown(exception, value);
        match self.fetching.take() {
            Some(fetching) => fetching
                .into_bound(py)
                .call_method1("throw", (error.into_value(py),)),
            None => Err(error),
        }
    }

    fn close(&mut self, py: Python<'_>) -> PyResult<()> {
        match self.fetching.take() {
            Some(fetching) => fetching.call_method0(py, "close").map(drop),
            None => Ok(()),
        }
    }
}

/// Iterates the batches of a consumer.
#[pyclass(frozen, module = "headwater._headwater", name = "_AioBatchIterator")]
#[derive(Debug)]
pub(super) struct AioBatchIterator {
    pub(super) consumer: Py<AioConsumer>,
    pub(super) next: Operation,
}

#[pymethods]
impl AioBatchIterator {
    fn __aiter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __anext__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let next = self.next.clone();
        self.consumer.get().read(py, move || next)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.consumer)
    }
}
