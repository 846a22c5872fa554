//! The client, and everything that is made from it.

pub(crate) mod groups;
pub(crate) mod topics;

use std::path::PathBuf;
use std::sync::Arc;

use headwater::ProducerConfig;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::aio::client::AioClient;
use crate::consumer::Consumer;
use crate::convert::config;
use crate::convert::consumer::ConsumerArguments;
use crate::convert::format::FormatArguments;
use crate::convert::listener::ListenerArguments;
use crate::errors;
use crate::metrics;
use crate::producer::Producer;
use crate::recovery;
use crate::runtime::{self, Embedded};
use crate::server::{Listening, Server};

/// The way to an engine: makes topics, producers and consumers. Any number of threads may use it.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client:
/// ...     topic = client.create_topic("flights", partitions=4, retention_ms=-1)
/// ...     [info.name for info in client.topics()]
/// ['flights']
#[pyclass(frozen, weakref, module = "headwater")]
#[derive(Debug)]
pub(crate) struct Client {
    embedded: Arc<Embedded>,
}

impl Client {
    pub(crate) fn new(embedded: Arc<Embedded>) -> Self {
        Self { embedded }
    }
}

#[pymethods]
impl Client {
    /// A producer. Keyword arguments and `config` take Kafka's producer keys.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer(linger_ms=5, compression_type="zstd") as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     producer.send("flights", b"late").result().offset
    /// 0
    #[pyo3(signature = (*, config=None, **producer_config))]
    fn producer(
        &self,
        config: Option<&Bound<'_, PyDict>>,
        producer_config: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Producer> {
        let config = ProducerConfig::parse(config::pairs(config, producer_config)?)
            .map_err(errors::raise)?;
        Ok(Producer::new(
            Arc::clone(&self.embedded),
            self.embedded.client()?.producer(config),
        ))
    }

    /// A consumer of all partitions of these topics; without topics, `Consumer.assign` names the partitions. With `group_id` it shares them
    /// with the other consumers of the group, starts where the group has committed, and commits what is finished from time to time: a
    /// batch, or a message, when the next one is asked for. Topics may then be a `re.compile(...)`, too.
    ///
    /// `key`, `value`, `schema`, `unnest` and `on_error` are the formats of `Topic.scan`, but for the types of JSON without a schema: they
    /// are inferred for each batch anew, and lose no key. The value of a message is what `json.loads` makes of it. After a `DecodeError` the
    /// consumer stands at the record: `consumer.seek({(error.topic, error.partition): error.offset + 1})` goes on behind it. Other keyword
    /// arguments and `config` take Kafka's consumer keys.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     with client.consumer("flights", auto_offset_reset="earliest", value="string") as consumer:
    /// ...         [message.value for message in consumer.poll()]
    /// ['a', 'b']
    #[pyo3(signature = (topics=None, *, group_id=None, key="bytes", value="bytes", schema=None, unnest=false, on_error="raise", config=None, **consumer_config))]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn consumer(
        &self,
        py: Python<'_>,
        topics: Option<&Bound<'_, PyAny>>,
        group_id: Option<&str>,
        key: &str,
        value: &str,
        schema: Option<&Bound<'_, PyAny>>,
        unnest: bool,
        on_error: &str,
        config: Option<&Bound<'_, PyDict>>,
        consumer_config: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Consumer> {
        let format = FormatArguments {
            key,
            value,
            schema,
            unnest,
            on_error,
            columns: None,
        };
        let (mut consumer, topics) = ConsumerArguments {
            topics,
            group_id,
            format,
            config,
            consumer_config,
        }
        .open(&self.embedded)?;
        if let Some(topics) = topics {
            let names: Vec<&str> = topics.iter().map(String::as_str).collect();
            runtime::call(py, self.embedded.runtime(), consumer.assign_topics(&names))?;
        }
        Ok(Consumer::new(Arc::clone(&self.embedded), consumer))
    }

    /// Open the engine to any Kafka client. `port=0` takes a free one; `advertised="HOST:PORT"` is what clients are told to connect to.
    ///
    /// An address that other machines reach is refused unless it has `security_protocol="SASL_SSL"` (TLS with `tls_cert` and `tls_key`, PEM
    /// files; users of `headwater user add` with `sasl_mechanisms`, any by default), or `allow_insecure=True`.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.serve(port=0) as server:
    /// ...     configuration = {"bootstrap.servers": server.bootstrap_servers}  # for confluent_kafka.Producer, ...
    /// ...     configuration
    /// {'bootstrap.servers': '127.0.0.1:...'}
    #[pyo3(signature = (
        host="127.0.0.1", port=9092, *, advertised=None, security_protocol="PLAINTEXT", tls_cert=None, tls_key=None, sasl_mechanisms=None,
        allow_insecure=false
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are the public API's")]
    fn serve(
        &self,
        py: Python<'_>,
        host: &str,
        port: u16,
        advertised: Option<&str>,
        security_protocol: &str,
        tls_cert: Option<PathBuf>,
        tls_key: Option<PathBuf>,
        sasl_mechanisms: Option<Vec<String>>,
        allow_insecure: bool,
    ) -> PyResult<Server> {
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
        let engine = self.embedded.engine()?;
        let embedded = Arc::clone(&self.embedded);
        let listening = py
            .detach(|| Listening::open(engine, embedded, options))
            .map_err(errors::raise)?;
        Ok(Server { listening })
    }

    /// Send what producers hold, then close this client and everything that was made from it. The engine is flushed and closed with the
    /// last client on it: each `open()` of the same path makes one. Idempotent; `with` calls it.
    ///
    /// >>> import headwater as hw
    /// >>> client = hw.open()
    /// >>> client.close()
    /// >>> client.close()
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let engine = self.embedded.engine()?;
        if !engine.is_closed() {
            runtime::wait(py, self.embedded.runtime(), self.embedded.drain())?;
        }
        py.detach(|| engine.close());
        Ok(())
    }

    /// This client for asyncio: the same engine, closed with either.
    ///
    /// >>> import asyncio, headwater as hw
    /// >>> with hw.open() as client:
    /// ...     _ = client.create_topic("flights")
    /// ...     async def main():
    /// ...         return await client.aio.topics()
    /// ...     asyncio.run(main())
    /// [TopicInfo(name='flights', partitions=1, internal=False)]
    #[getter]
    fn aio(&self) -> PyResult<AioClient> {
        self.embedded.engine()?;
        Ok(AioClient::new(Arc::clone(&self.embedded)))
    }

    /// What opening the directory found, a `headwater.types.RecoveryReport`; `None` if it is new or was closed in order, and whole.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     print(client.recovery)
    /// None
    #[getter]
    fn recovery<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        recovery::report(py, self.embedded.engine()?.report())
    }

    /// What the engine has counted since it was opened: the segments that were deleted, and their bytes, by reason.
    ///
    /// `exhaustion` counts what was deleted before its retention ended because the disk, or `headwater.storage.max.bytes`, was full;
    /// `retention-time` and `retention-size` what `retention.ms` and `retention.bytes` deleted; `delete-records` what `delete_records`
    /// did. All clients on one directory of this process see the same counts.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     client.metrics()["exhaustion-deleted-segments-total"]
    /// 0
    fn metrics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.embedded.check()?;
        metrics::metrics(py, self.embedded.engine()?.deletions())
    }

    /// Whether it was closed.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     pass
    /// >>> client.closed
    /// True
    #[getter]
    fn closed(&self) -> PyResult<bool> {
        Ok(self.embedded.engine()?.is_closed())
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyResult<PyRef<'_, Self>> {
        slf.embedded.check()?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) -> PyResult<()> {
        self.close(py)
    }

    fn __repr__(&self) -> &'static str {
        match self.embedded.client() {
            Ok(_) => "Client(open)",
            Err(_) => "Client(closed)",
        }
    }
}
