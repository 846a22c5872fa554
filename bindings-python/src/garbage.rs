//! Reports references from our objects to Python objects to Python's garbage collector. A consumer refers to its
//! callbacks, and a callback may refer to the consumer: the collector must free both together.

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

/// A Python object that the garbage collector can clear.
#[derive(Debug, Default)]
pub(crate) struct Collectable(Mutex<Option<Py<PyAny>>>);

impl Collectable {
    pub(crate) fn new(object: Option<Py<PyAny>>) -> Self {
        Self(Mutex::new(object))
    }

    /// Another reference to the object; `None` after the collector has cleared it.
    pub(crate) fn get(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let object = self.0.lock();
        object.as_ref().map(|object| object.clone_ref(py))
    }

    /// Reports the object to the collector. It may run while the object is locked; a locked object is in use.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.0.try_lock() {
            Some(object) => visit.call(&*object),
            None => Ok(()),
        }
    }

    /// Clears the object for the collector.
    pub(crate) fn clear(&self) {
        // Dropped after the lock is released: that may run Python code.
        let object = self.0.lock().take();
        drop(object);
    }
}
