//! The messages of a table, one after the other.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::message::{Message, Rows};

/// The messages of a table, one after the other.
///
/// A loop forgets each message when it has the next one. So the last but one is looked at: if nobody else has kept it, it becomes the
/// next message, and no object is made. Nobody can tell, because whoever could still look at it would have a reference.
#[derive(Debug)]
pub(crate) struct Messages {
    rows: Arc<Rows>,
    next: usize,
    last: Option<Py<Message>>,
    last_but_one: Option<Py<Message>>,
}

impl Messages {
    pub(crate) fn new(rows: Arc<Rows>) -> Self {
        Self {
            rows,
            next: 0,
            last: None,
            last_but_one: None,
        }
    }

    /// The table.
    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The row of the next message.
    pub(crate) fn position(&self) -> usize {
        self.next
    }

    /// How many messages are left.
    pub(crate) fn left(&self) -> usize {
        self.rows.len() - self.next
    }

    /// Leaves messages out.
    pub(crate) fn skip(&mut self, count: usize) {
        self.next += count.min(self.left());
    }

    /// The next message, or `None` at the end.
    #[inline]
    pub(crate) fn next(&mut self, py: Python<'_>) -> PyResult<Option<Py<Message>>> {
        let row = self.next;
        if row == self.rows.len() {
            return Ok(None);
        }
        self.next += 1;
        let message = match self.last_but_one.take() {
            Some(forgotten) if is_forgotten(&forgotten) => {
                forgotten.get().move_to(row);
                forgotten
            }
            _ => Py::new(py, Message::new(Arc::clone(&self.rows), row))?,
        };
        self.last_but_one = self.last.replace(message.clone_ref(py));
        Ok(Some(message))
    }
}

/// Whether the caller's is the only reference. The caller holds the GIL, so nobody gets one meanwhile.
#[expect(unsafe_code, reason = "there is no safe name for it")]
fn is_forgotten(message: &Py<Message>) -> bool {
    // SAFETY: the object is alive, because there is a reference to it.
    unsafe { pyo3::ffi::Py_REFCNT(message.as_ptr()) == 1 }
}
