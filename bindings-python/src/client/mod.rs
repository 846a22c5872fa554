//! The client, which creates topics, producers, consumers and servers.

mod container;
pub(crate) mod groups;
mod text;
pub(crate) mod topics;

use std::path::PathBuf;

use headwater::{Admin, ConsumerConfig, ListenerArguments, ProducerConfig, Subscription};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::consumer::Consumer;
use crate::convert::format::Formats;
use crate::convert::{config, partitions};
use crate::errors;
use crate::face::{Access, Answer, Face, closing, faces, none};
use crate::foreign_names;
use crate::metrics;
use crate::producer::Producer;
use crate::recovery;
use crate::runtime;
use crate::server::Server;

/// The methods of clients of both faces.
#[pyclass(frozen, subclass, weakref, module = "headwater._headwater")]
#[derive(Debug)]
pub(crate) struct Client {
    access: Access,
}

/// A connection to an engine or cluster: creates topics, producers and consumers. Any number of threads may use it.
///
/// It is also a collection of the names of its topics, without internal ones: `client["flights"]` is the topic,
/// `"flights" in client`, `list(client)` and `len(client)` request the names.
///
/// >>> import headwater as hw
/// >>> with hw.open() as client:
/// ...     topic = client.create_topic("flights", partitions=4, retention_ms=-1)
/// ...     list(client), len(client), client["flights"] == topic
/// (['flights'], 1, True)
#[pyclass(frozen, extends = Client, module = "headwater", name = "Client")]
#[derive(Debug)]
pub(crate) struct BlockingClient;

/// `headwater.Client` for asyncio.
///
/// >>> import asyncio, headwater.aio as hw
/// >>> async def main():
/// ...     async with hw.open() as client:
/// ...         await client.create_topic("flights", partitions=4)
/// ...         return await client.topics()
/// >>> asyncio.run(main())
/// [TopicInfo(name='flights', partitions=4, internal=False)]
#[pyclass(frozen, extends = Client, module = "headwater.aio", name = "Client")]
#[derive(Debug)]
pub(crate) struct AsyncioClient;

faces!(Client: BlockingClient, AsyncioClient);
closing!(Client: BlockingClient, AsyncioClient, |client| client.access.check());

impl Client {
    pub(crate) fn new(access: Access) -> Self {
        Self { access }
    }

    /// The administration of the engine, if it is open.
    fn admin(&self) -> PyResult<Admin> {
        Ok(self.access.client()?.admin().clone())
    }

    /// The client of the same engine under another face.
    fn with_face(&self, py: Python<'_>, face: Face) -> PyResult<Py<PyAny>> {
        self.access.engine()?;
        Self::new(self.access.with_face(face)).into_object(py)
    }
}

#[pymethods]
impl Client {
    fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        Err(foreign_names::missing("Client", slf.as_any(), name))
    }

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
        py: Python<'_>,
        config: Option<&Bound<'_, PyDict>>,
        producer_config: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let config =
            ProducerConfig::parse(config::pairs("Client.producer", config, producer_config)?)
                .map_err(errors::raise)?;
        let producer = self.access.client()?.producer(config);
        Producer::new(self.access.clone(), producer).into_object(py)
    }

    /// A consumer of all partitions of these topics; without topics, pass the partitions to `Consumer.assign`. With
    /// `group_id` it shares them with the other consumers of the group, starts at the committed offsets, and
    /// periodically commits finished records: a batch or a message is finished when the next one is requested. With a
    /// group, topics can also be a `re.compile(...)`. A topic that does not exist is an error here, and in asyncio at
    /// the first read.
    ///
    /// The members of a group assign its partitions; with `group_protocol="consumer"` the broker does (KIP-848), with
    /// the assignor `group_remote_assignor`, if set. The broker then also sets the session timeout and the heartbeat
    /// interval, and finds the topics of a pattern. Members of both protocols can share a group while it migrates from
    /// one to the other.
    ///
    /// `key`, `value`, `schema`, `unnest`, `unnest_prefix`, `rest` and `on_error` are the formats of `Topic.scan`.
    /// Without a schema, the types of JSON are inferred for each batch, and lose no key. The value of a message is the
    /// result of `json.loads`. After a `DecodeError` the consumer is at the record. To continue after it:
    /// `consumer.seek({(error.topic, error.partition): error.offset + 1})`. Other keyword arguments and `config` take
    /// Kafka's consumer keys.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client, client.producer() as producer:
    /// ...     _ = client.create_topic("flights")
    /// ...     _ = producer.send_batch("flights", [b"a", b"b"])
    /// ...     with client.consumer("flights", auto_offset_reset="earliest", value="string") as consumer:
    /// ...         [message.value for message in consumer.poll()]
    /// ['a', 'b']
    #[pyo3(signature = (
        topics=None, *, group_id=None, key="bytes", value="bytes", schema=None, unnest=false, unnest_prefix=None, rest=None,
        on_error="raise", config=None, **consumer_config
    ))]
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
        unnest_prefix: Option<String>,
        rest: Option<String>,
        on_error: &str,
        config: Option<&Bound<'_, PyDict>>,
        consumer_config: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let decode = Formats {
            key,
            value,
            schema,
            unnest,
            unnest_prefix,
            rest,
            on_error,
            columns: None,
        }
        .options()?;
        let mut pairs = config::pairs("Client.consumer", config, consumer_config)?;
        pairs.extend(group_id.map(|group_id| ("group.id".to_owned(), group_id.to_owned())));
        let config = ConsumerConfig::parse(pairs).map_err(errors::raise)?;
        let is_member = config.group.is_some();
        let (mut topics, subscription) = match topics {
            Some(topics) if is_member => (None, Some(partitions::subscription(topics)?)),
            topics => (topics.map(partitions::topics).transpose()?, None),
        };
        let given = subscription.clone();
        let given = given.or_else(|| topics.as_ref().map(Subscription::topics));
        let mut consumer = self.access.client()?.consumer(config);
        consumer.decode_as(decode).map_err(errors::raise)?;
        if let Some(subscription) = subscription {
            consumer.subscribe(subscription).map_err(errors::raise)?;
        }
        if self.access.face() == Face::Blocking
            && let Some(topics) = topics.take()
        {
            let names: Vec<&str> = topics.iter().map(String::as_str).collect();
            runtime::call(py, self.access.runtime(), consumer.assign_topics(&names))?;
        }
        if let Some(topics) = topics {
            consumer.assign_topics_at_first_use(topics);
        }
        Consumer::new(self.access.clone(), consumer, given).into_object(py)
    }

    /// Open the engine to any Kafka client. `port=0` uses a free port; `advertised="HOST:PORT"` is the address that
    /// clients connect to.
    ///
    /// An address that other machines can reach is refused without `security_protocol="SASL_SSL"` (TLS with `tls_cert`
    /// and `tls_key`, PEM files; users from `headwater user add` with `sasl_mechanisms`, any by default) or
    /// `allow_insecure=True`.
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
    ) -> Answer<'py> {
        let options = ListenerArguments {
            host: host.to_owned(),
            port,
            advertised: advertised.map(str::to_owned),
            security_protocol: security_protocol.to_owned(),
            tls_cert,
            tls_key,
            sasl_mechanisms,
            allow_insecure,
        }
        .options()
        .map_err(errors::raise)?;
        self.access.check()?;
        let engine = self.access.engine()?.clone();
        let access = self.access.clone();
        let listen = move || engine.serve(options);
        self.access.block(py, listen, |py, server| {
            Server::new(access, server).into_object(py)
        })
    }

    /// Send the queued records of all producers, then close this client and everything created from it. The engine is
    /// flushed and closed with its last client: each `open()` of the same path creates one. Idempotent; `with` calls
    /// it.
    ///
    /// Raises an error if records could not be sent, with their number and topics. The client is closed nevertheless.
    ///
    /// >>> import headwater as hw
    /// >>> client = hw.open()
    /// >>> client.close()
    /// >>> client.close()
    fn close<'py>(&self, py: Python<'py>) -> Answer<'py> {
        let engine = self.access.engine()?.clone();
        let mut sent = Ok(());
        if self.access.face() == Face::Blocking && !engine.is_closed() {
            // Waited for here, because this thread handles Ctrl-C.
            sent = runtime::wait(py, engine.runtime(), engine.client().close())?;
        }
        self.access
            .block(py, move || sent.and(engine.close()), none)
    }

    /// The report of opening the directory, a `headwater.types.RecoveryReport`; `None` if the directory is new, or was
    /// closed in order and is complete.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     print(client.recovery)
    /// None
    #[getter]
    fn recovery<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        recovery::report(py, self.access.engine()?.report())
    }

    /// The metrics of this client: requests and their latencies, connections and bytes for each broker, queued records
    /// of producers, and the lag of consumers. `headwater.types.Metrics` has each key with its unit. Sends no request.
    /// `stats=` of `open()` and `connect()` is periodically called with the same.
    ///
    /// An embedded engine also counts deleted segments, and their bytes, by reason. `exhaustion` counts segments that
    /// were deleted before their retention ended because the disk, or `headwater.storage.max.bytes`, was full;
    /// `retention-time` and `retention-size` count deletions by `retention.ms` and `retention.bytes`, `delete-records`
    /// those by `delete_records`. All clients on one directory of this process have the same counts.
    ///
    /// >>> import headwater as hw
    /// >>> with hw.open() as client:
    /// ...     client.metrics()["exhaustion-deleted-segments-total"]
    /// ...     topic = client.create_topic("flights")
    /// ...     client.metrics()["request-total"] > 0
    /// 0
    /// True
    fn metrics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.access.check()?;
        let engine = self.access.engine()?;
        metrics::metrics(py, &engine.client().metrics(), engine.deletions())
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
        Ok(self.access.engine()?.is_closed())
    }
}

#[pymethods]
impl BlockingClient {
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
    fn aio(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        slf.as_super().get().with_face(slf.py(), Face::Asyncio)
    }
}

#[pymethods]
impl AsyncioClient {
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
    fn sync(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        slf.as_super().get().with_face(slf.py(), Face::Blocking)
    }
}
