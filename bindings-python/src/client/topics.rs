//! The topics of a client.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater::{NewTopic, Offset, PartitionId, TopicChanges};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::Client;
use crate::convert::{config, position};
use crate::errors;
use crate::runtime::{self, Embedded};
use crate::topic::Topic;

#[pymethods]
impl Client {
    /// Make a topic. `if_exists="ignore"` takes one that is there, as it is. Keyword arguments and `config` take Kafka's topic keys.
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
    fn create_topic(
        &self,
        py: Python<'_>,
        name: String,
        partitions: Option<i32>,
        replication_factor: Option<i16>,
        if_exists: &str,
        config: Option<&Bound<'_, PyDict>>,
        topic_config: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Topic> {
        let config = config::pairs(config, topic_config)?;
        let topic = new_topic(name, partitions, replication_factor, if_exists, config)?;
        let name = topic.name.clone();
        runtime::call(
            py,
            self.embedded.runtime(),
            self.embedded.client()?.admin().create_topic(topic),
        )?;
        self.topic(&name)
    }

    /// The topic of this name. Nothing is looked up: an unknown topic is an error at its first use.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights")
    /// ...     client.topic("flights"), client["flights"]
    /// (Topic('flights'), Topic('flights'))
    fn topic(&self, name: &str) -> PyResult<Topic> {
        Ok(Topic::new(
            Arc::clone(&self.embedded),
            self.embedded.client()?.topic(name),
        ))
    }

    fn __getitem__(&self, name: &str) -> PyResult<Topic> {
        self.topic(name)
    }

    /// Whether there is a topic of this name, Kafka's own too.
    fn __contains__(&self, py: Python<'_>, topic: &Bound<'_, PyAny>) -> PyResult<bool> {
        has_topic(py, &self.embedded, topic)
    }

    /// Every topic, by name; `internal=True` adds Kafka's own.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights", partitions=4)
    /// ...     client.topics()
    /// [TopicInfo(name='flights', partitions=4, internal=False)]
    #[pyo3(signature = (internal=false))]
    fn topics(&self, py: Python<'_>, internal: bool) -> PyResult<Vec<TopicInfo>> {
        let topics = runtime::call(
            py,
            self.embedded.runtime(),
            self.embedded.client()?.admin().topics(internal),
        )?;
        Ok(topics.into_iter().map(TopicInfo).collect())
    }

    /// Add partitions, or change configuration. A value of `None` puts a key back to its default.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights")
    /// ...     client.alter_topic("flights", partitions=4, retention_ms=None)
    /// ...     client.topics()[0].partitions
    /// 4
    #[pyo3(signature = (name, *, partitions=None, config=None, **topic_config))]
    fn alter_topic(
        &self,
        py: Python<'_>,
        name: &str,
        partitions: Option<i32>,
        config: Option<&Bound<'_, PyDict>>,
        topic_config: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let changes = TopicChanges {
            partitions,
            config: config::changes(config, topic_config)?.into_iter().collect(),
        };
        runtime::call(
            py,
            self.embedded.runtime(),
            self.embedded.client()?.admin().alter_topic(name, changes),
        )
    }

    /// Delete a topic with everything in it, and say whether it was there. A missing one is an error unless `missing_ok`.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights")
    /// ...     client.delete_topic("flights"), client.delete_topic("flights", missing_ok=True)
    /// (True, False)
    #[pyo3(signature = (name, *, missing_ok=false))]
    fn delete_topic(&self, py: Python<'_>, name: &str, missing_ok: bool) -> PyResult<bool> {
        runtime::call(
            py,
            self.embedded.runtime(),
            self.embedded
                .client()?
                .admin()
                .delete_topic(name, missing_ok),
        )
    }

    /// Delete the records before a position; returns the offset at which each partition starts afterwards.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b", b"c"])
    /// ...     client.delete_records("flights", before=2)
    /// {0: 2}
    fn delete_records(
        &self,
        py: Python<'_>,
        name: &str,
        before: &Bound<'_, PyAny>,
    ) -> PyResult<BTreeMap<i32, i64>> {
        let before = position::position(before)?;
        let starts = runtime::call(
            py,
            self.embedded.runtime(),
            self.embedded
                .client()?
                .admin()
                .delete_records(name, &before),
        )?;
        Ok(offsets_by_number(starts))
    }
}

/// The topic that `create_topic`'s arguments describe.
pub(crate) fn new_topic(
    name: String,
    partitions: Option<i32>,
    replication_factor: Option<i16>,
    if_exists: &str,
    config: Vec<(String, String)>,
) -> PyResult<NewTopic> {
    let if_exists = if_exists.parse().map_err(errors::raise)?;
    Ok(NewTopic {
        name,
        partitions,
        replication_factor,
        if_exists,
        config: config.into_iter().collect(),
    })
}

/// Whether there is a topic of that name. An embedded engine knows it without waiting.
pub(crate) fn has_topic(
    py: Python<'_>,
    embedded: &Embedded,
    name: &Bound<'_, PyAny>,
) -> PyResult<bool> {
    let client = embedded.client()?;
    let Ok(name) = name.extract::<String>() else {
        return Ok(false);
    };
    let topics = runtime::call(py, embedded.runtime(), client.admin().topics(true))?;
    Ok(topics.iter().any(|topic| *topic.name == *name))
}

/// Offsets as `{partition: offset}`.
pub(crate) fn offsets_by_number(offsets: BTreeMap<PartitionId, Offset>) -> BTreeMap<i32, i64> {
    offsets
        .into_iter()
        .map(|(partition, offset)| (partition.get(), offset.get()))
        .collect()
}

/// A line of the list of topics.
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

    /// The topic's id, which a topic made again under the same name does not share.
    #[getter]
    fn topic_id(&self) -> String {
        self.0.topic_id.to_string()
    }

    /// How many partitions it has.
    #[getter]
    fn partitions(&self) -> usize {
        self.0.partitions
    }

    /// Whether it is Kafka's own bookkeeping.
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
