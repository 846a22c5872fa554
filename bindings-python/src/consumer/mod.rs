//! The consumer: follows partitions.

mod group;
mod partitions;

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use pyo3::prelude::*;

use crate::batch::Batch;
use crate::convert::consuming::batch_options;
use crate::errors;
use crate::fetch_ahead::Stream;
use crate::message::Message;
use crate::reading::Reading;
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
