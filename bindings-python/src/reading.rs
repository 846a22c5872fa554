//! What a consumer of either kind reads: the core's consumer, the rest of a batch whose messages are being iterated, and the arguments of
//! its calls.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use headwater::{BatchOptions, Until};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tokio::runtime::Handle;

use crate::batch::Batch;
use crate::convert::{partitions, position};
use crate::errors;
use crate::fetch_ahead::{Source, Stream};
use crate::message::{Message, Messages};

/// After a batch of so many records it is worth to fetch the next one meanwhile: more is likely to be there.
const AHEAD_RECORDS: usize = 4_096;

/// A consumer of the core, and what was fetched from it and not handed out yet: the batch whose messages are being iterated, and the one
/// behind it, which is fetched meanwhile.
#[derive(Debug)]
pub(crate) struct Reading {
    source: Source,
    rest: VecDeque<Rest>,
    messages: Stream,
    runtime: Handle,
}

#[derive(Debug)]
struct Rest {
    batch: headwater::Batch,
    messages: Messages,
}

impl Rest {
    fn new(batch: headwater::Batch) -> Self {
        let rows = Arc::clone(Batch::new(batch.clone(), None).rows());
        Self {
            batch,
            messages: Messages::new(rows),
        }
    }

    /// The rows that were not handed out.
    fn left(&self) -> Range<usize> {
        self.messages.position()..self.messages.position() + self.messages.left()
    }

    /// The partition and the offset of a row.
    fn place(&self, row: usize) -> Option<(headwater::TopicPartition, i64)> {
        let rows = self.messages.rows();
        let (partition, offset) = rows.place(row)?;
        Some((
            headwater::TopicPartition::new(rows.topic_name(row)?, partition),
            offset,
        ))
    }
}

impl Reading {
    pub(crate) fn new(consumer: headwater::Consumer, runtime: Handle) -> Self {
        Self {
            source: Source::new(consumer),
            rest: VecDeque::new(),
            messages: Stream::new(message_options()),
            runtime,
        }
    }

    /// The core's consumer. Stops what fetches ahead; what it has fetched is kept.
    pub(crate) async fn consumer(&mut self) -> headwater::Result<&mut headwater::Consumer> {
        if let Some(batch) = self.source.come_back().await? {
            self.rest.push_back(Rest::new(batch));
        }
        self.source.here()
    }

    /// The next message that was fetched already.
    #[inline]
    pub(crate) fn next_message(&mut self, py: Python<'_>) -> PyResult<Option<Py<Message>>> {
        while let Some(rest) = self.rest.front_mut() {
            if let Some(message) = rest.messages.next(py)? {
                return Ok(Some(message));
            }
            self.rest.pop_front();
        }
        Ok(None)
    }

    /// Fetches what [`Reading::next_message`] hands out next. Returns whether there will be more.
    pub(crate) async fn fetch(&mut self) -> headwater::Result<bool> {
        while let Some(batch) = self.next_batch(self.messages).await? {
            if !batch.is_empty() {
                self.rest.push_back(Rest::new(batch));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes a batch back that nobody waited for any more, before what was fetched after it.
    pub(crate) fn take_back(&mut self, batch: headwater::Batch) {
        self.rest.push_front(Rest::new(batch));
    }

    /// What was fetched and not handed out yet, at most `max_records`.
    pub(crate) async fn take_rest(
        &mut self,
        max_records: Option<usize>,
    ) -> headwater::Result<Option<headwater::Batch>> {
        self.consumer().await?;
        while let Some(mut rest) = self.rest.pop_front() {
            let left = rest.left();
            let taken = left.len().min(max_records.unwrap_or(usize::MAX).max(1));
            if taken == 0 {
                continue;
            }
            let records = rest.batch.records.slice(left.start, taken);
            if taken == left.len() {
                return Ok(Some(headwater::Batch {
                    records,
                    next_offsets: rest.batch.next_offsets,
                }));
            }
            let places = left.take(taken).filter_map(|row| rest.place(row));
            let next_offsets = places
                .map(|(partition, offset)| (partition, headwater::Offset::new(offset + 1)))
                .collect();
            rest.messages.skip(taken);
            self.rest.push_front(rest);
            return Ok(Some(headwater::Batch {
                records,
                next_offsets,
            }));
        }
        Ok(None)
    }

    /// The next records, what was fetched before first.
    pub(crate) async fn poll(
        &mut self,
        timeout: Duration,
        max_records: Option<usize>,
    ) -> headwater::Result<headwater::Batch> {
        match self.take_rest(max_records).await? {
            Some(rest) => Ok(rest),
            None => self.source.here()?.poll(timeout, max_records).await,
        }
    }

    /// The next batch, what was fetched before first. After a large one the next is fetched while the caller works on this one.
    pub(crate) async fn next_batch(
        &mut self,
        stream: Stream,
    ) -> headwater::Result<Option<headwater::Batch>> {
        let is_expected = self.rest.is_empty() && self.source.fetches(stream);
        if !is_expected && let Some(rest) = self.take_rest(Some(stream.options.max_records)).await?
        {
            return Ok(Some(rest));
        }
        let batch = self.source.next_batch(&stream.options).await?;
        if batch
            .as_ref()
            .is_some_and(|batch| batch.len() >= AHEAD_RECORDS)
        {
            self.source.fetch_ahead(&self.runtime, stream);
        }
        Ok(batch)
    }

    /// Positions, less what was fetched and not handed out yet.
    pub(crate) async fn position(
        &mut self,
    ) -> headwater::Result<BTreeMap<headwater::TopicPartition, headwater::Offset>> {
        let mut positions = self.consumer().await?.position().await?;
        for rest in self.rest.iter().rev() {
            for (partition, offset) in rest.left().rev().filter_map(|row| rest.place(row)) {
                positions.insert(partition, headwater::Offset::new(offset));
            }
        }
        Ok(positions)
    }

    /// Records between the positions and the ends.
    pub(crate) async fn lag(
        &mut self,
    ) -> headwater::Result<BTreeMap<headwater::TopicPartition, u64>> {
        let positions = self.position().await?;
        let ahead = self.source.here()?.position().await?;
        let mut lag = self.source.here()?.lag().await?;
        for (partition, records) in &mut lag {
            if let (Some(ahead), Some(position)) = (ahead.get(partition), positions.get(partition))
            {
                *records += u64::try_from(*ahead - *position).unwrap_or(0);
            }
        }
        Ok(lag)
    }

    /// The core's consumer at the first message that was not handed out, so that a change of the assignment loses none.
    pub(crate) async fn put_back(&mut self) -> headwater::Result<&mut headwater::Consumer> {
        self.consumer().await?;
        if !self.rest.is_empty() {
            let positions = self.position().await?;
            self.rest.clear();
            for (partition, offset) in positions {
                self.source
                    .here()?
                    .seek(&headwater::Position::Offset(offset), &[partition])
                    .await?;
            }
        }
        self.source.here()
    }

    /// Gives the assignment up.
    pub(crate) async fn close(&mut self) -> headwater::Result<()> {
        self.consumer().await?.close();
        self.rest.clear();
        Ok(())
    }
}

/// How iterating messages fetches: whatever is there, at once.
fn message_options() -> BatchOptions {
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
    let consumer = reading.put_back().await?;
    for (to, partitions) in moves {
        consumer.seek(&to, &partitions).await?;
    }
    Ok(())
}
