//! The client: topics, and everything that is made from it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use headwater::{
    ConsumerConfig, IfExists, NewTopic, Offset, PartitionId, ProducerConfig, TopicChanges,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::consumer::Consumer;
use crate::convert::format::FormatArguments;
use crate::convert::listener::ListenerArguments;
use crate::convert::{config, partitions, position};
use crate::errors;
use crate::producer::Producer;
use crate::runtime::{self, Embedded};
use crate::server::{Listening, Server};
use crate::topic::Topic;

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

/// The topic that `create_topic`'s arguments describe.
pub(crate) fn new_topic(
    name: String,
    partitions: Option<i32>,
    replication_factor: Option<i16>,
    if_exists: &str,
    config: Vec<(String, String)>,
) -> PyResult<NewTopic> {
    let if_exists = match if_exists {
        "error" => IfExists::Error,
        "ignore" => IfExists::Ignore,
        other => {
            return Err(errors::invalid(&format!(
                "if_exists is \"error\" or \"ignore\", not {other:?}."
            )));
        }
    };
    Ok(NewTopic {
        name,
        partitions,
        replication_factor,
        if_exists,
        config: config.into_iter().collect(),
    })
}

/// Offsets as `{partition: offset}`.
pub(crate) fn offsets_by_number(offsets: BTreeMap<PartitionId, Offset>) -> BTreeMap<i32, i64> {
    offsets
        .into_iter()
        .map(|(partition, offset)| (partition.get(), offset.get()))
        .collect()
}

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
        let topic = runtime::call(
            py,
            self.embedded.runtime(),
            self.embedded.client()?.create_topic(topic),
        )?;
        Ok(Topic::new(Arc::clone(&self.embedded), topic))
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
            self.embedded.client()?.topics(internal),
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
            self.embedded.client()?.alter_topic(name, changes),
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
            self.embedded.client()?.delete_topic(name, missing_ok),
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
            self.embedded.client()?.delete_records(name, &before),
        )?;
        Ok(offsets_by_number(starts))
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
    /// `key`, `value`, `schema`, `unnest` and `on_error` are the formats of `Topic.scan`. Other keyword arguments and `config` take
    /// Kafka's consumer keys.
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
        let server = py.detach(|| engine.serve(options)).map_err(errors::raise)?;
        Ok(Server {
            listening: Listening::new(server, Arc::clone(&self.embedded)),
        })
    }

    /// Send what producers hold, then flush and close the engine, for everything that was made from it. Idempotent; `with` calls it.
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
