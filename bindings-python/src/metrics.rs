//! The counters of an engine as a dict.

use headwater::{DeletionCounts, Deletions};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Names as Kafka makes them, and counts since the engine was opened.
pub(crate) fn metrics(py: Python<'_>, counts: DeletionCounts) -> PyResult<Bound<'_, PyDict>> {
    let metrics = PyDict::new(py);
    for (reason, Deletions { segments, bytes }) in [
        ("retention-time", counts.retention_time),
        ("retention-size", counts.retention_size),
        ("delete-records", counts.delete_records),
        ("exhaustion", counts.exhaustion),
    ] {
        metrics.set_item(format!("{reason}-deleted-segments-total"), segments)?;
        metrics.set_item(format!("{reason}-deleted-bytes-total"), bytes)?;
    }
    Ok(metrics)
}
