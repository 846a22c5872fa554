//! The consumer: follows partitions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater::{BatchOptions, Until};
use parking_lot::{Mutex, MutexGuard};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::batch::Batch;
use crate::convert::{partitions, position};
use crate::errors;
use crate::message::{Message, Rows};
use crate::runtime::{self, Embedded, Owned};

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

/// Reads assigned partitions in the order of their offsets. One thread at a time; iterating yields `Message`s as they come.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client, client.producer() as producer:
/// ...     _ = client.create_topic("flights")
/// ...     _ = producer.send_batch("flights", [b"a", b"b"])
/// ...     with client.consumer("flights", auto_offset_reset="earliest") as consumer:
/// ...         for message in consumer:
/// ...             print(message.offset, message.value)
/// ...             if message.offset == 1:
/// ...                 break
/// 0 b'a'
/// 1 b'b'
#[pyclass(frozen, weakref, module = "headwater")]
#[derive(Debug)]
pub(crate) struct Consumer {
    embedded: Arc<Embedded>,
    reading: Mutex<Owned<Reading>>,
}

impl Consumer {
    pub(crate) fn new(embedded: Arc<Embedded>, consumer: headwater::Consumer) -> Self {
        Self {
            embedded,
            reading: Mutex::new(Owned::new(Reading::new(consumer))),
        }
    }

    fn lock(&self) -> PyResult<MutexGuard<'_, Owned<Reading>>> {
        self.embedded.check()?;
        self.reading.try_lock().ok_or_else(|| {
            errors::invalid(
                "Another thread is using this consumer: give each thread a consumer of its own.",
            )
        })
    }

    fn next_batch(
        &self,
        py: Python<'_>,
        options: &BatchOptions,
    ) -> PyResult<Option<headwater::Batch>> {
        let mut reading = self.lock()?;
        let reading = reading.get_mut()?;
        if let Some(rest) = reading.take_rest(Some(options.max_records)) {
            return Ok(Some(rest));
        }
        runtime::call(
            py,
            self.embedded.runtime(),
            reading.consumer.next_batch(options),
        )
    }
}

#[pymethods]
impl Consumer {
    /// Read these partitions from now on, and only these: pairs of a topic and a number. A partition that stays keeps its position; a new
    /// one starts where `auto_offset_reset` says.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.consumer() as consumer:
    /// ...     _ = client.create_topic("flights", partitions=4)
    /// ...     consumer.assign([("flights", 0), ("flights", 3)])
    /// ...     consumer.assignment()
    /// [TopicPartition(topic='flights', partition=0), TopicPartition(topic='flights', partition=3)]
    fn assign(&self, py: Python<'_>, partitions: &Bound<'_, PyAny>) -> PyResult<()> {
        let partitions = partitions::topic_partitions(Some(partitions))?;
        let mut reading = self.lock()?;
        let reading = reading.get_mut()?;
        runtime::call(py, self.embedded.runtime(), async {
            reading.put_back().await?;
            reading.consumer.assign(partitions).await
        })
    }

    /// The partitions that are read.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights")
    /// ...     client.consumer("flights").assignment()
    /// [TopicPartition(topic='flights', partition=0)]
    fn assignment<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let assigned = self.lock()?.get()?.consumer.assignment();
        assigned
            .iter()
            .map(|partition| partitions::to_python(py, partition))
            .collect()
    }

    /// The next records, at most `max_records` (by default `max_poll_records`). When `timeout` seconds pass first, the batch is empty and
    /// false.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     with client.consumer("flights", auto_offset_reset="earliest") as consumer:
    /// ...         len(consumer.poll()), bool(consumer.poll(timeout=0))
    /// (2, False)
    #[pyo3(signature = (timeout=1.0, *, max_records=None))]
    fn poll(&self, py: Python<'_>, timeout: f64, max_records: Option<usize>) -> PyResult<Batch> {
        let deadline = runtime::deadline(Some(timeout))?;
        let mut reading = self.lock()?;
        let reading = reading.get_mut()?;
        let batch = match reading.take_rest(max_records) {
            Some(rest) => rest,
            None => {
                let timeout = deadline.map_or(Duration::from_secs(3600), |deadline| {
                    deadline.saturating_duration_since(Instant::now())
                });
                runtime::call(
                    py,
                    self.embedded.runtime(),
                    reading.consumer.poll(timeout, max_records),
                )?
            }
        };
        Ok(Batch::new(batch, None))
    }

    /// The stream as batches of at most `max_records` records and about `max_bytes` bytes. Once there is something, `max_wait` seconds are
    /// given to a fuller batch. `until="end"` stops at the end of each partition as it is now.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
    /// ...     with client.consumer("flights", auto_offset_reset="earliest") as consumer:
    /// ...         [len(batch) for batch in consumer.batches(max_records=2, until="end")]
    /// [2, 1]
    #[pyo3(signature = (*, max_records=65_536, max_bytes=16_777_216, max_wait=0.1, until="forever"))]
    fn batches(
        slf: &Bound<'_, Self>,
        max_records: usize,
        max_bytes: usize,
        max_wait: f64,
        until: &str,
    ) -> PyResult<BatchIterator> {
        let options = batch_options(max_records, max_bytes, max_wait, until)?;
        Ok(BatchIterator {
            consumer: slf.clone().unbind(),
            options,
        })
    }

    /// The offset that is read next, for each partition.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights")
    /// ...     client.consumer("flights", auto_offset_reset="earliest").position()
    /// {TopicPartition(topic='flights', partition=0): 0}
    fn position<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let mut reading = self.lock()?;
        let reading = reading.get_mut()?;
        let positions = runtime::call(py, self.embedded.runtime(), reading.position())?;
        by_partition(
            py,
            positions
                .into_iter()
                .map(|(partition, offset)| (partition, offset.get())),
        )
    }

    /// How many records lie between the position and the end, for each partition.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     client.consumer("flights", auto_offset_reset="earliest").lag()
    /// {TopicPartition(topic='flights', partition=0): 2}
    fn lag<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let mut reading = self.lock()?;
        let reading = reading.get_mut()?;
        let lag = runtime::call(py, self.embedded.runtime(), reading.lag())?;
        by_partition(py, lag)
    }

    /// Go on at a position in these partitions, or in all. A dictionary may name the partitions itself.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     with client.consumer("flights") as consumer:
    /// ...         consumer.seek("earliest")
    /// ...         first = consumer.poll(max_records=1)
    /// ...         consumer.seek({("flights", 0): 0})
    /// ...         len(first), len(consumer.poll())
    /// (1, 2)
    #[pyo3(signature = (to, *, partitions=None))]
    fn seek(
        &self,
        py: Python<'_>,
        to: &Bound<'_, PyAny>,
        partitions: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let moves = seeks(to, partitions)?;
        let mut reading = self.lock()?;
        let reading = reading.get_mut()?;
        runtime::call(py, self.embedded.runtime(), seek(reading, moves))
    }

    /// Stop reading these partitions, or all, without giving them up.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a"])
    /// ...     with client.consumer("flights", auto_offset_reset="earliest") as consumer:
    /// ...         consumer.pause()
    /// ...         paused = len(consumer.poll(timeout=0.01))
    /// ...         consumer.resume()
    /// ...         paused, len(consumer.poll())
    /// (0, 1)
    #[pyo3(signature = (partitions=None))]
    fn pause(&self, py: Python<'_>, partitions: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let partitions = partitions::topic_partitions(partitions)?;
        let mut reading = self.lock()?;
        let reading = reading.get_mut()?;
        runtime::call(py, self.embedded.runtime(), async {
            reading.put_back().await?;
            reading.consumer.pause(&partitions)
        })
    }

    /// Read paused partitions again; all, if none is named.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights")
    /// ...     with client.consumer("flights") as consumer:
    /// ...         consumer.pause([("flights", 0)])
    /// ...         consumer.resume([("flights", 0)])
    /// ...         consumer.paused()
    /// []
    #[pyo3(signature = (partitions=None))]
    fn resume(&self, partitions: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let partitions = partitions::topic_partitions(partitions)?;
        self.lock()?
            .get_mut()?
            .consumer
            .resume(&partitions)
            .map_err(errors::raise)
    }

    /// The paused partitions.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     client.consumer().paused()
    /// []
    fn paused<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let paused = self.lock()?.get()?.consumer.paused();
        paused
            .iter()
            .map(|partition| partitions::to_python(py, partition))
            .collect()
    }

    /// Give the assignment up. Idempotent; `with` calls it.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     consumer = client.consumer()
    /// ...     consumer.close()
    /// ...     consumer.close()
    fn close(&self) -> PyResult<()> {
        if self.embedded.engine()?.is_closed() {
            return Ok(());
        }
        let mut reading = self.lock()?;
        let reading = reading.get_mut()?;
        reading.drop_rest();
        reading.consumer.close();
        Ok(())
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        self.close()
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Message>> {
        let mut reading = self.lock()?;
        let reading = reading.get_mut()?;
        loop {
            if let Some(message) = reading.next_message() {
                return Ok(Some(message));
            }
            match runtime::call(
                py,
                self.embedded.runtime(),
                reading.consumer.next_batch(&message_options()),
            )? {
                Some(batch) => reading.iterate(batch),
                None => return Ok(None),
            }
        }
    }

    #[expect(clippy::unused_self, reason = "Python's protocol")]
    fn __repr__(&self) -> &'static str {
        "Consumer()"
    }
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

/// Iterates the batches of a consumer.
#[pyclass(frozen, module = "headwater._headwater", name = "_BatchIterator")]
#[derive(Debug)]
pub(crate) struct BatchIterator {
    consumer: Py<Consumer>,
    options: BatchOptions,
}

#[pymethods]
impl BatchIterator {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        Ok(self
            .consumer
            .get()
            .next_batch(py, &self.options)?
            .map(|batch| Batch::new(batch, None)))
    }
}
