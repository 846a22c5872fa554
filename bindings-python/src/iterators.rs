//! Iterators of batches, of a scan or of `Consumer.batches`.

use std::fmt::Debug;

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::face::{Answer, Face};

/// A sequence of batches.
pub(crate) trait Batches: Debug + Send + Sync {
    /// The next batch. At the end it raises `StopIteration` or `StopAsyncIteration`.
    fn next<'py>(&self, py: Python<'py>) -> Answer<'py>;

    /// Reports its references to the garbage collector.
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError>;

    /// Drops references for the garbage collector.
    fn clear(&self) {}
}

/// The iterator of the face.
pub(crate) fn iterator(py: Python<'_>, face: Face, batches: impl Batches + 'static) -> Answer<'_> {
    let batches = Box::new(batches);
    match face {
        Face::Blocking => Ok(Bound::new(py, BlockingIterator(batches))?.into_any()),
        Face::Asyncio => Ok(Bound::new(py, AsyncioIterator(batches))?.into_any()),
    }
}

#[pyclass(frozen, module = "headwater._headwater", name = "_BatchIterator")]
#[derive(Debug)]
struct BlockingIterator(Box<dyn Batches>);

#[pymethods]
impl BlockingIterator {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[expect(clippy::unused_self, reason = "Python's protocol")]
    fn __repr__(&self) -> &'static str {
        "<iterator of batches>"
    }

    fn __next__<'py>(&self, py: Python<'py>) -> Answer<'py> {
        self.0.next(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(&visit)
    }

    fn __clear__(&self) {
        self.0.clear();
    }
}

#[pyclass(frozen, module = "headwater._headwater", name = "_AioBatchIterator")]
#[derive(Debug)]
struct AsyncioIterator(Box<dyn Batches>);

#[pymethods]
impl AsyncioIterator {
    fn __aiter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[expect(clippy::unused_self, reason = "Python's protocol")]
    fn __repr__(&self) -> &'static str {
        "<asynchronous iterator of batches>"
    }

    fn __anext__<'py>(&self, py: Python<'py>) -> Answer<'py> {
        self.0.next(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(&visit)
    }

    fn __clear__(&self) {
        self.0.clear();
    }
}
