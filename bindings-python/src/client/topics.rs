//! The topics of a client.

use std::collections::BTreeMap;

use headwater::{ConfigEntry, NewTopic, Offset, PartitionId, TopicChanges};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::Client;
use crate::convert::{config, position};
use crate::errors;
use crate::face::{Answer, none};
use crate::runtime;
use crate::topic::Topic;

#[pymethods]
impl Client {
    /// Create a topic. `if_exists="ignore"` returns an existing topic unchanged. Keyword arguments and `config` take
    /// Kafka's topic keys; keys in milliseconds take durations too: `retention_ms="7d"`, or a `timedelta`.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     client.create_topic("flights", partitions=4, cleanup_policy="delete", config={"retention.ms": -1})
    /// Topic('flights')
    #[pyo3(
        signature = (name, *, partitions=Some(1), replication_factor=None, if_exists="error", config=None, **topic_config),
        text_signature = "($self, name, *, partitions=1, replication_factor=None, if_exists='error', config=None, **topic_config)"
    )]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn create_topic<'py>(
        &self,
        py: Python<'py>,
        name: String,
        partitions: Option<i32>,
        replication_factor: Option<i16>,
        if_exists: &str,
        config: Option<&Bound<'py, PyDict>>,
        topic_config: Option<&Bound<'py, PyDict>>,
    ) -> Answer<'py> {
        let topic = NewTopic {
            name,
            partitions,
            replication_factor,
            if_exists: if_exists.parse().map_err(errors::raise)?,
            config: config::pairs("Client.create_topic", config, topic_config)?
                .into_iter()
                .collect(),
        };
        let client = self.access.client()?.clone();
        let access = self.access.clone();
        let work = async move {
            let name = topic.name.clone();
            client.admin().create_topic(topic).await?;
            Ok(client.topic(&name))
        };
        self.access.call(py, work, |py, topic| {
            Topic::new(access, topic).into_object(py)
        })
    }

    /// The topic with this name. Sends no request: an unknown topic is an error when it is first used.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights")
    /// ...     client.topic("flights"), client["flights"]
    /// (Topic('flights'), Topic('flights'))
    fn topic(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        let topic = self.access.client()?.topic(name);
        Topic::new(self.access.clone(), topic).into_object(py)
    }

    fn __getitem__(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.topic(py, name)
    }

    /// Whether the topic exists, including internal topics.
    fn __contains__(&self, py: Python<'_>, topic: &Bound<'_, PyAny>) -> PyResult<bool> {
        let admin = self.admin()?;
        let Ok(name) = topic.extract::<String>() else {
            return Ok(false);
        };
        // `in` cannot be awaited. An embedded engine answers from memory.
        let topics = runtime::call(py, self.access.runtime(), admin.topics(true))?;
        Ok(topics.iter().any(|topic| *topic.name == *name))
    }

    /// Every topic, by name; `internal=True` includes internal topics.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights", partitions=4)
    /// ...     client.topics()
    /// [TopicInfo(name='flights', partitions=4, internal=False)]
    #[pyo3(signature = (internal=false))]
    fn topics<'py>(&self, py: Python<'py>, internal: bool) -> Answer<'py> {
        let admin = self.admin()?;
        let work = async move { admin.topics(internal).await };
        self.access.call(py, work, |_, topics| {
            Ok(topics.into_iter().map(TopicInfo).collect::<Vec<_>>())
        })
    }

    /// The effective configuration of a broker by its id, by default of the one with the lowest id: each of Kafka's
    /// keys with its value as text, `None` for a secret. The configuration of a topic is `topic.config()`.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open(log_retention_hours=24) as client:
    /// ...     client.config()["log.retention.hours"]
    /// '24'
    #[pyo3(signature = (broker=None))]
    fn config<'py>(&self, py: Python<'py>, broker: Option<i32>) -> Answer<'py> {
        let admin = self.admin()?;
        let work = async move { admin.broker_config(broker).await };
        self.access
            .call(py, work, |_, entries| Ok(config_by_key(entries)))
    }

    /// Add partitions, or change configuration. `None` resets a key to its default.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights")
    /// ...     client.alter_topic("flights", partitions=4, retention_ms=None)
    /// ...     client.topics()[0].partitions
    /// 4
    #[pyo3(signature = (name, *, partitions=None, config=None, **topic_config))]
    fn alter_topic<'py>(
        &self,
        py: Python<'py>,
        name: String,
        partitions: Option<i32>,
        config: Option<&Bound<'py, PyDict>>,
        topic_config: Option<&Bound<'py, PyDict>>,
    ) -> Answer<'py> {
        let changes = TopicChanges {
            partitions,
            config: config::changes("Client.alter_topic", config, topic_config)?
                .into_iter()
                .collect(),
        };
        let admin = self.admin()?;
        let work = async move { admin.alter_topic(&name, changes).await };
        self.access.call(py, work, none)
    }

    /// Delete a topic with all its records, and return whether it existed. An unknown topic is an error unless
    /// `missing_ok`.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights")
    /// ...     client.delete_topic("flights"), client.delete_topic("flights", missing_ok=True)
    /// (True, False)
    #[pyo3(signature = (name, *, missing_ok=false))]
    fn delete_topic<'py>(&self, py: Python<'py>, name: String, missing_ok: bool) -> Answer<'py> {
        let admin = self.admin()?;
        let work = async move { admin.delete_topic(&name, missing_ok).await };
        self.access.call(py, work, |_, existed| Ok(existed))
    }

    /// Delete the records before a position. Returns the new start offset of each partition.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
    /// ...     client.delete_records("flights", before=2)
    /// {0: 2}
    fn delete_records<'py>(
        &self,
        py: Python<'py>,
        name: String,
        before: &Bound<'py, PyAny>,
    ) -> Answer<'py> {
        let before = position::position(before)?;
        let admin = self.admin()?;
        let work = async move { admin.delete_records(&name, &before).await };
        self.access
            .call(py, work, |_, starts| Ok(offsets_by_number(starts)))
    }
}

/// Configuration as `{key: value}`, sorted by key.
pub(crate) fn config_by_key(entries: Vec<ConfigEntry>) -> BTreeMap<String, Option<String>> {
    let entries = entries.into_iter();
    entries.map(|entry| (entry.name, entry.value)).collect()
}

/// Offsets as `{partition: offset}`.
pub(crate) fn offsets_by_number(offsets: BTreeMap<PartitionId, Offset>) -> BTreeMap<i32, i64> {
    offsets
        .into_iter()
        .map(|(partition, offset)| (partition.get(), offset.get()))
        .collect()
}

/// A topic in the list of topics.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client:
/// ...     _ = client.create_topic("flights", partitions=4)
/// ...     info = client.topics()[0]
/// >>> info.name, info.partitions, info.internal, len(info.topic_id)
/// ('flights', 4, False, 36)
#[pyclass(frozen, module = "headwater")]
#[derive(Debug)]
pub(crate) struct TopicInfo(pub(crate) headwater::TopicInfo);

#[pymethods]
impl TopicInfo {
    /// The topic's name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The topic's id. A recreated topic has another id.
    #[getter]
    fn topic_id(&self) -> String {
        self.0.topic_id.to_string()
    }

    /// The number of partitions.
    #[getter]
    fn partitions(&self) -> usize {
        self.0.partitions
    }

    /// Whether it is an internal topic.
    #[getter]
    fn internal(&self) -> bool {
        self.0.internal
    }

    fn __repr__(&self) -> String {
        let internal = if self.0.internal { "True" } else { "False" };
        format!(
            "TopicInfo(name='{}', partitions={}, internal={internal})",
            self.0.name, self.0.partitions
        )
    }
}
