//! The producer: sends records one by one, or whole tables.

use std::sync::Arc;

use headwater::{BulkOptions, SendHandle, TrySendError};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::aio::bridge;
use crate::convert::partitions;
use crate::convert::record::Arguments;
use crate::convert::tables::Tables;
use crate::errors;
use crate::face::{Access, Answer, Face, closing, faces, none};
use crate::foreign_names::{self, ForeignArgument};
use crate::future::Future;
use crate::runtime::{self, CoreValue};
use crate::send_results::{BatchResult, RecordMetadata};
use crate::texts;

/// The methods of producers of both faces.
#[pyclass(frozen, subclass, weakref, module = "headwater._headwater")]
#[derive(Debug)]
pub(crate) struct Producer {
    access: Access,
    producer: Arc<CoreValue<headwater::Producer>>,
}

/// Sends records. Any number of threads may use it at once.
///
/// It partitions like the Java producer: by the murmur2 hash of the key, and without a key by filling one partition
/// after the other.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client:
/// ...     topic = client.create_topic("flights")
/// ...     with client.producer() as producer:
/// ...         for delay in range(3):
/// ...             _ = producer.send("flights", f"{delay}", key=b"UA")
/// ...     len(topic)
/// 3
#[pyclass(frozen, extends = Producer, module = "headwater", name = "Producer")]
#[derive(Debug)]
pub(crate) struct BlockingProducer;

/// `headwater.Producer` for asyncio. `send()` accepts the record at once; its result is awaited.
///
/// >>> import asyncio, headwater.aio as hw
/// >>> async def main():
/// ...     async with hw.open() as client, client.producer() as producer:
/// ...         await client.create_topic("flights")
/// ...         done = await asyncio.gather(*(producer.send("flights", f"{delay}") for delay in range(3)))
/// ...         return [metadata.offset for metadata in done]
/// >>> asyncio.run(main())
/// [0, 1, 2]
#[pyclass(frozen, extends = Producer, module = "headwater.aio", name = "Producer")]
#[derive(Debug)]
pub(crate) struct AsyncioProducer;

faces!(Producer: BlockingProducer, AsyncioProducer);
closing!(Producer: BlockingProducer, AsyncioProducer);

impl Producer {
    pub(crate) fn new(access: Access, producer: headwater::Producer) -> Self {
        let producer = Arc::new(CoreValue::new(producer));
        Self { access, producer }
    }

    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    /// The producer of the core, unless this is a child process after a fork.
    pub(crate) fn get(&self) -> PyResult<&headwater::Producer> {
        self.producer.get()
    }
}

#[pymethods]
impl Producer {
    fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        Err(foreign_names::missing("Producer", slf.as_any(), name))
    }

    /// Send a record. Returns the future of its result at once, unless `buffer_memory` is full: then it waits up to
    /// `max_block_ms`.
    ///
    /// `value` and `key` are bytes, or str as UTF-8; `headers` a list of pairs of a name and bytes; `timestamp`
    /// milliseconds since 1970, an aware datetime, a date (its midnight in UTC) or the ISO text of one, rounded down to
    /// milliseconds. `value=None` deletes the key in a compacted topic.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights", partitions=4)
    /// ...     producer.send("flights", b"late", key="UA", headers=[("gate", b"B7")], partition=3).result().partition
    /// 3
    #[pyo3(signature = (topic, value=None, *, key=None, headers=None, partition=None, timestamp=None,
        on_delivery=ForeignArgument::Absent, callback=ForeignArgument::Absent, timestamp_ms=ForeignArgument::Absent),
        text_signature = "($self, topic, value=None, *, key=None, headers=None, partition=None, timestamp=None)")]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn send<'py>(
        slf: &Bound<'py, Self>,
        topic: &Bound<'py, PyString>,
        value: Option<&Bound<'py, PyAny>>,
        key: Option<&Bound<'py, PyAny>>,
        headers: Option<&Bound<'py, PyAny>>,
        partition: Option<&Bound<'py, PyAny>>,
        timestamp: Option<&Bound<'py, PyAny>>,
        on_delivery: ForeignArgument,
        callback: ForeignArgument,
        timestamp_ms: ForeignArgument,
    ) -> Answer<'py> {
        let foreign = [
            ("on_delivery", on_delivery),
            ("callback", callback),
            ("timestamp_ms", timestamp_ms),
        ];
        foreign_names::refuse_declared(slf.py(), "Producer.send", foreign)?;
        let this = slf.get();
        this.access.check()?;
        let producer = this.get()?;
        let parts = Arguments {
            topic,
            value,
            key,
            headers,
            partition,
            timestamp,
        }
        .parts()?;
        match (
            parts.with(|record| producer.try_send(record)),
            this.access.face(),
        ) {
            (Ok(handle), Face::Blocking) => future(slf, handle),
            (Ok(handle), Face::Asyncio) => bridge::call_of(future(slf, handle)?),
            (Err(TrySendError::Refused(error)), _) => Err(errors::raise(error)),
            (Err(TrySendError::WouldWait), Face::Blocking) => {
                let sent = parts.send(producer);
                future(slf, runtime::call(slf.py(), this.access.runtime(), sent)?)
            }
            (Err(TrySendError::WouldWait), Face::Asyncio) => {
                let (parts, producer) = (parts.into_owned(), producer.clone());
                let work = async move { parts.send(&producer).await?.await };
                this.access
                    .call(slf.py(), work, |_, metadata| Ok(RecordMetadata(metadata)))
            }
        }
    }

    /// Send a table, or many rows, and wait until all of it is written. There is no cost in Python per record.
    ///
    /// `rows` is any object with an Arrow capsule (a frame of Polars or pandas, a table of PyArrow or DuckDB), or an
    /// iterable of dicts, bytes or str. `key`, `value`, `headers`, `timestamp` and `partition` are the names of its
    /// columns; without `value` the remaining columns are packed as JSON. `partition` can be a number.
    ///
    /// Every value is written exactly, or refused with its row and column: NaN, and dates and times outside the years 1
    /// to 9999, cannot be expressed in JSON. Bytes are written in hexadecimal, times in ISO 8601. A key or value column
    /// of text, bytes, numbers, dates or times is written as plain text, without quotes. Timestamps are rounded down to
    /// milliseconds. Of rows in memory the first 256 MiB are checked before anything is written; if a row is refused
    /// later, the error has the number of rows written.
    ///
    /// >>> import headwater as hw, polars as pl
    /// >>> frame = pl.DataFrame({"carrier": ["UA", "AA"], "delay": [12, 0]})
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     producer.send_batch("flights", frame, key="carrier").records
    /// ...     [(message.key, message.value) for message in topic.head()]
    /// 2
    /// [(b'UA', b'{"delay":12}'), (b'AA', b'{"delay":0}')]
    #[pyo3(signature = (topic, rows_or_arrow, *, key=None, value=None, headers=None, partition=None, timestamp=None, value_format="json"))]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn send_batch<'py>(
        &self,
        py: Python<'py>,
        topic: &str,
        rows_or_arrow: &Bound<'py, PyAny>,
        key: Option<String>,
        value: Option<String>,
        headers: Option<String>,
        partition: Option<&Bound<'py, PyAny>>,
        timestamp: Option<String>,
        value_format: &str,
    ) -> Answer<'py> {
        self.access.check()?;
        let producer = self.get()?;
        let options = bulk_options(key, value, headers, partition, timestamp, value_format)?;
        let mut tables = Tables::new(rows_or_arrow, options)?;
        let mut sender = producer.tables(topic, tables.options.clone());
        let mut pieces = match self.access.face() {
            Face::Blocking => tables.next(py)?,
            // Python rows are converted in the thread of the event loop, before the work starts.
            Face::Asyncio => tables.all(py)?,
        };
        // A thread sends rows as they arrive, if they are slow or endless.
        while self.access.face() == Face::Blocking && !pieces.is_empty() {
            let sent = sender.send_checked(&pieces);
            runtime::call(py, self.access.runtime(), sent)?;
            pieces = tables.next(py)?;
        }
        let work = async move {
            sender.send_checked(&pieces).await?;
            Ok(sender.finish())
        };
        self.access
            .transfer(py, work, |_, sum| Ok(BatchResult(sum)))
    }

    /// Send all records accepted before, and wait for the results, at most `timeout` seconds. Errors are raised by the
    /// futures only.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send("flights", b"late")
    /// ...     producer.flush()
    /// ...     len(topic)
    /// 1
    #[pyo3(signature = (timeout=None))]
    fn flush<'py>(&self, py: Python<'py>, timeout: Option<f64>) -> Answer<'py> {
        let producer = self.get()?.clone();
        let deadline = runtime::deadline(timeout)?;
        let flush = async move {
            let flush = producer.flush();
            match deadline {
                Some(deadline) => match tokio::time::timeout_at(deadline.into(), flush).await {
                    Ok(flushed) => flushed.map(Some),
                    Err(_) => Ok(None),
                },
                None => flush.await.map(Some),
            }
        };
        self.access.transfer(py, flush, |py, flushed| match flushed {
            Some(()) => Ok(py.None()),
            None => Err(errors::timed_out(
                "Not all records are acknowledged yet, but they still may be: flush again, or use a longer timeout.",
            )),
        })
    }

    /// Flush, then accept no more records. Idempotent; `with` calls it.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     producer = client.producer()
    /// ...     producer.close()
    /// ...     producer.close()
    fn close<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let producer = self.get()?.clone();
        if self.access.engine()?.is_closed() {
            return self.access.nothing(py);
        }
        let work = async move { producer.close().await };
        self.access.transfer(py, work, none)
    }

    /// The number of records without a result.
    fn __repr__(&self) -> String {
        let state = match self.producer.if_ours() {
            None => "opened before a fork".to_owned(),
            Some(producer) if producer.check().is_err() || self.access.check().is_err() => {
                "closed".to_owned()
            }
            Some(producer) => {
                let queued = producer.metrics().queued_records;
                let queued = usize::try_from(queued).unwrap_or(usize::MAX);
                format!("{} queued", texts::count(queued, "record"))
            }
        };
        texts::object(self.access.face(), "Producer", [state])
    }
}

/// The future of a record accepted by `producer`.
fn future<'py>(producer: &Bound<'py, Producer>, handle: SendHandle) -> Answer<'py> {
    let future = Future::new(handle, producer.clone().unbind());
    Ok(Bound::new(producer.py(), future)?.into_any())
}

/// The roles of columns, from the arguments of `send_batch()`.
fn bulk_options(
    key: Option<String>,
    value: Option<String>,
    headers: Option<String>,
    partition: Option<&Bound<'_, PyAny>>,
    timestamp: Option<String>,
    value_format: &str,
) -> PyResult<BulkOptions> {
    let mut options = BulkOptions {
        value_format: value_format.parse().map_err(errors::raise)?,
        key,
        value,
        headers,
        timestamp,
        ..BulkOptions::default()
    };
    match partition {
        Some(column) if column.is_instance_of::<PyString>() => {
            options.partition_column = Some(column.extract()?);
        }
        Some(number) => options.partition = Some(partitions::partition(number)?),
        None => {}
    }
    Ok(options)
}
