//! A batch as text: its first rows.

use pyo3::prelude::*;

use crate::batch::Batch;
use crate::preview;

#[pymethods]
impl Batch {
    /// The number of records, and the first rows: at most ten, with cells of at most 32 characters.
    fn __repr__(&self) -> String {
        preview::text(&self.rows().records)
    }

    /// The table that notebooks show.
    fn _repr_html_(&self) -> String {
        preview::html(&self.rows().records)
    }
}
