//! The consumer: follows partitions. The file is long because the docstrings of the methods are in it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::batch::Batch;
use crate::convert::consuming::{batch_options, by_partition, offsets, seeks};
use crate::convert::partitions;
use crate::errors;
use crate::fetch_ahead::Stream;
use crate::message::Message;
use crate::reading::{Reading, seek};
use crate::rebalances::{self, Callbacks};
use crate::runtime::{self, Embedded, Owned};

/// Reads partitions in the order of their offsets: those that it is given, or with `group_id` those that the group assigns. One thread at a time; iterating yields `Message`s as they come.
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
    callbacks: Mutex<Callbacks>,
}

impl Consumer {
    pub(crate) fn new(embedded: Arc<Embedded>, consumer: headwater::Consumer) -> Self {
        let reading = Reading::new(consumer, embedded.runtime().clone());
        Self {
            embedded,
            reading: Mutex::new(Owned::new(reading)),
            callbacks: Mutex::default(),
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

    fn next_batch(&self, py: Python<'_>, stream: Stream) -> PyResult<Option<headwater::Batch>> {
        loop {
            let mut reading = self.lock()?;
            let next = reading.get_mut()?.next_batch(stream);
            let batch = runtime::call(py, self.embedded.runtime(), next)?;
            drop(reading);
            match batch {
                Some(batch) if batch.is_empty() && self.tell_rebalances(py)? => {}
                batch => return Ok(batch),
            }
        }
    }

    /// Calls the functions of the subscription for the rebalances that are to be told. Whether there were any.
    fn tell_rebalances(&self, py: Python<'_>) -> PyResult<bool> {
        let mut any = false;
        while let Some(rebalance) = self.next_rebalance()? {
            any = true;
            let function = self.callbacks.lock().of(py, &rebalance);
            // Nothing is locked: it may commit and seek.
            if let Some(function) = function {
                rebalances::call(py, &function, &rebalance)?;
            }
        }
        Ok(any)
    }

    fn next_rebalance(&self) -> PyResult<Option<headwater::Rebalance>> {
        let mut reading = self.lock()?;
        reading.get_mut()?.next_rebalance().map_err(errors::raise)
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
            reading.put_back().await?.assign(partitions).await
        })
    }

    /// Read what the group (`group_id`) assigns of these topics: a name, names, or a `re.compile(...)` that the whole name of a topic must
    /// match, now or later. The group assigns while the consumer is polled.
    ///
    /// `on_assign`, `on_revoke` and `on_lost` are called in the thread that polls, with the partitions concerned: after they came, before
    /// they go (they can still be committed), and when others have them already. Without `on_lost`, `on_revoke` is called instead.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open(group_initial_rebalance_delay_ms=0) as client, client.consumer(group_id="readers") as consumer:
    /// ...     _ = client.create_topic("flights")
    /// ...     consumer.subscribe("flights", on_assign=lambda partitions: print("assigned", partitions))
    /// ...     while not consumer.assignment():
    /// ...         _ = consumer.poll(0.1)
    /// assigned [TopicPartition(topic='flights', partition=0)]
    #[pyo3(signature = (topics, *, on_assign=None, on_revoke=None, on_lost=None))]
    fn subscribe(
        &self,
        py: Python<'_>,
        topics: &Bound<'_, PyAny>,
        on_assign: Option<Py<PyAny>>,
        on_revoke: Option<Py<PyAny>>,
        on_lost: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let subscription = partitions::subscription(topics)?;
        let mut reading = self.lock()?;
        let reading = reading.get_mut()?;
        let subscribe = async { reading.put_back().await?.subscribe(subscription) };
        runtime::call(py, self.embedded.runtime(), subscribe)?;
        *self.callbacks.lock() = Callbacks::new(on_assign, on_revoke, on_lost);
        Ok(())
    }

    /// Leave the group and give all partitions up; what is finished is committed first, unless `enable_auto_commit` is false.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.consumer("flights", group_id="readers") as consumer:
    /// ...     consumer.unsubscribe()
    /// ...     consumer.assignment()
    /// []
    fn unsubscribe(&self, py: Python<'_>) -> PyResult<()> {
        let mut reading = self.lock()?;
        let reading = reading.get_mut()?;
        runtime::call(py, self.embedded.runtime(), reading.unsubscribe())
    }

    /// Commit for the group how far it has read: everything handed out so far, a `Batch`, a `Message` or offsets by partition (the next
    /// ones to be read). With `wait=False` a failure is only logged.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer, client.consumer(group_id="readers") as consumer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     consumer.assign([("flights", 0)])
    /// ...     consumer.seek("earliest")
    /// ...     consumer.commit(consumer.poll())
    /// ...     consumer.committed()
    /// {TopicPartition(topic='flights', partition=0): 2}
    #[pyo3(signature = (what=None, *, wait=true))]
    fn commit(&self, py: Python<'_>, what: Option<&Bound<'_, PyAny>>, wait: bool) -> PyResult<()> {
        let what = offsets(what)?;
        let mut reading = self.lock()?;
        let commit = reading.get_mut()?.commit(what, wait.into());
        runtime::call(py, self.embedded.runtime(), commit)
    }

    /// What the group has committed for these partitions, or for all that are assigned. Those without a commit are left out.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.consumer(group_id="readers") as consumer:
    /// ...     _ = client.create_topic("flights")
    /// ...     consumer.commit({("flights", 0): 0})
    /// ...     consumer.committed([("flights", 0)])
    /// {TopicPartition(topic='flights', partition=0): 0}
    #[pyo3(signature = (partitions=None))]
    fn committed<'py>(
        &self,
        py: Python<'py>,
        partitions: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let partitions = partitions::topic_partitions(partitions)?;
        let mut reading = self.lock()?;
        let reading = reading.get_mut()?;
        let committed = async { reading.consumer().await?.committed(&partitions).await };
        let committed = runtime::call(py, self.embedded.runtime(), committed)?;
        by_partition(
            py,
            committed
                .into_iter()
                .map(|(partition, offset)| (partition, offset.get())),
        )
    }

    /// The partitions that are read.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights")
    /// ...     client.consumer("flights").assignment()
    /// [TopicPartition(topic='flights', partition=0)]
    fn assignment<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut reading = self.lock()?;
        let reading = reading.get_mut()?;
        let assigned = async { Ok(reading.consumer().await?.assignment()) };
        let assigned = runtime::call(py, self.embedded.runtime(), assigned)?;
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
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
        loop {
            let timeout = deadline.map_or(Duration::from_hours(1), left);
            let mut reading = self.lock()?;
            let poll = reading.get_mut()?.poll(timeout, max_records);
            let batch = runtime::call(py, self.embedded.runtime(), poll)?;
            drop(reading);
            let goes_on = batch.is_empty() && self.tell_rebalances(py)? && !timeout.is_zero();
            if !goes_on {
                return Ok(Batch::new(batch, None));
            }
        }
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
            stream: Stream::new(options),
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
            reading.put_back().await?.pause(&partitions)
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
    fn resume(&self, py: Python<'_>, partitions: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let partitions = partitions::topic_partitions(partitions)?;
        let mut reading = self.lock()?;
        let reading = reading.get_mut()?;
        let resume = async { reading.consumer().await?.resume(&partitions) };
        runtime::call(py, self.embedded.runtime(), resume)
    }

    /// The paused partitions.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     client.consumer().paused()
    /// []
    fn paused<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut reading = self.lock()?;
        let reading = reading.get_mut()?;
        let paused = async { Ok(reading.consumer().await?.paused()) };
        let paused = runtime::call(py, self.embedded.runtime(), paused)?;
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
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.embedded.engine()?.is_closed() {
            return Ok(());
        }
        let mut reading = self.lock()?;
        runtime::call(py, self.embedded.runtime(), reading.get_mut()?.close())
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        self.close(py)
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<Message>>> {
        loop {
            let mut reading = self.lock()?;
            if let Some(message) = reading.get_mut()?.next_message(py)? {
                return Ok(Some(message));
            }
            let fetch = reading.get_mut()?.fetch();
            let more = runtime::call(py, self.embedded.runtime(), fetch)?;
            drop(reading);
            if !more {
                return Ok(None);
            }
            self.tell_rebalances(py)?;
        }
    }

    #[expect(clippy::unused_self, reason = "Python's protocol")]
    fn __repr__(&self) -> &'static str {
        "Consumer()"
    }
}

/// Iterates the batches of a consumer.
#[pyclass(frozen, module = "headwater._headwater", name = "_BatchIterator")]
#[derive(Debug)]
pub(crate) struct BatchIterator {
    consumer: Py<Consumer>,
    stream: Stream,
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
            .next_batch(py, self.stream)?
            .map(|batch| Batch::new(batch, None)))
    }
}
