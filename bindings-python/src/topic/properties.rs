//! The properties of a topic: partitions, size and configuration. Topics of a client are equal by name.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use pyo3::prelude::*;

use super::Topic;
use crate::client::topics::config_by_key;
use crate::face::Answer;

#[pymethods]
impl Topic {
    /// The number of partitions, as the cluster has it now.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     client.create_topic("flights", partitions=4).partitions
    /// 4
    #[getter]
    fn partitions<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let topic = self.get()?;
        let work = async move { topic.partition_count().await };
        self.access.call(py, work, |_, count| Ok(count))
    }

    /// The size of the topic's log in bytes: of all partitions, without replicas. `None` if a leader does not report
    /// it.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     topic = client.create_topic("flights")
    /// ...     done = producer.send_batch("flights", [b"a", b"b"])
    /// ...     topic.size_bytes == done.bytes
    /// True
    #[getter]
    fn size_bytes<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let topic = self.get()?;
        let work = async move { topic.size_bytes().await };
        self.access.call(py, work, |_, bytes| Ok(bytes))
    }

    /// The effective configuration: each of Kafka's topic keys with its value as text, whether it was set for the topic
    /// or is the broker's default. `None` for a secret. `client.alter_topic()` changes it.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     config = client.create_topic("flights", retention_ms=-1).config()
    /// >>> config["retention.ms"], config["cleanup.policy"]
    /// ('-1', 'delete')
    fn config<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let topic = self.get()?;
        let work = async move { topic.config().await };
        self.access
            .call(py, work, |_, entries| Ok(config_by_key(entries)))
    }

    /// Whether it is the topic with the same name, of the same client under the same API.
    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| {
            let other = other.get();
            self.name == other.name && self.access.is_same(&other.access)
        })
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.name.hash(&mut hasher);
        hasher.finish()
    }
}
