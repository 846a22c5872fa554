//! The producer: records one by one, or whole tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::{BulkOptions, TrySendError};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::convert::partitions;
use crate::convert::record::Arguments;
use crate::convert::tables::Tables;
use crate::errors;
use crate::future::Future;
use crate::pickles::{self, Reduced};
use crate::runtime::{self, Embedded, Owned};

/// Sends records. Any number of threads may use it at once.
///
/// The partitioner is Java's: by the murmur2 hash of the key, and without a key whichever partition is being filled.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client:
/// ...     topic = client.create_topic("flights")
/// ...     with client.producer() as producer:
/// ...         for delay in range(3):
/// ...             _ = producer.send("flights", f"{delay}", key=b"UA")
/// ...     len(topic)
/// 3
#[pyclass(frozen, weakref, module = "headwater")]
#[derive(Debug)]
pub(crate) struct Producer {
    embedded: Arc<Embedded>,
    producer: Arc<Owned<headwater::Producer>>,
}

impl Producer {
    pub(crate) fn new(embedded: Arc<Embedded>, producer: headwater::Producer) -> Self {
        let producer = embedded.adopt(producer);
        Self { embedded, producer }
    }

    pub(crate) fn embedded(&self) -> &Arc<Embedded> {
        &self.embedded
    }

    /// The producer of the core, unless this is a child of its process.
    pub(crate) fn get(&self) -> PyResult<&headwater::Producer> {
        self.producer.get()
    }
}

/// Which columns become what, from the arguments of `send_batch()`.
pub(crate) fn bulk_options(
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

#[pymethods]
impl Producer {
    /// Send a record. Returns at once with the future of its result, unless `buffer_memory` is full: then it waits up to `max_block_ms`.
    ///
    /// `value` and `key` are bytes, or str as UTF-8; `headers` a list of pairs of a name and bytes; `timestamp` milliseconds since 1970
    /// or an aware datetime, of which whole milliseconds are kept. `value=None` deletes the key in a compacted topic.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights", partitions=4)
    /// ...     producer.send("flights", b"late", key="UA", headers=[("gate", b"B7")], partition=3).result().partition
    /// 3
    #[pyo3(signature = (topic, value=None, *, key=None, headers=None, partition=None, timestamp=None))]
    fn send(
        slf: &Bound<'_, Self>,
        topic: &Bound<'_, PyString>,
        value: Option<&Bound<'_, PyAny>>,
        key: Option<&Bound<'_, PyAny>>,
        headers: Option<&Bound<'_, PyAny>>,
        partition: Option<&Bound<'_, PyAny>>,
        timestamp: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Future> {
        let this = slf.get();
        this.embedded.check()?;
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
        let handle = match parts.with(|record| producer.try_send(record)) {
            Ok(handle) => handle,
            Err(TrySendError::Refused(error)) => return Err(errors::raise(error)),
            Err(TrySendError::WouldWait) => {
                let py = slf.py();
                runtime::call(py, this.embedded.runtime(), parts.send(producer))?
            }
        };
        Ok(Future::new(handle, slf.clone().unbind()))
    }

    /// Send a table, or many rows, and wait until all of it is written. Nothing costs per record.
    ///
    /// `rows` is anything with an Arrow capsule (a frame of Polars or pandas, a table of PyArrow or DuckDB), or an iterable of dicts,
    /// bytes or str. `key`, `value`, `headers`, `timestamp` and `partition` name its columns; without `value` the columns that are left
    /// are packed as JSON. `partition` may be a number.
    ///
    /// Every value is written exactly, or refused with its row and column: NaN, and dates and times outside the years 1 to 9999, have no
    /// form in JSON. Bytes are written in hexadecimal, times in ISO 8601. A key or value column of text, bytes, numbers, dates or times
    /// is its text alone, without quotes. Timestamps are whole milliseconds; what is finer is cut off. Of rows that are in memory the first
    /// 256 MiB are checked before anything is written; if a row is refused later, the error says how many rows were written.
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
    fn send_batch(
        &self,
        py: Python<'_>,
        topic: &str,
        rows_or_arrow: &Bound<'_, PyAny>,
        key: Option<String>,
        value: Option<String>,
        headers: Option<String>,
        partition: Option<&Bound<'_, PyAny>>,
        timestamp: Option<String>,
        value_format: &str,
    ) -> PyResult<BatchResult> {
        self.embedded.check()?;
        let producer = self.get()?;
        let options = bulk_options(key, value, headers, partition, timestamp, value_format)?;
        let mut tables = Tables::new(rows_or_arrow, options)?;
        let mut sender = producer.tables(topic, tables.options.clone());
        let runtime = self.embedded.runtime();
        loop {
            let pieces = tables.next(py)?;
            if pieces.is_empty() {
                return Ok(BatchResult(sender.finish()));
            }
            for piece in &pieces {
                runtime::call(py, runtime, sender.check(piece))?;
            }
            for piece in &pieces {
                runtime::call(py, runtime, sender.send(piece))?;
            }
        }
    }

    /// Send everything that was taken before, and wait for the answers, at most `timeout` seconds. Errors stay with the futures.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send("flights", b"late")
    /// ...     producer.flush()
    /// ...     len(topic)
    /// 1
    #[pyo3(signature = (timeout=None))]
    fn flush(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        let flush = self.get()?.flush();
        match runtime::wait_until(
            py,
            self.embedded.runtime(),
            flush,
            runtime::deadline(timeout)?,
        )? {
            Some(flushed) => flushed.map_err(errors::raise),
            None => Err(errors::timed_out(
                "Not all records are acknowledged yet, but they still may be: flush again, or give it more time.",
            )),
        }
    }

    /// Flush, then take no more records. Idempotent; `with` calls it.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     producer = client.producer()
    /// ...     producer.close()
    /// ...     producer.close()
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let producer = self.get()?;
        if self.embedded.engine()?.is_closed() {
            return Ok(());
        }
        runtime::call(py, self.embedded.runtime(), producer.close())
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        self.close(py)
    }

    #[expect(clippy::unused_self, reason = "Python's protocol")]
    fn __repr__(&self) -> &'static str {
        "Producer()"
    }
}

/// Where a record went.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client, client.producer() as producer:
/// ...     _ = client.create_topic("flights")
/// ...     done = producer.send("flights", b"late", timestamp=0).result()
/// >>> done.topic, done.partition, done.offset, done.timestamp_ms
/// ('flights', 0, 0, 0)
#[pyclass(frozen, eq, module = "headwater")]
#[derive(Debug, PartialEq)]
pub(crate) struct RecordMetadata(pub(crate) headwater::RecordMetadata);

#[pymethods]
impl RecordMetadata {
    /// The topic's name.
    #[getter]
    fn topic(&self) -> &str {
        &self.0.topic
    }

    /// The partition's number.
    #[getter]
    fn partition(&self) -> i32 {
        self.0.partition.get()
    }

    /// The offset; `None` with `acks=0`, where the broker does not tell.
    #[getter]
    fn offset(&self) -> Option<i64> {
        self.0.offset.map(headwater::Offset::get)
    }

    /// The time of the record in milliseconds since 1970: the producer's, or the broker's where the topic says so.
    #[getter]
    fn timestamp_ms(&self) -> i64 {
        self.0.timestamp_ms
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        let arguments = (
            self.topic(),
            self.partition(),
            self.offset(),
            self.timestamp_ms(),
        );
        pickles::reduced(py, "_unpickle_record_metadata", arguments)
    }

    fn __repr__(&self) -> String {
        let offset = self
            .offset()
            .map_or_else(|| "None".to_owned(), |offset| offset.to_string());
        format!(
            "RecordMetadata(topic='{}', partition={}, offset={offset}, timestamp_ms={})",
            self.0.topic,
            self.partition(),
            self.0.timestamp_ms
        )
    }
}

/// Where a table went.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client, client.producer() as producer:
/// ...     _ = client.create_topic("flights")
/// ...     done = producer.send_batch("flights", [b"a", b"b"])
/// >>> done.records, done.offsets, done.bytes > 0
/// (2, {0: [range(0, 2)]}, True)
#[pyclass(frozen, eq, module = "headwater")]
#[derive(Debug, PartialEq)]
pub(crate) struct BatchResult(pub(crate) headwater::BatchResult);

#[pymethods]
impl BatchResult {
    /// How many records were written.
    #[getter]
    fn records(&self) -> u64 {
        self.0.records
    }

    /// How many bytes they take in the log.
    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// The ranges of offsets that the rows got in each partition, in order.
    #[getter]
    fn offsets<'py>(&self, py: Python<'py>) -> PyResult<BTreeMap<i32, Vec<Bound<'py, PyAny>>>> {
        let range = py.import("builtins")?.getattr("range")?;
        let partition = |(partition, ranges): (
            &headwater::PartitionId,
            &Vec<std::ops::Range<headwater::Offset>>,
        )| {
            let ranges = ranges
                .iter()
                .map(|offsets| range.call1((offsets.start.get(), offsets.end.get())));
            Ok((partition.get(), ranges.collect::<PyResult<Vec<_>>>()?))
        };
        self.0.offsets.iter().map(partition).collect()
    }

    fn __repr__(&self) -> String {
        format!(
            "BatchResult(records={}, bytes={})",
            self.0.records, self.0.bytes
        )
    }
}
