//! The results of sending: of one record, and of a table.

use std::collections::BTreeMap;

use pyo3::prelude::*;

use crate::pickles::{self, ReduceResult};
use crate::texts;

/// The position of a written record.
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

    /// The offset; `None` with `acks=0`, because the broker does not answer.
    #[getter]
    fn offset(&self) -> Option<i64> {
        self.0.offset.map(headwater::Offset::get)
    }

    /// The timestamp of the record in milliseconds since 1970: the producer's, or the broker's for topics with
    /// `LogAppendTime`.
    #[getter]
    fn timestamp_ms(&self) -> i64 {
        self.0.timestamp_ms
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<ReduceResult<'py>> {
        let arguments = (
            self.topic(),
            self.partition(),
            self.offset(),
            self.timestamp_ms(),
        );
        pickles::reduced(py, "_unpickle_record_metadata", arguments)
    }

    fn __repr__(&self) -> String {
        self.text()
    }
}

impl RecordMetadata {
    pub(crate) fn text(&self) -> String {
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

/// The result of sending a table.
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
    /// The number of records written.
    #[getter]
    fn records(&self) -> u64 {
        self.0.records
    }

    /// Their size in the log in bytes.
    #[getter]
    fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// The ranges of offsets of the rows in each partition, in order.
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
        let partitions = self.0.offsets.len();
        format!(
            "BatchResult(records={}, bytes={}, {})",
            self.0.records,
            self.0.bytes,
            texts::count(partitions, "partition")
        )
    }
}
