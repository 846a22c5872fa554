//! References from our objects to Python objects, shown to Python's garbage collector. A consumer refers to its callbacks, and a callback may
//! refer to the consumer: the collector has to free both together.

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

/// A Python object that the garbage collector may take away.
#[derive(Debug, Default)]
pub(crate) struct Collectable(Mutex<Option<Py<PyAny>>>);

impl Collectable {
    pub(crate) fn new(object: Option<Py<PyAny>>) -> Self {
        Self(Mutex::new(object))
    }

    /// Another reference to the object; none after the collector took it.
    pub(crate) fn get(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let object = self.0.lock();
        object.as_ref().map(|object| object.clone_ref(py))
    }

    /// Shows the object to the collector. It may run while the object is locked; a locked object is in use.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.0.try_lock() {
            Some(object) => visit.call(&*object),
            None => Ok(()),
        }
    }

    /// The collector takes the object away.
    pub(crate) fn clear(&self) {
        // Dropped after the lock: that may run Python code.
        let object = self.0.lock().take();
        drop(object);
    }
}
