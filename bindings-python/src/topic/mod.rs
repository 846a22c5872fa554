//! A topic: its records as tables, and its offsets.

mod properties;
mod text;

use std::future::Future;
use std::sync::Arc;

use headwater::{Position, ScanOptions};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::batch::Batch;
use crate::client::topics::offsets_by_number;
use crate::convert::format::{self, Formats};
use crate::convert::{consuming, partitions, position};
use crate::errors;
use crate::face::{Access, Answer, faces};
use crate::foreign_names;
use crate::runtime::CoreValue;
use crate::scan::Scan;

/// The methods of topics of both faces.
#[pyclass(frozen, subclass, weakref, module = "headwater._headwater")]
#[derive(Debug)]
pub(crate) struct Topic {
    access: Access,
    name: Arc<str>,
    inner: CoreValue<headwater::Topic>,
}

/// A topic of a client. Creating it sends no request; `len()` is the number of its records, counted from batch headers.
/// Topics of one client are equal if they have the same name, and can be keys of a dictionary.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client, client.producer() as producer:
/// ...     topic = client.create_topic("flights")
/// ...     _ = producer.send_batch("flights", [{"delay": 12}, {"delay": 0}])
/// ...     len(topic), topic.scan(value="json", unnest=True).to_polars()["delay"].to_list()
/// (2, [12, 0])
#[pyclass(frozen, extends = Topic, module = "headwater", name = "Topic")]
#[derive(Debug)]
pub(crate) struct BlockingTopic;

/// `headwater.Topic` for asyncio; `await topic.count()` is its number of records.
///
/// >>> import asyncio, headwater.aio as hw
/// >>> async def main():
/// ...     async with hw.open() as client, client.producer() as producer:
/// ...         topic = await client.create_topic("flights")
/// ...         await producer.send_batch("flights", [b"a", b"b"])
/// ...         return len(await topic.head(1)), await topic.count()
/// >>> asyncio.run(main())
/// (1, 2)
#[pyclass(frozen, extends = Topic, module = "headwater.aio", name = "Topic")]
#[derive(Debug)]
pub(crate) struct AsyncioTopic;

faces!(Topic: BlockingTopic, AsyncioTopic);

impl Topic {
    pub(crate) fn new(access: Access, topic: headwater::Topic) -> Self {
        Self {
            access,
            name: topic.name().into(),
            inner: CoreValue::new(topic),
        }
    }

    /// The topic of the core, if the engine is open.
    fn get(&self) -> PyResult<headwater::Topic> {
        self.access.check()?;
        self.inner.get().cloned()
    }

    /// A scan of all records.
    fn whole(&self) -> PyResult<Scan> {
        let scan = self.get()?.scan(ScanOptions::default());
        Ok(Scan::new(self.access.clone(), scan, None))
    }

    /// A call that reads a table.
    fn table<'py, W>(
        &self,
        py: Python<'py>,
        work: impl FnOnce(headwater::Topic) -> W,
    ) -> Answer<'py>
    where
        W: Future<Output = headwater::Result<headwater::Batch>> + Send + 'static,
    {
        let topic = self.get()?;
        let name = Arc::clone(&self.name);
        self.access.transfer(py, work(topic), |_, batch| {
            Ok(Batch::new(batch, Some(name)))
        })
    }
}

#[pymethods]
impl Topic {
    fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        Err(foreign_names::missing("Topic", slf.as_any(), name))
    }

    /// The topic's name.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     client.topic("flights").name
    /// 'flights'
    #[getter]
    fn name(&self) -> PyResult<&str> {
        self.inner.get()?;
        Ok(&self.name)
    }

    /// The records from `start` to before `end` as a table that is read on use, any number of times.
    ///
    /// `start` and `end` are positions: "earliest", "latest", an offset, `{partition: offset}`, a date (its midnight in
    /// UTC), an aware datetime, the ISO text of one of these ("2026-01-31", "2026-01-31T10:00:00Z"), or an age such as
    /// "-15m". `key` and `value` are "bytes", "string" or "json"; a `schema` (an Arrow schema or `{"name": dtype}`)
    /// types the JSON value, `unnest=True` turns its fields into columns, and `on_error` ("raise", "null", "skip")
    /// handles records that do not fit: the whole schema decides which records are skipped, whatever `columns`
    /// contains. `skipped` counts them. `columns` are the columns to read. Reading stops after `limit` records:
    /// partition by partition, in offset order. `progress` is called with the records done and the total, which is
    /// counted first.
    ///
    /// With `unnest=True`, a field with the name of a record column (`timestamp`, `key`, `offset`, `partition`,
    /// `headers`, `topic`, `timestamp_type`, `leader_epoch`) becomes a column with `unnest_prefix` before its name:
    /// `json_timestamp`.
    ///
    /// Without a schema, the types of JSON are inferred from the first `infer_records` values (10,000). A field that
    /// first appears later is left out and logged once, as a warning with its name and offset. `rest="rest"` keeps the
    /// fields that the types do not name, with and without a schema: as an object in JSON, in the additional text field
    /// `rest` of the value, or null. A field whose objects have such fields is in it as a whole.
    ///
    /// A value fits a type that represents it exactly; floats are rounded to the nearest, and a decimal with too many
    /// decimals is rounded, halves away from zero. Dates and times are in the years 1 to 9999. A Python datetime has
    /// microseconds: finer decimals are rounded down.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [{"carrier": "UA", "delay": 12}, {"carrier": "AA", "delay": 0}])
    /// ...     topic.scan(start=1, value="json", unnest=True, columns=["offset", "carrier"]).to_polars().rows()
    /// ...     topic.scan(limit=1).count()
    /// [(1, 'AA')]
    /// 1
    #[pyo3(signature = (
        start=None, end=None, *, partitions=None, columns=None, key="bytes", value="bytes", schema=None, unnest=false, unnest_prefix=None,
        rest=None, on_error="raise", infer_records=None, isolation_level="read_committed",
        limit=None, progress=None
    ), text_signature = "($self, start='earliest', end='latest', *, partitions=None, columns=None, key='bytes', value='bytes', \
        schema=None, unnest=False, unnest_prefix=None, rest=None, on_error='raise', infer_records=None, isolation_level='read_committed', \
        limit=None, progress=None)")]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn scan(
        &self,
        py: Python<'_>,
        start: Option<&Bound<'_, PyAny>>,
        end: Option<&Bound<'_, PyAny>>,
        partitions: Option<&Bound<'_, PyAny>>,
        columns: Option<Vec<String>>,
        key: &str,
        value: &str,
        schema: Option<&Bound<'_, PyAny>>,
        unnest: bool,
        unnest_prefix: Option<String>,
        rest: Option<String>,
        on_error: &str,
        infer_records: Option<i64>,
        isolation_level: &str,
        limit: Option<i64>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let limit = limit
            .map(|records| consuming::limit("limit", records))
            .transpose()?;
        let mut decode = Formats {
            key,
            value,
            schema,
            unnest,
            unnest_prefix,
            rest,
            on_error,
            columns,
        }
        .options()?;
        decode.infer = format::infer(&decode, infer_records)?;
        let options = ScanOptions {
            start: start.map_or(Ok(Position::Earliest), position::position)?,
            end: end.map_or(Ok(Position::Latest), position::position)?,
            partitions: partitions::numbers(partitions)?,
            decode,
            isolation_level: isolation_level.parse().map_err(errors::raise)?,
            limit: limit.map(|records| records as u64),
            ..ScanOptions::default()
        };
        let scan = self.get()?.scan(options);
        Scan::new(self.access.clone(), scan, progress).into_object(py)
    }

    /// The first `n` records: partition by partition, in offset order.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = producer.send_batch(client.create_topic("t").name, [b"a", b"b", b"c"])
    /// ...     [message.value for message in client["t"].head(2)]
    /// [b'a', b'b']
    #[pyo3(signature = (
        n=10, *, columns=None, key="bytes", value="bytes", schema=None, unnest=false, unnest_prefix=None, rest=None, on_error="raise"
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn head<'py>(
        &self,
        py: Python<'py>,
        n: u64,
        columns: Option<Vec<String>>,
        key: &str,
        value: &str,
        schema: Option<&Bound<'_, PyAny>>,
        unnest: bool,
        unnest_prefix: Option<String>,
        rest: Option<String>,
        on_error: &str,
    ) -> Answer<'py> {
        let decode = Formats {
            key,
            value,
            schema,
            unnest,
            unnest_prefix,
            rest,
            on_error,
            columns,
        }
        .options()?;
        self.table(py, |topic| async move { topic.head(n, decode).await })
    }

    /// The `n` newest records of all partitions. Reads only the end of the topic.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = producer.send_batch(client.create_topic("t").name, [b"a", b"b", b"c"])
    /// ...     [message.value for message in client["t"].tail(2)]
    /// [b'b', b'c']
    #[pyo3(signature = (
        n=10, *, columns=None, key="bytes", value="bytes", schema=None, unnest=false, unnest_prefix=None, rest=None, on_error="raise"
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn tail<'py>(
        &self,
        py: Python<'py>,
        n: u64,
        columns: Option<Vec<String>>,
        key: &str,
        value: &str,
        schema: Option<&Bound<'_, PyAny>>,
        unnest: bool,
        unnest_prefix: Option<String>,
        rest: Option<String>,
        on_error: &str,
    ) -> Answer<'py> {
        let decode = Formats {
            key,
            value,
            schema,
            unnest,
            unnest_prefix,
            rest,
            on_error,
            columns,
        }
        .options()?;
        self.table(py, |topic| async move { topic.tail(n, decode).await })
    }

    /// The number of records, counted from batch headers.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("t")
    /// ...     _ = producer.send_batch("t", [b"a", b"b"])
    /// ...     topic.count()
    /// 2
    fn count<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let topic = self.get()?;
        let work = async move { topic.count().await };
        self.access.transfer(py, work, |_, count| Ok(count))
    }

    /// The offset of a position in each partition.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("t", partitions=2)
    /// ...     _ = producer.send("t", b"a", partition=1).result()
    /// ...     topic.offsets("latest")
    /// {0: 0, 1: 1}
    fn offsets<'py>(&self, py: Python<'py>, at: &Bound<'py, PyAny>) -> Answer<'py> {
        let at = position::position(at)?;
        let topic = self.get()?;
        let work = async move { topic.offsets(&at).await };
        self.access
            .call(py, work, |_, offsets| Ok(offsets_by_number(offsets)))
    }

    /// Records and bytes in each interval of time, from batch headers: columns `time`, `records` and `bytes`. A batch
    /// that spans several intervals is spread evenly.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("t")
    /// ...     _ = producer.send("t", b"a", timestamp=3_600_000).result()
    /// ...     topic.rate("1h").to_polars()["records"].to_list()
    /// [1]
    #[pyo3(signature = (every="1m", *, start=None, end=None),
        text_signature = "($self, every='1m', *, start='earliest', end='latest')")]
    fn rate<'py>(
        &self,
        py: Python<'py>,
        every: &str,
        start: Option<&Bound<'py, PyAny>>,
        end: Option<&Bound<'py, PyAny>>,
    ) -> Answer<'py> {
        let every = headwater::duration::parse_ms(every).map_err(errors::raise)?;
        let start = start.map_or(Ok(Position::Earliest), position::position)?;
        let end = end.map_or(Ok(Position::Latest), position::position)?;
        self.table(py, move |topic| async move {
            topic.rate(every, start, end).await
        })
    }
}

#[pymethods]
impl BlockingTopic {
    fn __len__(slf: &Bound<'_, Self>) -> PyResult<usize> {
        slf.as_super().get().count(slf.py())?.extract()
    }

    // Without this an empty topic would be false, and evaluating it would read the topic.
    #[expect(clippy::unused_self, reason = "Python's protocol")]
    fn __bool__(&self) -> bool {
        true
    }

    fn __arrow_c_schema__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyCapsule>> {
        slf.as_super().get().whole()?.export_schema(slf.py())
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        slf: &Bound<'py, Self>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let scan = slf.as_super().get().whole()?;
        scan.export_stream(slf.py(), requested_schema)
    }
}
