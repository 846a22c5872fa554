//! What the tests run against.

use std::future::Future;
use std::ops::Deref;

use headwater::{
    Client, ClientConfig, Engine, ListenerOptions, NO_CONFIG, NewTopic, Producer, ProducerConfig,
    Record, ServeOptions, Server,
};
use tempfile::TempDir;

/// A kind of broker.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// In process, in memory.
    Memory,
    /// In process, on a directory.
    Directory,
    /// Over TCP: a server on an engine in memory.
    Served,
}

/// A broker that runs, with a client on it. It is a [`Client`] by `Deref`.
pub(crate) struct Running {
    /// The client under test: on the engine itself, or connected to it.
    client: Engine,
    server: Option<Served>,
    directory: Option<TempDir>,
}

/// An engine in this process that serves the client under test.
struct Served {
    server: Server,
    _engine: Engine,
}

impl Target {
    /// A fresh broker without topics.
    pub(crate) fn start(self) -> Running {
        self.start_with(&NO_CONFIG)
    }

    /// A fresh broker that is told these keys.
    pub(crate) fn start_with(self, pairs: &[(&str, &str)]) -> Running {
        let pairs = || pairs.iter().copied();
        match self {
            Self::Memory => Running {
                client: headwater::open(None, pairs()).unwrap(),
                server: None,
                directory: None,
            },
            Self::Served => serve(pairs()),
            Self::Directory => {
                let directory = TempDir::new().unwrap();
                let client =
                    headwater::open(Some(&directory.path().join("data")), pairs()).unwrap();
                Running {
                    client,
                    server: None,
                    directory: Some(directory),
                }
            }
        }
    }
}

/// Serves an engine in memory and connects to it. The keys of the client go to both.
fn serve<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Running {
    let engine = headwater::open(None, pairs.clone()).unwrap();
    let options = ServeOptions {
        listeners: vec![ListenerOptions::new("127.0.0.1", 0)],
        ..ServeOptions::default()
    };
    let server = engine.serve(options).unwrap();
    let of_client = pairs.filter(|pair| ClientConfig::parse([*pair]).is_ok());
    Running {
        client: headwater::connect(&address(&server), of_client).unwrap(),
        server: Some(Served {
            server,
            _engine: engine,
        }),
        directory: None,
    }
}

fn address(server: &Server) -> String {
    server.addresses()[0].to_string()
}

impl Running {
    /// Waits for a future as a plain thread does.
    pub(crate) fn wait<F: Future>(&self, future: F) -> F::Output {
        self.client.runtime().block_on(future)
    }

    /// The handle of the client under test.
    pub(crate) fn handle(&self) -> &Engine {
        &self.client
    }

    /// Another client of the same broker. Unless the broker is in memory, it shares no state with this one.
    pub(crate) fn another(&self) -> Engine {
        match (&self.directory, &self.server) {
            (Some(directory), _) => {
                headwater::open(Some(&directory.path().join("data")), NO_CONFIG).unwrap()
            }
            (None, Some(served)) => {
                headwater::connect(&address(&served.server), NO_CONFIG).unwrap()
            }
            (None, None) => self.client.clone(),
        }
    }

    /// Makes a topic with small segments, so that rolls happen in every test, and without retention: timestamps of tests are long ago.
    pub(crate) fn make(&self, name: &str, partitions: i32) {
        let topic = NewTopic::new(name)
            .partitions(partitions)
            .config("segment.bytes", "1048576")
            .config("retention.ms", "-1");
        self.wait(self.admin().create_topic(topic)).unwrap();
    }

    /// A producer with the defaults but for `pairs`.
    pub(crate) fn producer_with(&self, pairs: &[(&str, &str)]) -> Producer {
        self.producer(ProducerConfig::parse(pairs.iter().copied()).unwrap())
    }

    /// Sends these values to a partition, all stamped with the offset that they get in a fresh partition, and waits for all.
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

impl Deref for Running {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
