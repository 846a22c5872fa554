//! The client, for asyncio.

use std::path::PathBuf;
use std::sync::Arc;

use headwater::{ConsumerConfig, ProducerConfig, TopicChanges};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::aio::bridge;
use crate::aio::consumer::AioConsumer;
use crate::aio::producer::AioProducer;
use crate::aio::server::AioServer;
use crate::aio::topic::AioTopic;
use crate::client::{TopicInfo, new_topic, offsets_by_number};
use crate::convert::format::FormatArguments;
use crate::convert::listener::ListenerArguments;
use crate::convert::{config, partitions, position};
use crate::errors;
use crate::runtime::Embedded;
use crate::server::Listening;

/// Opens an engine in a thread, because recovery may take its time: `headwater.aio.open` awaits it.
#[pyfunction]
#[pyo3(signature = (path=None, *, config=None, **kafka_config))]
pub(crate) fn _aio_open<'py>(
    py: Python<'py>,
    path: Option<PathBuf>,
    config: Option<&Bound<'py, PyDict>>,
    kafka_config: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let pairs = config::pairs(config, kafka_config)?;
    bridge::blocking(
        py,
        move || headwater::open(path.as_deref(), pairs).map(Embedded::new),
        |py, embedded| Ok(Py::new(py, AioClient { embedded })?.into_any()),
    )
}

/// `headwater.Client` for asyncio.
///
/// >>> import asyncio, headwater.aio as hw
/// >>> async def main():
/// ...     async with hw.open() as client:
/// ...         await client.create_topic("flights", partitions=4)
/// ...         return await client.topics()
/// >>> asyncio.run(main())
/// [TopicInfo(name='flights', partitions=4, internal=False)]
#[pyclass(frozen, weakref, module = "headwater.aio", name = "Client")]
#[derive(Debug)]
pub(crate) struct AioClient {
    embedded: Arc<Embedded>,
}

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
            async move { client.create_topic(topic).await },
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
            async move { client.topics(internal).await },
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
            async move { client.alter_topic(&name, changes).await },
            |py, ()| Ok(py.None()),
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
            async move { client.delete_topic(&name, missing_ok).await },
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
            async move { client.delete_records(&name, &before).await },
            |py, starts| {
                Ok(offsets_by_number(starts)
                    .into_pyobject(py)?
                    .into_any()
                    .unbind())
            },
        )
    }

    /// See `headwater.Client.producer`.
    #[pyo3(signature = (*, config=None, **producer_config))]
    fn producer(
        &self,
        py: Python<'_>,
        config: Option<&Bound<'_, PyDict>>,
        producer_config: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<AioProducer> {
        let config = ProducerConfig::parse(config::pairs(config, producer_config)?)
            .map_err(errors::raise)?;
        AioProducer::new(
            py,
            Arc::clone(&self.embedded),
            self.embedded.client()?.producer(config),
        )
    }

    /// See `headwater.Client.consumer`. An unknown topic is an error at the first read.
    #[pyo3(signature = (topics=None, *, group_id=None, key="bytes", value="bytes", schema=None, unnest=false, on_error="raise", config=None, **consumer_config))]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn consumer(
        &self,
        topics: Option<&Bound<'_, PyAny>>,
        group_id: Option<&str>,
        key: &str,
        value: &str,
        schema: Option<&Bound<'_, PyAny>>,
        unnest: bool,
        on_error: &str,
        config: Option<&Bound<'_, PyDict>>,
        consumer_config: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<AioConsumer> {
        let format = FormatArguments {
            key,
            value,
            schema,
            unnest,
            on_error,
            columns: None,
        }
        .options()?;
        let mut pairs = config::pairs(config, consumer_config)?;
        pairs.extend(group_id.map(|group_id| ("group.id".to_owned(), group_id.to_owned())));
        let config = ConsumerConfig::parse(pairs).map_err(errors::raise)?;
        let is_member = config.group.is_some();
        let (topics, subscription) = match topics {
            Some(topics) if is_member => (None, Some(partitions::subscription(topics)?)),
            topics => (topics.map(partitions::topics).transpose()?, None),
        };
        let mut consumer = self.embedded.client()?.consumer(config);
        consumer.decode_as(format).map_err(errors::raise)?;
        if let Some(subscription) = subscription {
            consumer.subscribe(subscription).map_err(errors::raise)?;
        }
        Ok(AioConsumer::new(
            Arc::clone(&self.embedded),
            consumer,
            topics,
        ))
    }

    /// See `headwater.Client.serve`: `async with await client.serve() as server`.
    #[pyo3(signature = (
        host="127.0.0.1", port=9092, *, advertised=None, security_protocol="PLAINTEXT", tls_cert=None, tls_key=None, sasl_mechanisms=None,
        allow_insecure=false
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn serve<'py>(
        &self,
        py: Python<'py>,
        host: &str,
        port: u16,
        advertised: Option<&str>,
        security_protocol: &str,
        tls_cert: Option<PathBuf>,
        tls_key: Option<PathBuf>,
        sasl_mechanisms: Option<Vec<String>>,
        allow_insecure: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = ListenerArguments {
            host,
            port,
            advertised,
            security_protocol,
            tls_cert,
            tls_key,
            sasl_mechanisms,
            allow_insecure,
        }
        .options()?;
        self.embedded.check()?;
        let engine = self.embedded.engine()?.clone();
        let embedded = Arc::clone(&self.embedded);
        bridge::blocking(
            py,
            move || engine.serve(options),
            move |py, server| {
                let listening = Listening::new(server, embedded);
                Ok(Py::new(py, AioServer { listening })?.into_any())
            },
        )
    }

    /// See `headwater.Client.close`.
    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let engine = self.embedded.engine()?.clone();
        let embedded = Arc::clone(&self.embedded);
        let work = move || {
            if !engine.is_closed() {
                embedded.runtime().block_on(embedded.drain());
            }
            engine.close();
            Ok(())
        };
        bridge::blocking(py, work, |py, ()| Ok(py.None()))
    }

    /// See `headwater.Client.closed`.
    #[getter]
    fn closed(&self) -> PyResult<bool> {
        Ok(self.embedded.engine()?.is_closed())
    }

    fn __aenter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.get().embedded.check()?;
        bridge::ready(slf.py(), Ok(slf.clone().into_any()))
    }

    #[pyo3(signature = (*_exception))]
    fn __aexit__<'py>(
        &self,
        py: Python<'py>,
        _exception: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.close(py)
    }
}
