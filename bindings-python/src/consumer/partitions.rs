//! The partitions of a consumer: which ones, and where in them.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::Consumer;
use crate::convert::consuming::seeks;
use crate::convert::partitions;
use crate::errors;
use crate::runtime;

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
        let assign = reading.get_mut()?.consumer.assign(partitions);
        runtime::call(py, self.embedded.runtime(), assign)
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
        partitions::list(py, &reading.get_mut()?.consumer.assignment())
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
        let positions = reading.get_mut()?.consumer.position();
        let positions = runtime::call(py, self.embedded.runtime(), positions)?;
        partitions::with_offsets(py, &positions)
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
        let lag = reading.get_mut()?.consumer.lag();
        let lag = runtime::call(py, self.embedded.runtime(), lag)?;
        partitions::numbered(py, lag)
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
        let seek = reading.get_mut()?.seek(moves);
        runtime::call(py, self.embedded.runtime(), seek)
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
    fn pause(&self, partitions: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let partitions = partitions::topic_partitions(partitions)?;
        let mut reading = self.lock()?;
        let consumer = &mut reading.get_mut()?.consumer;
        consumer.pause(&partitions).map_err(errors::raise)
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
        let mut reading = self.lock()?;
        let consumer = &mut reading.get_mut()?.consumer;
        consumer.resume(&partitions).map_err(errors::raise)
    }

    /// The paused partitions.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     client.consumer().paused()
    /// []
    fn paused<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut reading = self.lock()?;
        partitions::list(py, &reading.get_mut()?.consumer.paused())
    }
}
