//! Creates the Python objects of consecutive messages.

use std::sync::Arc;

use headwater::MessageRow;
use pyo3::prelude::*;

use crate::batch::Batch;
use crate::message::{Message, Rows};

/// Creates the objects of messages.
///
/// A loop usually drops each message when it has the next one. So if the last but one has no other reference, it is
/// reused for the next message, and no object is created. This is not observable, because an observer would have a
/// reference.
#[derive(Debug, Default)]
struct Objects {
    last: Option<Py<Message>>,
    last_but_one: Option<Py<Message>>,
}

impl Objects {
    /// The message of a row. All rows of these objects must be from one table.
    #[inline]
    fn object(&mut self, py: Python<'_>, rows: &Arc<Rows>, row: usize) -> PyResult<Py<Message>> {
        let message = match self.last_but_one.take() {
            Some(forgotten) if is_forgotten(&forgotten) => {
                forgotten.get().move_to(row);
                forgotten
            }
            _ => Py::new(py, Message::new(Arc::clone(rows), row))?,
        };
        self.last_but_one = self.last.replace(message.clone_ref(py));
        Ok(message)
    }
}

/// The messages of a table, in order.
#[derive(Debug)]
pub(crate) struct Messages {
    rows: Arc<Rows>,
    next: usize,
    objects: Objects,
}

impl Messages {
    pub(crate) fn new(rows: Arc<Rows>) -> Self {
        Self {
            rows,
            next: 0,
            objects: Objects::default(),
        }
    }

    /// The next message, or `None` at the end.
    #[inline]
    pub(crate) fn next(&mut self, py: Python<'_>) -> PyResult<Option<Py<Message>>> {
        let row = self.next;
        if row == self.rows.len() {
            return Ok(None);
        }
        self.next += 1;
        self.objects.object(py, &self.rows, row).map(Some)
    }
}

/// The messages of a consumer.
#[derive(Debug, Default)]
pub(crate) struct ConsumerMessages {
    table: Option<Table>,
}

/// The table of the last message, with its columns.
#[derive(Debug)]
struct Table {
    batch: Arc<headwater::Batch>,
    rows: Arc<Rows>,
    objects: Objects,
}

impl Table {
    fn new(batch: &Arc<headwater::Batch>) -> Self {
        Self {
            batch: Arc::clone(batch),
            rows: Arc::clone(Batch::new((**batch).clone(), None).rows()),
            objects: Objects::default(),
        }
    }
}

impl ConsumerMessages {
    /// The object of a message. Without one, the last table is dropped.
    #[inline]
    pub(crate) fn object(
        &mut self,
        py: Python<'_>,
        row: Option<MessageRow<'_>>,
    ) -> PyResult<Option<Py<Message>>> {
        let Some(MessageRow { batch, row }) = row else {
            self.table = None;
            return Ok(None);
        };
        let table = match &mut self.table {
            Some(table) if Arc::ptr_eq(&table.batch, batch) => table,
            table => table.insert(Table::new(batch)),
        };
        table.objects.object(py, &table.rows, row).map(Some)
    }
}

/// Whether the caller has the only reference. The caller holds the GIL, so no other reference can appear meanwhile.
#[expect(unsafe_code, reason = "there is no safe name for it")]
fn is_forgotten(message: &Py<Message>) -> bool {
    // SAFETY: the object is alive, because there is a reference to it.
    unsafe { pyo3::ffi::Py_REFCNT(message.as_ptr()) == 1 }
}
