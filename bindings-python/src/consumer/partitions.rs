//! The partitions of a consumer and its positions in them.

use std::sync::Arc;

use pyo3::prelude::*;

use super::Consumer;
use crate::convert::consuming::seeks;
use crate::convert::partitions;
use crate::face::{Answer, none};

#[pymethods]
impl Consumer {
    /// Read these partitions from now on, and no others: pairs of a topic and a number. A partition that stays keeps
    /// its position; a new one starts according to `auto_offset_reset`.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.consumer() as consumer:
    /// ...     _ = client.create_topic("flights", partitions=4)
    /// ...     consumer.assign([("flights", 0), ("flights", 3)])
    /// ...     consumer.assignment()
    /// [TopicPartition(topic='flights', partition=0), TopicPartition(topic='flights', partition=3)]
    fn assign<'py>(&self, py: Python<'py>, partitions: &Bound<'py, PyAny>) -> Answer<'py> {
        let partitions = partitions::topic_partitions(Some(partitions))?;
        let state = Arc::clone(self.state.get()?);
        let guard = self.take()?;
        let assign = async move {
            guard.await.consumer.assign(partitions).await?;
            state.set_topics(None);
            Ok(())
        };
        self.access.call(py, assign, none)
    }

    /// The assigned partitions.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights")
    /// ...     client.consumer("flights").assignment()
    /// [TopicPartition(topic='flights', partition=0)]
    fn assignment<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let guard = self.take()?;
        let assignment = async move {
            let mut reading = guard.await;
            reading.consumer.ready().await?;
            Ok(reading.consumer.assignment())
        };
        self.access.call(py, assignment, partitions::list)
    }

    /// The next offset to read, for each partition.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights")
    /// ...     client.consumer("flights", auto_offset_reset="earliest").position()
    /// {TopicPartition(topic='flights', partition=0): 0}
    fn position<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let guard = self.take()?;
        let position = async move { guard.await.consumer.position().await };
        self.access.call(py, position, partitions::with_offsets)
    }

    /// The number of offsets between the position and the end, for each partition.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     client.consumer("flights", auto_offset_reset="earliest").lag()
    /// {TopicPartition(topic='flights', partition=0): 2}
    fn lag<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let guard = self.take()?;
        let lag = async move { guard.await.consumer.lag().await };
        self.access.call(py, lag, partitions::numbered)
    }

    /// Move the position in these partitions, or in all. A dictionary can contain the partitions instead.
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
    fn seek<'py>(
        &self,
        py: Python<'py>,
        to: &Bound<'py, PyAny>,
        partitions: Option<&Bound<'py, PyAny>>,
    ) -> Answer<'py> {
        let moves = seeks(to, partitions)?;
        let guard = self.take()?;
        let seek = async move { guard.await.seek(moves).await };
        self.access.call(py, seek, none)
    }

    /// Stop reading these partitions, or all, without releasing them.
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
    fn pause<'py>(&self, py: Python<'py>, partitions: Option<&Bound<'py, PyAny>>) -> Answer<'py> {
        let partitions = partitions::topic_partitions(partitions)?;
        let guard = self.take()?;
        let pause = async move {
            let mut reading = guard.await;
            reading.consumer.ready().await?;
            reading.consumer.pause(&partitions)
        };
        self.access.call(py, pause, none)
    }

    /// Read paused partitions again: these, or all by default.
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
    fn resume<'py>(&self, py: Python<'py>, partitions: Option<&Bound<'py, PyAny>>) -> Answer<'py> {
        let partitions = partitions::topic_partitions(partitions)?;
        let guard = self.take()?;
        let resume = async move {
            let mut reading = guard.await;
            reading.consumer.ready().await?;
            reading.consumer.resume(&partitions)
        };
        self.access.call(py, resume, none)
    }

    /// The paused partitions.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     client.consumer().paused()
    /// []
    fn paused<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let guard = self.take()?;
        let paused = async move {
            let mut reading = guard.await;
            reading.consumer.ready().await?;
            Ok(reading.consumer.paused())
        };
        self.access.call(py, paused, partitions::list)
    }
}
