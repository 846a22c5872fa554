//! The arguments of a consumer's calls.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater::{BatchOptions, BatchStream};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::batch::Batch;
use crate::convert::{partitions, position};
use crate::errors;
use crate::message::Message;

/// The arguments of `batches()`.
pub(crate) fn batch_stream(
    max_records: i64,
    max_bytes: i64,
    max_wait: f64,
    until: &str,
) -> PyResult<BatchStream> {
    let until = until.parse().map_err(errors::raise)?;
    let Ok(max_wait) = Duration::try_from_secs_f64(max_wait) else {
        return Err(errors::invalid(
            "max_wait must be a number of seconds, and not negative.",
        ));
    };
    BatchStream::new(BatchOptions {
        max_records: limit("max_records", max_records)?,
        max_bytes: limit("max_bytes", max_bytes)?,
        max_wait,
        until,
    })
    .map_err(errors::raise)
}

/// A number of records or bytes. The core decides whether 0 is valid.
pub(crate) fn limit(name: &str, value: i64) -> PyResult<usize> {
    usize::try_from(value).map_err(|_| {
        errors::invalid(&format!(
            "{name} is {value}: use a number that is not negative."
        ))
    })
}

/// Whether a commit waits for the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    ForAnswer,
    No,
}

impl From<bool> for Wait {
    fn from(wait: bool) -> Self {
        if wait { Self::ForAnswer } else { Self::No }
    }
}

/// The argument of `commit()`: a batch, a message, or offsets by partition.
pub(crate) fn offsets(
    what: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<BTreeMap<headwater::TopicPartition, headwater::Offset>>> {
    let Some(what) = what else {
        return Ok(None);
    };
    if what.is_instance_of::<Message>() {
        let topic: String = what.getattr("topic")?.extract()?;
        let partition: i32 = what.getattr("partition")?.extract()?;
        let offset: i64 = what.getattr("offset")?.extract()?;
        return Ok(Some(BTreeMap::from([(
            headwater::TopicPartition::new(topic, partition),
            headwater::Offset::new(offset + 1),
        )])));
    }
    let what = match what.cast::<Batch>() {
        Ok(batch) => batch.getattr("next_offsets")?,
        Err(_) => what.clone(),
    };
    let offsets = what.cast::<PyDict>().map_err(|_| {
        errors::invalid(
            "commit takes a Batch, a Message, or a dict of offsets by partition such as {(\"flights\", 0): 42}.",
        )
    })?;
    let pairs = offsets.iter().map(|(partition, offset)| {
        Ok((
            partitions::topic_partition(&partition)?,
            position::offset(&offset)?,
        ))
    });
    pairs.collect::<PyResult<_>>().map(Some)
}

/// The destinations of `seek()`: positions, each with its partitions (all if empty).
pub(crate) type Moves = Vec<(headwater::Position, Vec<headwater::TopicPartition>)>;

/// The arguments of `seek()`.
pub(crate) fn seeks(
    to: &Bound<'_, PyAny>,
    partitions: Option<&Bound<'_, PyAny>>,
) -> PyResult<Moves> {
    if let Ok(offsets) = to.cast::<PyDict>()
        && offsets
            .keys()
            .iter()
            .all(|key| key.is_instance_of::<pyo3::types::PyTuple>())
    {
        let moves = offsets.iter().map(|(partition, offset)| {
            Ok((
                headwater::Position::Offset(position::offset(&offset)?),
                vec![partitions::topic_partition(&partition)?],
            ))
        });
        return moves.collect();
    }
    Ok(vec![(
        position::position(to)?,
        partitions::topic_partitions(partitions)?,
    )])
}
