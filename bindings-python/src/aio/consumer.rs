//! The consumer, for asyncio.

use std::sync::Arc;
use std::time::Duration;

use headwater::BatchOptions;
use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::prelude::*;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::aio::bridge;
use crate::batch::Batch;

use crate::convert::partitions;
use crate::errors;
use crate::reading::{Reading, batch_options, by_partition, message_options, seek, seeks};
use crate::runtime::{Embedded, Owned};

/// A reading whose topics are assigned at its first use.
#[derive(Debug)]
struct Shared {
    reading: Reading,
    topics: Option<Vec<String>>,
}

impl Shared {
    async fn ready(&mut self) -> headwater::Result<&mut Reading> {
        if let Some(topics) = &self.topics {
            let names: Vec<&str> = topics.iter().map(String::as_str).collect();
            self.reading.consumer.assign_topics(&names).await?;
            self.topics = None;
        }
        Ok(&mut self.reading)
    }
}

/// `headwater.Consumer` for asyncio: `async for message in consumer`. One task at a time.
///
/// >>> import asyncio, headwater.aio as hw
/// >>> async def main():
/// ...     async with hw.open() as client, client.producer() as producer:
/// ...         await client.create_topic("flights")
/// ...         await producer.send_batch("flights", [b"a", b"b"])
/// ...         async with client.consumer("flights", auto_offset_reset="earliest") as consumer:
/// ...             async for message in consumer:
/// ...                 return message.value
/// >>> asyncio.run(main())
/// b'a'
#[pyclass(frozen, weakref, module = "headwater.aio", name = "Consumer")]
#[derive(Debug)]
pub(crate) struct AioConsumer {
    embedded: Arc<Embedded>,
    shared: Owned<Arc<Mutex<Shared>>>,
}

impl AioConsumer {
    pub(crate) fn new(
        embedded: Arc<Embedded>,
        consumer: headwater::Consumer,
        topics: Option<Vec<String>>,
    ) -> Self {
        Self {
            embedded,
            shared: Owned::new(Arc::new(Mutex::new(Shared {
                reading: Reading::new(consumer),
                topics,
            }))),
        }
    }

    fn lock(&self) -> PyResult<OwnedMutexGuard<Shared>> {
        self.embedded.check()?;
        Arc::clone(self.shared.get()?)
            .try_lock_owned()
            .map_err(|_| {
                errors::invalid(
                    "Another task is using this consumer: give each task a consumer of its own.",
                )
            })
    }

    fn next_batch<'py>(
        &self,
        py: Python<'py>,
        options: BatchOptions,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut shared = self.lock()?;
        let work = async move {
            let reading = shared.ready().await?;
            match reading.take_rest(Some(options.max_records)) {
                Some(rest) => Ok(Some(rest)),
                None => reading.consumer.next_batch(&options).await,
            }
        };
        bridge::background(py, self.embedded.runtime(), work, |py, batch| match batch {
            Some(batch) => Ok(Py::new(py, Batch::new(batch, None))?.into_any()),
            None => Err(PyStopAsyncIteration::new_err(())),
        })
    }
}

#[pymethods]
impl AioConsumer {
    /// See `headwater.Consumer.assign`.
    fn assign<'py>(
        &self,
        py: Python<'py>,
        partitions: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let partitions = partitions::topic_partitions(Some(partitions))?;
        let mut shared = self.lock()?;
        let work = async move {
            shared.topics = None;
            shared.reading.put_back().await?;
            shared.reading.consumer.assign(partitions).await
        };
        bridge::quick(py, self.embedded.runtime(), work, |py, ()| Ok(py.None()))
    }

    /// See `headwater.Consumer.assignment`.
    fn assignment<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut shared = self.lock()?;
        let work = async move { Ok(shared.ready().await?.consumer.assignment()) };
        bridge::quick(py, self.embedded.runtime(), work, |py, assigned| {
            let assigned = assigned
                .iter()
                .map(|partition| partitions::to_python(py, partition))
                .collect::<PyResult<Vec<_>>>()?;
            Ok(assigned.into_pyobject(py)?.unbind())
        })
    }

    /// See `headwater.Consumer.poll`.
    #[pyo3(signature = (timeout=1.0, *, max_records=None))]
    fn poll<'py>(
        &self,
        py: Python<'py>,
        timeout: f64,
        max_records: Option<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if timeout.is_nan() {
            return Err(errors::invalid(
                "The timeout is not a number: give seconds.",
            ));
        }
        let timeout =
            Duration::try_from_secs_f64(timeout.max(0.0)).unwrap_or(Duration::from_hours(1));
        let mut shared = self.lock()?;
        let work = async move {
            let reading = shared.ready().await?;
            match reading.take_rest(max_records) {
                Some(rest) => Ok(rest),
                None => reading.consumer.poll(timeout, max_records).await,
            }
        };
        bridge::background(py, self.embedded.runtime(), work, |py, batch| {
            Ok(Py::new(py, Batch::new(batch, None))?.into_any())
        })
    }

    /// See `headwater.Consumer.batches`: `async for batch in consumer.batches()`.
    #[pyo3(signature = (*, max_records=65_536, max_bytes=16_777_216, max_wait=0.1, until="forever"))]
    fn batches(
        slf: &Bound<'_, Self>,
        max_records: usize,
        max_bytes: usize,
        max_wait: f64,
        until: &str,
    ) -> PyResult<AioBatchIterator> {
        let options = batch_options(max_records, max_bytes, max_wait, until)?;
        Ok(AioBatchIterator {
            consumer: slf.clone().unbind(),
            options,
        })
    }

    /// See `headwater.Consumer.position`.
    fn position<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut shared = self.lock()?;
        bridge::quick(
            py,
            self.embedded.runtime(),
            async move { shared.ready().await?.position().await },
            |py, positions| {
                let positions = positions
                    .into_iter()
                    .map(|(partition, offset)| (partition, offset.get()));
                Ok(by_partition(py, positions)?.into_any().unbind())
            },
        )
    }

    /// See `headwater.Consumer.lag`.
    fn lag<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut shared = self.lock()?;
        bridge::quick(
            py,
            self.embedded.runtime(),
            async move { shared.ready().await?.lag().await },
            |py, lag| Ok(by_partition(py, lag)?.into_any().unbind()),
        )
    }

    /// See `headwater.Consumer.seek`.
    #[pyo3(signature = (to, *, partitions=None))]
    fn seek<'py>(
        &self,
        py: Python<'py>,
        to: &Bound<'py, PyAny>,
        partitions: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let moves = seeks(to, partitions)?;
        let mut shared = self.lock()?;
        bridge::quick(
            py,
            self.embedded.runtime(),
            async move { seek(shared.ready().await?, moves).await },
            |py, ()| Ok(py.None()),
        )
    }

    /// See `headwater.Consumer.pause`.
    #[pyo3(signature = (partitions=None))]
    fn pause<'py>(
        &self,
        py: Python<'py>,
        partitions: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let partitions = partitions::topic_partitions(partitions)?;
        let mut shared = self.lock()?;
        let work = async move {
            let reading = shared.ready().await?;
            reading.put_back().await?;
            reading.consumer.pause(&partitions)
        };
        bridge::quick(py, self.embedded.runtime(), work, |py, ()| Ok(py.None()))
    }

    /// See `headwater.Consumer.resume`.
    #[pyo3(signature = (partitions=None))]
    fn resume<'py>(
        &self,
        py: Python<'py>,
        partitions: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let partitions = partitions::topic_partitions(partitions)?;
        let mut shared = self.lock()?;
        let work = async move { shared.ready().await?.consumer.resume(&partitions) };
        bridge::quick(py, self.embedded.runtime(), work, |py, ()| Ok(py.None()))
    }

    /// See `headwater.Consumer.paused`.
    fn paused<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let paused = self.lock()?.reading.consumer.paused();
        paused
            .iter()
            .map(|partition| partitions::to_python(py, partition))
            .collect()
    }

    /// See `headwater.Consumer.close`.
    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if !self.embedded.engine()?.is_closed() {
            let mut shared = self.lock()?;
            shared.topics = None;
            shared.reading.drop_rest();
            shared.reading.consumer.close();
        }
        bridge::ready(py, Ok(py.None().into_bound(py)))
    }

    fn __aenter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        bridge::ready(slf.py(), Ok(slf.clone().into_any()))
    }

    #[pyo3(signature = (*_exception))]
    fn __aexit__<'py>(
        &self,
        py: Python<'py>,
        _exception: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.close(py)
    }

    fn __aiter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __anext__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut shared = self.lock()?;
        if let Some(message) = shared.reading.next_message() {
            return bridge::ready(py, Ok(Bound::new(py, message)?.into_any()));
        }
        let work = async move {
            let reading = shared.ready().await?;
            while let Some(batch) = reading.consumer.next_batch(&message_options()).await? {
                reading.iterate(batch);
                if let Some(message) = reading.next_message() {
                    return Ok(Some(message));
                }
            }
            Ok(None)
        };
        bridge::background(
            py,
            self.embedded.runtime(),
            work,
            |py, message| match message {
                Some(message) => Ok(Py::new(py, message)?.into_any()),
                None => Err(PyStopAsyncIteration::new_err(())),
            },
        )
    }
}

/// Iterates the batches of a consumer.
#[pyclass(frozen, module = "headwater._headwater", name = "_AioBatchIterator")]
#[derive(Debug)]
pub(crate) struct AioBatchIterator {
    consumer: Py<AioConsumer>,
    options: BatchOptions,
}

#[pymethods]
impl AioBatchIterator {
    fn __aiter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __anext__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.consumer.get().next_batch(py, self.options)
    }
}
