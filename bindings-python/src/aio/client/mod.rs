//! The client, for asyncio.

mod groups;
mod topics;

use std::path::PathBuf;
use std::sync::Arc;

use headwater::ProducerConfig;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::aio::bridge;
use crate::aio::consumer::AioConsumer;
use crate::aio::context::async_context;
use crate::aio::producer::AioProducer;
use crate::aio::server::AioServer;
use crate::client::{Client, topics::has_topic};
use crate::convert::config;
use crate::convert::consumer::ConsumerArguments;
use crate::convert::format::FormatArguments;
use crate::convert::listener::ListenerArguments;
use crate::errors;
use crate::events;
use crate::metrics;
use crate::recovery;
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
    events::listen();
    bridge::blocking(
        py,
        move || headwater::open(path.as_deref(), pairs).map(Embedded::new),
        |py, embedded| Ok(Py::new(py, AioClient::new(embedded))?.into_any()),
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

impl AioClient {
    pub(crate) fn new(embedded: Arc<Embedded>) -> Self {
        Self { embedded }
    }
}

#[pymethods]
impl AioClient {
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
        };
        let (consumer, topics) = ConsumerArguments {
            topics,
            group_id,
            format,
            config,
            consumer_config,
        }
        .open(&self.embedded)?;
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
            move || Listening::open(&engine, embedded, options),
            |py, listening| Ok(Py::new(py, AioServer { listening })?.into_any()),
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
        bridge::blocking(py, work, bridge::none)
    }

    /// This client without asyncio: the same engine, closed with either.
    ///
    /// >>> import asyncio, headwater.aio as hw
    /// >>> async def main():
    /// ...     async with hw.open() as client:
    /// ...         client.sync.create_topic("flights")
    /// ...         return await client.topics()
    /// >>> asyncio.run(main())
    /// [TopicInfo(name='flights', partitions=1, internal=False)]
    #[getter]
    fn sync(&self) -> PyResult<Client> {
        self.embedded.engine()?;
        Ok(Client::new(Arc::clone(&self.embedded)))
    }

    /// See `headwater.Client.recovery`.
    #[getter]
    fn recovery<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        recovery::report(py, self.embedded.engine()?.report())
    }

    /// See `headwater.Client.metrics`. It does not wait.
    fn metrics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.embedded.check()?;
        metrics::metrics(py, self.embedded.engine()?.deletions())
    }

    fn __contains__(&self, py: Python<'_>, topic: &Bound<'_, PyAny>) -> PyResult<bool> {
        has_topic(py, &self.embedded, topic)
    }

    /// See `headwater.Client.closed`.
    #[getter]
    fn closed(&self) -> PyResult<bool> {
        Ok(self.embedded.engine()?.is_closed())
    }
}

async_context!(AioClient, |client| client.embedded.check());
