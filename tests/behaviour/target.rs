//! What the tests run against.

use std::future::Future;
use std::ops::Deref;

use headwater::{Client, Engine, NO_CONFIG, NewTopic, Producer, ProducerConfig, Record};
use tempfile::TempDir;

/// A kind of broker.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// In process, in memory.
    Memory,
    /// In process, on a directory.
    Directory,
}

/// A broker that runs, with a client on it. It is a [`Client`] by `Deref`.
pub(crate) struct Running {
    engine: Engine,
    directory: Option<TempDir>,
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
                engine: headwater::open(None, pairs()).unwrap(),
                directory: None,
            },
            Self::Directory => {
                let directory = TempDir::new().unwrap();
                let engine =
                    headwater::open(Some(&directory.path().join("data")), pairs()).unwrap();
                Running {
                    engine,
                    directory: Some(directory),
                }
            }
        }
    }
}

impl Running {
    /// Waits for a future as a plain thread does.
    pub(crate) fn wait<F: Future>(&self, future: F) -> F::Output {
        self.engine.runtime().block_on(future)
    }

    /// The engine behind the client.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Another handle of the same broker. On a directory its client shares nothing of what this one knows.
    pub(crate) fn another(&self) -> Engine {
        match &self.directory {
            Some(directory) => {
                headwater::open(Some(&directory.path().join("data")), NO_CONFIG).unwrap()
            }
            None => self.engine.clone(),
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
        &self.engine
    }
}
