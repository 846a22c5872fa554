//! A topic: its records as tables, its offsets, its shape.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::ScanOptions;
use pyo3::prelude::*;

use crate::batch::Batch;
use crate::client::topics::offsets_by_number;
use crate::convert::format::FormatArguments;
use crate::convert::{partitions, position};
use crate::errors;
use crate::runtime::{self, Embedded, Owned};
use crate::scan::Scan;

/// A topic of a client. Making one looks nothing up; `len()` is the number of its records, counted from the headers of their batches.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client, client.producer() as producer:
/// ...     topic = client.create_topic("flights")
/// ...     _ = producer.send_batch("flights", [{"delay": 12}, {"delay": 0}])
/// ...     len(topic), topic.scan(value="json", unnest=True).to_polars()["delay"].to_list()
/// (2, [12, 0])
#[pyclass(frozen, weakref, module = "headwater")]
#[derive(Debug)]
pub(crate) struct Topic {
    embedded: Arc<Embedded>,
    topic: Owned<headwater::Topic>,
}

impl Topic {
    pub(crate) fn new(embedded: Arc<Embedded>, topic: headwater::Topic) -> Self {
        Self {
            embedded,
            topic: Owned::new(topic),
        }
    }

    pub(crate) fn embedded(&self) -> &Arc<Embedded> {
        &self.embedded
    }

    /// The topic of the core, if the engine is open.
    pub(crate) fn get(&self) -> PyResult<&headwater::Topic> {
        self.embedded.check()?;
        self.topic.get()
    }

    pub(crate) fn shared_name(&self) -> PyResult<Arc<str>> {
        Ok(self.topic.get()?.name().into())
    }
}

/// What `scan()` was asked for, as options of the core.
pub(crate) fn scan_options(
    start: Option<&Bound<'_, PyAny>>,
    end: Option<&Bound<'_, PyAny>>,
    partitions: Option<&Bound<'_, PyAny>>,
    isolation_level: &str,
    format: FormatArguments<'_, '_>,
) -> PyResult<ScanOptions> {
    let mut options = ScanOptions {
        partitions: partitions::numbers(partitions)?,
        decode: format.options()?,
        isolation_level: isolation_level.parse().map_err(errors::raise)?,
        ..ScanOptions::default()
    };
    if let Some(start) = start {
        options.start = position::position(start)?;
    }
    if let Some(end) = end {
        options.end = position::position(end)?;
    }
    Ok(options)
}

#[pymethods]
impl Topic {
    /// The topic's name.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     client.topic("flights").name
    /// 'flights'
    #[getter]
    fn name(&self) -> PyResult<&str> {
        Ok(self.topic.get()?.name())
    }

    /// The records from `start` to before `end` as a table that is read when it is used, any number of times.
    ///
    /// `start` and `end` are positions: "earliest", "latest", an offset, `{partition: offset}`, an aware datetime, or an age such as
    /// "-15m". `key` and `value` are "bytes", "string" or "json"; a `schema` (an Arrow schema or `{"name": dtype}`) types the JSON value,
    /// `unnest=True` lifts its fields to the top, and `on_error` ("raise", "null", "skip") says what becomes of a record that does not
    /// fit: the whole schema decides which records are skipped, whatever `columns` names. `columns` names what is read. `progress` is called
    /// with the records done and the records in all, which are counted first.
    ///
    /// A value fits a type that holds it exactly; floats are the nearest, and a decimal with too many decimals is rounded, halves away from
    /// zero. Dates and times are of the years 1 to 9999. A datetime of Python has microseconds: finer digits are cut off there.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [{"carrier": "UA", "delay": 12}, {"carrier": "AA", "delay": 0}])
    /// ...     topic.scan(start=1, value="json", unnest=True, columns=["offset", "carrier"]).to_polars().rows()
    /// [(1, 'AA')]
    #[pyo3(signature = (
        start=None, end=None, *, partitions=None, columns=None, key="bytes", value="bytes", schema=None, unnest=false, on_error="raise",
        isolation_level="read_committed", progress=None
    ), text_signature = "($self, start='earliest', end='latest', *, partitions=None, columns=None, key='bytes', value='bytes', \
        schema=None, unnest=False, on_error='raise', isolation_level='read_committed', progress=None)")]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn scan(
        &self,
        start: Option<&Bound<'_, PyAny>>,
        end: Option<&Bound<'_, PyAny>>,
        partitions: Option<&Bound<'_, PyAny>>,
        columns: Option<Vec<String>>,
        key: &str,
        value: &str,
        schema: Option<&Bound<'_, PyAny>>,
        unnest: bool,
        on_error: &str,
        isolation_level: &str,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Scan> {
        let format = FormatArguments {
            key,
            value,
            schema,
            unnest,
            on_error,
            columns,
        };
        let options = scan_options(start, end, partitions, isolation_level, format)?;
        Ok(Scan::new(
            Arc::clone(&self.embedded),
            self.get()?.scan(options),
            progress,
        ))
    }

    /// The first `n` records: partition by partition, in offset order.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = producer.send_batch(client.create_topic("t").name, [b"a", b"b", b"c"])
    /// ...     [message.value for message in client["t"].head(2)]
    /// [b'a', b'b']
    #[pyo3(signature = (n=10, *, columns=None, key="bytes", value="bytes", schema=None, unnest=false, on_error="raise"))]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn head(
        &self,
        py: Python<'_>,
        n: u64,
        columns: Option<Vec<String>>,
        key: &str,
        value: &str,
        schema: Option<&Bound<'_, PyAny>>,
        unnest: bool,
        on_error: &str,
    ) -> PyResult<Batch> {
        let decode = FormatArguments {
            key,
            value,
            schema,
            unnest,
            on_error,
            columns,
        }
        .options()?;
        let batch = runtime::call(py, self.embedded.runtime(), self.get()?.head(n, decode))?;
        Ok(Batch::new(batch, Some(self.shared_name()?)))
    }

    /// The last `n` records: of all partitions the newest. Reads only the end of the topic.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = producer.send_batch(client.create_topic("t").name, [b"a", b"b", b"c"])
    /// ...     [message.value for message in client["t"].tail(2)]
    /// [b'b', b'c']
    #[pyo3(signature = (n=10, *, columns=None, key="bytes", value="bytes", schema=None, unnest=false, on_error="raise"))]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn tail(
        &self,
        py: Python<'_>,
        n: u64,
        columns: Option<Vec<String>>,
        key: &str,
        value: &str,
        schema: Option<&Bound<'_, PyAny>>,
        unnest: bool,
        on_error: &str,
    ) -> PyResult<Batch> {
        let decode = FormatArguments {
            key,
            value,
            schema,
            unnest,
            on_error,
            columns,
        }
        .options()?;
        let batch = runtime::call(py, self.embedded.runtime(), self.get()?.tail(n, decode))?;
        Ok(Batch::new(batch, Some(self.shared_name()?)))
    }

    /// The offset of a position in each partition.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("t", partitions=2)
    /// ...     _ = producer.send("t", b"a", partition=1).result()
    /// ...     topic.offsets("latest")
    /// {0: 0, 1: 1}
    fn offsets(&self, py: Python<'_>, at: &Bound<'_, PyAny>) -> PyResult<BTreeMap<i32, i64>> {
        let at = position::position(at)?;
        let offsets = runtime::call(py, self.embedded.runtime(), self.get()?.offsets(&at))?;
        Ok(offsets_by_number(offsets))
    }

    /// Records and bytes in each interval of time, from batch headers: columns `time`, `records` and `bytes`. A batch that spans several
    /// intervals is spread evenly over them.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("t")
    /// ...     _ = producer.send("t", b"a", timestamp=3_600_000).result()
    /// ...     topic.rate("1h").to_polars()["records"].to_list()
    /// [1]
    #[pyo3(signature = (every="1m", *, start=None, end=None),
        text_signature = "($self, every='1m', *, start='earliest', end='latest')")]
    fn rate(
        &self,
        py: Python<'_>,
        every: &str,
        start: Option<&Bound<'_, PyAny>>,
        end: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Batch> {
        let every = headwater::duration::parse_ms(every).map_err(errors::raise)?;
        let start = start.map_or(Ok(headwater::Position::Earliest), position::position)?;
        let end = end.map_or(Ok(headwater::Position::Latest), position::position)?;
        let batch = runtime::call(
            py,
            self.embedded.runtime(),
            self.get()?.rate(every, start, end),
        )?;
        Ok(Batch::new(batch, Some(self.shared_name()?)))
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        let topic = self.get()?;
        let described = async { tokio::try_join!(topic.describe(), topic.counts()) };
        let (topic, counts) = runtime::call(py, self.embedded.runtime(), described)?;
        let rows: Vec<String> = topic
            .partitions
            .iter()
            .map(|partition| {
                let records = counts.get(&partition.partition).copied();
                partition_row(partition, records.unwrap_or(0))
            })
            .collect();
        let rows = rows.concat();
        // Names of topics are letters, digits, dots, dashes and underscores: nothing to escape.
        Ok(format!(
            "<table><caption>Topic <b>{}</b></caption><thead><tr><th>partition</th><th>first offset</th><th>next offset</th>\
             <th>records</th><th>size</th></tr></thead><tbody>{rows}</tbody></table>",
            topic.name
        ))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        let count = runtime::call(py, self.embedded.runtime(), self.get()?.count())?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    // Without this an empty topic were false, and asking would read.
    #[expect(clippy::unused_self, reason = "Python's protocol")]
    fn __bool__(&self) -> bool {
        true
    }

    fn __arrow_c_schema__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Bound<'py, pyo3::types::PyCapsule>> {
        self.whole()?.__arrow_c_schema__(py)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, pyo3::types::PyCapsule>> {
        self.whole()?.__arrow_c_stream__(py, requested_schema)
    }

    fn __repr__(&self) -> PyResult<String> {
        Ok(format!("Topic('{}')", self.topic.get()?.name()))
    }
}

impl Topic {
    fn whole(&self) -> PyResult<Scan> {
        Ok(Scan::new(
            Arc::clone(&self.embedded),
            self.get()?.scan(ScanOptions::default()),
            None,
        ))
    }
}

fn partition_row(partition: &headwater::PartitionDescription, records: u64) -> String {
    let (start, end) = (
        partition.log_start_offset.get(),
        partition.high_watermark.get(),
    );
    let size = partition.size_bytes.map_or_else(|| "–".to_owned(), size);
    format!(
        "<tr><td>{}</td><td>{start}</td><td>{end}</td><td>{records}</td><td>{size}</td></tr>",
        partition.partition.get()
    )
}

fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let power = (bytes.max(1).ilog2() / 10).min(4);
    if power == 0 {
        return format!("{bytes} B");
    }
    format!(
        "{:.1} {}",
        bytes as f64 / f64::from(1_u32 << 10).powi(power as i32),
        UNITS[power as usize]
    )
}
