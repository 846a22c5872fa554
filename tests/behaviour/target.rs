//! The targets of the tests.

use std::future::Future;
use std::ops::Deref;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use headwater::{
    Client, ClientConfig, Engine, ListenerOptions, NO_CONFIG, NewTopic, Producer, ProducerConfig,
    Record, ServeOptions, Server, TopicPartition,
};
use tempfile::TempDir;

use crate::consume::PATIENCE;

/// The variable with the bootstrap addresses of the Apache Kafka cluster that all tests share.
const KAFKA: &str = "HEADWATER_TEST_KAFKA";
/// The configuration of the brokers of that cluster.
const KAFKA_CONFIG: &str = include_str!("../foreign/kafka/cluster.properties");

/// A kind of broker.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// In process, in memory.
    Memory,
    /// In process, on a directory.
    Directory,
    /// Over TCP: a server on an engine in memory.
    Served,
    /// Over TCP: an Apache Kafka cluster, which other tests use at the same time.
    Kafka,
}

/// A running broker, with a client on it. It is a [`Client`] by `Deref`.
pub(crate) struct RunningBroker {
    /// The client under test: on the engine itself, or connected to it.
    client: Engine,
    place: BrokerLocation,
    /// The suffix of the names of this test's topics and groups.
    suffix: String,
}

/// The location of the broker.
enum BrokerLocation {
    Memory,
    Directory(TempDir),
    Served(ServedEngine),
    Kafka,
}

/// An engine in this process that serves the client under test.
struct ServedEngine {
    server: Server,
    _engine: Engine,
}

impl Target {
    /// Its name in the list of differences and in Python.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory | Self::Directory => "embedded",
            Self::Served => "served",
            Self::Kafka => "kafka",
        }
    }

    /// A broker without topics of this test.
    pub(crate) fn start(self) -> RunningBroker {
        self.start_with(&NO_CONFIG)
    }

    /// The same, with these keys in the broker's configuration.
    pub(crate) fn start_with(self, pairs: &[(&str, &str)]) -> RunningBroker {
        let keys = || pairs.iter().copied();
        let (client, place) = match self {
            Self::Memory => (
                headwater::open(None, keys()).unwrap(),
                BrokerLocation::Memory,
            ),
            Self::Served => serve(keys()),
            Self::Directory => {
                let directory = TempDir::new().unwrap();
                let client = headwater::open(Some(&directory.path().join("data")), keys()).unwrap();
                (client, BrokerLocation::Directory(directory))
            }
            Self::Kafka => (connect_to_kafka(pairs), BrokerLocation::Kafka),
        };
        RunningBroker {
            client,
            place,
            suffix: new_suffix(),
        }
    }

    /// Waits until each broker returns a topic with this number of partitions. A broker of a cluster applies the change
    /// a moment after the controller.
    pub(crate) fn await_partitions(self, topic: &str, partitions: i32) {
        if !matches!(self, Self::Kafka) {
            return;
        }
        for address in kafka_addresses().split(',') {
            let client = headwater::connect(address, NO_CONFIG).unwrap();
            let count = || {
                let described = client.runtime().block_on(client.topic(topic).describe());
                described.map_or(0, |topic| topic.partitions.len())
            };
            let deadline = Instant::now() + PATIENCE;
            while count() < partitions as usize {
                assert!(Instant::now() < deadline, "{address} lags");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

/// A suffix that no other test has, nor another run on the same cluster. It has no special meaning in a regular
/// expression.
fn new_suffix() -> String {
    static RUN: LazyLock<String> = LazyLock::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        format!("{:x}", since.as_millis())
    });
    static TESTS: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", *RUN, TESTS.fetch_add(1, Ordering::Relaxed))
}

fn connect_to_kafka(pairs: &[(&str, &str)]) -> Engine {
    for (key, value) in pairs {
        let line = format!("{key}={value}");
        assert!(
            KAFKA_CONFIG.lines().any(|has| has == line),
            "the cluster is not configured with {line}"
        );
    }
    headwater::connect(&kafka_addresses(), NO_CONFIG).unwrap()
}

fn kafka_addresses() -> String {
    std::env::var(KAFKA).unwrap_or_else(|_| panic!("{KAFKA} is not set: run make test-kafka"))
}

/// Serves an engine in memory and connects to it. The keys of the client apply to both.
fn serve<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> (Engine, BrokerLocation) {
    let engine = headwater::open(None, pairs.clone()).unwrap();
    let options = ServeOptions {
        listeners: vec![ListenerOptions::new("127.0.0.1", 0)],
        ..ServeOptions::default()
    };
    let server = engine.serve(options).unwrap();
    let of_client = pairs.filter(|pair| ClientConfig::parse([*pair]).is_ok());
    let client = headwater::connect(&address(&server), of_client).unwrap();
    let place = BrokerLocation::Served(ServedEngine {
        server,
        _engine: engine,
    });
    (client, place)
}

fn address(server: &Server) -> String {
    server.addresses()[0].to_string()
}

impl RunningBroker {
    /// Waits for a future like a plain thread.
    pub(crate) fn wait<F: Future>(&self, future: F) -> F::Output {
        self.client.runtime().block_on(future)
    }

    /// The handle of the client under test.
    pub(crate) fn handle(&self) -> &Engine {
        &self.client
    }

    /// Another client of the same broker. Unless the broker is in memory here, it shares no state with this one.
    pub(crate) fn another(&self) -> Engine {
        match &self.place {
            BrokerLocation::Memory => self.client.clone(),
            BrokerLocation::Directory(directory) => {
                headwater::open(Some(&directory.path().join("data")), NO_CONFIG).unwrap()
            }
            BrokerLocation::Served(served) => {
                headwater::connect(&address(&served.server), NO_CONFIG).unwrap()
            }
            BrokerLocation::Kafka => connect_to_kafka(&NO_CONFIG),
        }
    }

    /// The actual name of this test's topic or group `own`. It is leaked: tests end soon.
    pub(crate) fn name(&self, own: &str) -> &'static str {
        format!("{own}-{}", self.suffix).leak()
    }

    /// A partition of this test's topic `t`.
    pub(crate) fn partition(&self, number: i32) -> TopicPartition {
        TopicPartition::new(self.name("t"), number)
    }

    /// The names of this test's topics, in the order in which the broker lists them.
    pub(crate) fn topics(&self) -> Vec<String> {
        let all = self.wait(self.admin().topics(true)).unwrap();
        let names = all.iter().map(|topic| topic.name.to_string());
        names.filter(|name| name.ends_with(&self.suffix)).collect()
    }

    /// The names of this test's groups.
    pub(crate) fn groups(&self) -> Vec<String> {
        let all = self.wait(self.admin().list_groups()).unwrap();
        let names = all.iter().map(|group| group.group_id.clone());
        names.filter(|name| name.ends_with(&self.suffix)).collect()
    }

    /// Creates a topic with small segments, so that every test rolls segments, and without retention, because
    /// timestamps in tests are old.
    pub(crate) fn make(&self, name: &str, partitions: i32) {
        let topic = NewTopic::new(name)
            .partitions(partitions)
            .config("segment.bytes", "1048576")
            .config("retention.ms", "-1");
        self.wait(self.admin().create_topic(topic)).unwrap();
    }

    /// A producer with the defaults, except for `pairs`.
    pub(crate) fn producer_with(&self, pairs: &[(&str, &str)]) -> Producer {
        self.producer(ProducerConfig::parse(pairs.iter().copied()).unwrap())
    }

    /// Sends these values to a partition, each with its offset in a new partition as timestamp, and waits for all.
    pub(crate) fn fill<V: AsRef<[u8]>>(
        &self,
        topic: &str,
        partition: i32,
        values: impl IntoIterator<Item = V>,
    ) {
        let producer = self.producer_with(&[]);
        let mut handles = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            let record = Record::new(topic, value.as_ref())
                .partition(partition)
                .timestamp_ms(index as i64);
            handles.push(producer.send_blocking(&record).unwrap());
        }
        for handle in handles {
            handle.wait().unwrap();
        }
    }
}

impl Deref for RunningBroker {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
