//! A cluster with one topic, records in it, and consumers of it.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_client::{Client, Consumer, ConsumerConfig, Producer, Record, Result};
use tokio::runtime::Runtime;

use super::{FakeCluster, client, config};

pub(crate) const TOPIC: &str = "t";
/// Longer than any test takes.
pub(crate) const LONG: Duration = Duration::from_mins(1);

/// A cluster whose nodes lead the partitions of [`TOPIC`] in turns, and a client on it.
pub(crate) struct Reading {
    pub(crate) cluster: Arc<FakeCluster>,
    pub(crate) client: Client,
    pub(crate) producer: Producer,
    runtime: Runtime,
}

impl Reading {
    pub(crate) fn new(nodes: i32, partitions: i32) -> Self {
        let cluster = FakeCluster::with_nodes(nodes, TOPIC, partitions);
        let (runtime, client) = client(&cluster);
        Self {
            producer: client.producer(config(&[])),
            client,
            cluster,
            runtime,
        }
    }

    pub(crate) fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Sends a record to a partition and waits until it is written.
    pub(crate) fn send(&self, partition: i32) {
        let record = Record::new(TOPIC, b"value").partition(partition);
        let handle = self.producer.send_blocking(&record).unwrap();
        handle.wait().unwrap();
    }

    /// A consumer that retries at once, without an assignment.
    pub(crate) fn consumer(&self, pairs: &[(&str, &str)]) -> Consumer {
        let fixed = [
            ("auto.offset.reset", "earliest"),
            ("retry.backoff.ms", "1"),
            ("retry.backoff.max.ms", "2"),
            ("fetch.max.wait.ms", "60000"),
        ];
        let pairs = fixed.iter().chain(pairs).copied();
        self.client.consumer(ConsumerConfig::parse(pairs).unwrap())
    }

    /// A consumer of the whole topic.
    pub(crate) fn consumer_of_all(&self, pairs: &[(&str, &str)]) -> Consumer {
        let mut consumer = self.consumer(pairs);
        self.wait(consumer.assign_topics(&[TOPIC])).unwrap();
        consumer
    }

    /// The number of records of one poll.
    pub(crate) fn poll(&self, consumer: &mut Consumer, timeout: Duration) -> usize {
        self.try_poll(consumer, timeout).unwrap()
    }

    pub(crate) fn try_poll(&self, consumer: &mut Consumer, timeout: Duration) -> Result<usize> {
        Ok(self.wait(consumer.poll(timeout, None))?.len())
    }

    /// Polls until `count` records have arrived.
    pub(crate) fn read(&self, consumer: &mut Consumer, count: usize) {
        let (mut read, start) = (0, Instant::now());
        while read < count {
            assert!(start.elapsed() < LONG, "{read} of {count} records");
            read += self.poll(consumer, Duration::from_millis(100));
        }
        assert_eq!(read, count);
    }

    /// The number of fetches that a node got.
    pub(crate) fn fetches_from(&self, node: i32) -> usize {
        let asked = self.cluster.asked("Fetch");
        asked.into_iter().filter(|asked| *asked == node).count()
    }
}
