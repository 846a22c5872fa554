//! A client as a collection of the names of its topics.

use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyList};

use super::{BlockingClient, Client};
use crate::runtime;

impl Client {
    /// The names of all topics except internal ones, sorted.
    fn names<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let admin = self.admin()?;
        let topics = runtime::call(py, self.access.runtime(), admin.topics(false))?;
        PyList::new(py, topics.iter().map(|topic| topic.name.as_ref()))
    }
}

#[pymethods]
impl BlockingClient {
    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyIterator>> {
        slf.as_super().get().names(slf.py())?.try_iter()
    }

    fn __len__(slf: &Bound<'_, Self>) -> PyResult<usize> {
        Ok(slf.as_super().get().names(slf.py())?.len())
    }

    // Without this a client without topics would be false, and evaluating it would send a request.
    #[expect(clippy::unused_self, reason = "Python's protocol")]
    fn __bool__(&self) -> bool {
        true
    }
}
