//! What a consumer of either kind reads: the core's consumer, the rest of a batch whose messages are being iterated, and the arguments of
//! its calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater::{BatchOptions, Until};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::batch::Batch;
use crate::convert::{partitions, position};
use crate::errors;
use crate::message::{Message, Rows};

/// A consumer of the core, and the rest of a batch whose messages are being iterated.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) consumer: headwater::Consumer,
    rest: Option<Rest>,
}

#[derive(Debug)]
struct Rest {
    batch: headwater::Batch,
    rows: Arc<Rows>,
    next: usize,
}

impl Reading {
    pub(crate) fn new(consumer: headwater::Consumer) -> Self {
        Self {
            consumer,
            rest: None,
        }
    }

    /// The next message of the batch that is being iterated.
    #[inline]
    pub(crate) fn next_message(&mut self) -> Option<Message> {
        let rest = self.rest.as_mut()?;
        let row = rest.next;
        if row == rest.rows.len() {
            self.rest = None;
            return None;
        }
        rest.next += 1;
        Some(Message::new(Arc::clone(&rest.rows), row))
    }

    /// Iterates the messages of this batch from now on.
    pub(crate) fn iterate(&mut self, batch: headwater::Batch) {
        let rows = Arc::clone(Batch::new(batch.clone(), None).rows());
        self.rest = Some(Rest {
            batch,
            rows,
            next: 0,
        });
    }

    /// What was fetched and not handed out yet, at most `max_records`.
    pub(crate) fn take_rest(&mut self, max_records: Option<usize>) -> Option<headwater::Batch> {
        let mut rest = self.rest.take()?;
        let left = rest.rows.len() - rest.next;
        if left == 0 {
            return None;
        }
        let taken = left.min(max_records.unwrap_or(left)).max(1);
        let records = rest.batch.records.slice(rest.next, taken);
        if taken == left {
            return Some(headwater::Batch {
                records,
                next_offsets: rest.batch.next_offsets,
            });
        }
        let mut next_offsets = BTreeMap::new();
        for row in rest.next..rest.next + taken {
            if let (Some(topic), Some((partition, offset))) =
                (rest.rows.topic_name(row), rest.rows.place(row))
            {
                next_offsets.insert(
                    headwater::TopicPartition::new(topic, partition),
                    headwater::Offset::new(offset + 1),
                );
            }
        }
        rest.next += taken;
        self.rest = Some(rest);
        Some(headwater::Batch {
            records,
            next_offsets,
        })
    }

    /// Positions, less what was fetched and not handed out yet.
    pub(crate) async fn position(
        &mut self,
    ) -> headwater::Result<BTreeMap<headwater::TopicPartition, headwater::Offset>> {
        let mut positions = self.consumer.position().await?;
        if let Some(rest) = &self.rest {
            for row in (rest.next..rest.rows.len()).rev() {
                if let (Some(topic), Some((partition, offset))) =
                    (rest.rows.topic_name(row), rest.rows.place(row))
                {
                    positions.insert(
                        headwater::TopicPartition::new(topic, partition),
                        headwater::Offset::new(offset),
                    );
                }
            }
        }
        Ok(positions)
    }

    /// Records between the positions and the ends.
    pub(crate) async fn lag(
        &mut self,
    ) -> headwater::Result<BTreeMap<headwater::TopicPartition, u64>> {
        let (ahead, positions) = (self.consumer.position().await?, self.position().await?);
        let mut lag = self.consumer.lag().await?;
        for (partition, records) in &mut lag {
            if let (Some(ahead), Some(position)) = (ahead.get(partition), positions.get(partition))
            {
                *records += u64::try_from(*ahead - *position).unwrap_or(0);
            }
        }
        Ok(lag)
    }

    /// Forgets what was fetched and not handed out: the position has moved.
    pub(crate) fn drop_rest(&mut self) {
        self.rest = None;
    }

    /// Goes back to the first message that was not handed out, so that a change of the assignment loses none.
    pub(crate) async fn put_back(&mut self) -> headwater::Result<()> {
        if self.rest.is_none() {
            return Ok(());
        }
        let positions = self.position().await?;
        self.rest = None;
        for (partition, offset) in positions {
            self.consumer
                .seek(&headwater::Position::Offset(offset), &[partition])
                .await?;
        }
        Ok(())
    }
}

/// How iterating messages fetches: whatever is there, at once.
pub(crate) fn message_options() -> BatchOptions {
    BatchOptions {
        max_wait: Duration::ZERO,
        ..BatchOptions::default()
    }
}

/// The arguments of `batches()`.
pub(crate) fn batch_options(
    max_records: usize,
    max_bytes: usize,
    max_wait: f64,
    until: &str,
) -> PyResult<BatchOptions> {
    let until = match until {
        "forever" => Until::Forever,
        "end" => Until::End,
        other => {
            return Err(errors::invalid(&format!(
                "until is \"forever\" or \"end\", not {other:?}."
            )));
        }
    };
    if max_records == 0 {
        return Err(errors::invalid(
            "max_records is 0: a batch has at least one record.",
        ));
    }
    let Ok(max_wait) = Duration::try_from_secs_f64(max_wait) else {
        return Err(errors::invalid(
            "max_wait must be a number of seconds that is not negative.",
        ));
    };
    Ok(BatchOptions {
        max_records,
        max_bytes,
        max_wait,
        until,
    })
}

/// Positions as a dictionary of `TopicPartition`s.
pub(crate) fn by_partition<'py, V: IntoPyObject<'py>>(
    py: Python<'py>,
    values: impl IntoIterator<Item = (headwater::TopicPartition, V)>,
) -> PyResult<Bound<'py, PyDict>> {
    let all = PyDict::new(py);
    for (partition, value) in values {
        all.set_item(partitions::to_python(py, &partition)?, value)?;
    }
    Ok(all)
}

/// Where `seek()` goes: positions, each with the partitions it is for (all, if none).
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

/// Carries `seek()` out.
pub(crate) async fn seek(reading: &mut Reading, moves: Moves) -> headwater::Result<()> {
    reading.put_back().await?;
    for (to, partitions) in moves {
        reading.consumer.seek(&to, &partitions).await?;
    }
    Ok(())
}
