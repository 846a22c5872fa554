//! The report of opening a directory, as `headwater.types.RecoveryReport`.

use headwater::{OpenReport, RecoveredPartition, TopicPartition};
use pyo3::prelude::*;

use crate::convert::partitions;

/// The report; `None` if the directory was closed in order, and nothing was repaired or is missing.
pub(crate) fn report<'py>(
    py: Python<'py>,
    found: Option<&OpenReport>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(found) = found.filter(|found| found.has_news()) else {
        return Ok(None);
    };
    let recovered: Vec<_> = found
        .recovered
        .iter()
        .map(|partition| recovered_partition(py, partition))
        .collect::<PyResult<_>>()?;
    let missing: Vec<_> = found
        .missing
        .iter()
        .map(|(topic, partition)| TopicPartition::new(topic.clone(), *partition))
        .collect();
    let strays: Vec<_> = found.strays.iter().map(|stray| &stray.path).collect();
    py.import("headwater.types")?
        .getattr("RecoveryReport")?
        .call1((
            found.clean_shutdown,
            found.elapsed.as_secs_f64(),
            recovered,
            partitions::list(py, missing)?,
            &found.damaged_checkpoints,
            strays,
        ))
        .map(Some)
}

fn recovered_partition<'py>(
    py: Python<'py>,
    partition: &RecoveredPartition,
) -> PyResult<Bound<'py, PyAny>> {
    py.import("headwater.types")?
        .getattr("RecoveredPartition")?
        .call1((
            &*partition.topic,
            partition.partition.get(),
            partition.truncated_bytes,
            partition.log_end_offset.get(),
            partition.rebuilt_indexes,
            partition.details.to_string(),
        ))
}
