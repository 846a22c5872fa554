//! The topics of a client, for asyncio.

use std::sync::Arc;

use headwater::TopicChanges;
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::AioClient;
use crate::aio::bridge;
use crate::aio::topic::AioTopic;
use crate::client::topics::{TopicInfo, new_topic, offsets_by_number};
use crate::convert::{config, position};

#[pymethods]
impl AioClient {
    /// See `headwater.Client.create_topic`.
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
    ) -> PyResult<Bound<'py, PyAny>> {
        let topic = new_topic(
            name,
            partitions,
            replication_factor,
            if_exists,
            config::pairs(config, topic_config)?,
        )?;
        let client = self.embedded.client()?.clone();
        let embedded = Arc::clone(&self.embedded);
        bridge::quick(
            py,
            self.embedded.runtime(),
            async move {
                let name = topic.name.clone();
                client.admin().create_topic(topic).await?;
                Ok(client.topic(&name))
            },
            move |py, topic| Ok(Py::new(py, AioTopic::new(embedded, topic))?.into_any()),
        )
    }

    /// See `headwater.Client.topic`.
    fn topic(&self, name: &str) -> PyResult<AioTopic> {
        Ok(AioTopic::new(
            Arc::clone(&self.embedded),
            self.embedded.client()?.topic(name),
        ))
    }

    fn __getitem__(&self, name: &str) -> PyResult<AioTopic> {
        self.topic(name)
    }

    /// See `headwater.Client.topics`.
    #[pyo3(signature = (internal=false))]
    fn topics<'py>(&self, py: Python<'py>, internal: bool) -> PyResult<Bound<'py, PyAny>> {
        let client = self.embedded.client()?.clone();
        bridge::quick(
            py,
            self.embedded.runtime(),
            async move { client.admin().topics(internal).await },
            |py, topics| {
                let topics: Vec<_> = topics.into_iter().map(TopicInfo).collect();
                Ok(topics.into_pyobject(py)?.unbind())
            },
        )
    }

    /// See `headwater.Client.alter_topic`.
    #[pyo3(signature = (name, *, partitions=None, config=None, **topic_config))]
    fn alter_topic<'py>(
        &self,
        py: Python<'py>,
        name: String,
        partitions: Option<i32>,
        config: Option<&Bound<'py, PyDict>>,
        topic_config: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let changes = TopicChanges {
            partitions,
            config: config::changes(config, topic_config)?.into_iter().collect(),
        };
        let client = self.embedded.client()?.clone();
        bridge::quick(
            py,
            self.embedded.runtime(),
            async move { client.admin().alter_topic(&name, changes).await },
            bridge::none,
        )
    }

    /// See `headwater.Client.delete_topic`.
    #[pyo3(signature = (name, *, missing_ok=false))]
    fn delete_topic<'py>(
        &self,
        py: Python<'py>,
        name: String,
        missing_ok: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let client = self.embedded.client()?.clone();
        bridge::quick(
            py,
            self.embedded.runtime(),
            async move { client.admin().delete_topic(&name, missing_ok).await },
            |py, there| Ok(there.into_pyobject(py)?.to_owned().into_any().unbind()),
        )
    }

    /// See `headwater.Client.delete_records`.
    fn delete_records<'py>(
        &self,
        py: Python<'py>,
        name: String,
        before: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let before = position::position(before)?;
        let client = self.embedded.client()?.clone();
        bridge::quick(
            py,
            self.embedded.runtime(),
            async move { client.admin().delete_records(&name, &before).await },
            |py, starts| offsets_by_number(starts).into_py_any(py),
        )
    }
}
