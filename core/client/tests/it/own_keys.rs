//! Keys of a producer or a consumer that override those of its client.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::{FakeCluster, client, config};
use headwater_client::{
    Client, ClientConfig, ConsumerConfig, ErrorKind, Producer, ProducerConfig, Record,
    TopicPartition, Transport,
};
use headwater_record::{PartitionId, RecordBatch};

fn send(producer: &Producer, partition: i32, value: &[u8]) {
    let record = Record {
        partition: Some(PartitionId::new(partition)),
        ..Record::new("t", value)
    };
    drop(producer.send_blocking(&record).unwrap());
}

#[test]
fn producers_and_consumers_send_their_own_client_id() {
    let broker = FakeCluster::with_topic("t", 1);
    let (_runtime, client) = client(&broker);
    client.producer(config(&[]));
    client.consumer(ConsumerConfig::default());
    assert_eq!(names_of_lanes(&broker), [""]);
    client.producer(config(&[("client.id", "orders")]));
    client.consumer(ConsumerConfig::parse([("client.id", "reports")]).unwrap());
    assert_eq!(names_of_lanes(&broker), ["", "orders", "reports"]);
}

/// The client names of the opened lanes, each once.
fn names_of_lanes(broker: &FakeCluster) -> Vec<String> {
    let mut names = broker.state().client_ids.clone();
    names.sort();
    names.dedup();
    names
}

#[test]
fn other_keys_have_the_clients_values() {
    let broker = FakeCluster::with_topic("t", 1);
    let (_runtime, client) = client(&broker);
    let pairs = [("request.timeout.ms", "70"), ("retry.backoff.max.ms", "9")];
    let consumer = client.consumer(ConsumerConfig::parse(pairs).unwrap());
    let own = consumer.client_config();
    assert_eq!(own.request_timeout, Duration::from_millis(70));
    assert_eq!(own.retry.backoff_max, Duration::from_millis(9));
    // The value of the tests' client, not Kafka's default.
    assert_eq!(own.retry.backoff, Duration::from_millis(1));
    assert_eq!(client.config().request_timeout, Duration::from_secs(30));
}

#[test]
fn a_call_of_a_consumer_has_its_own_time_limit() {
    let broker = FakeCluster::with_topic("t", 1);
    let (runtime, client) = client(&broker);
    let pairs = [("group.id", "g"), ("default.api.timeout.ms", "100")];
    let mut consumer = client.consumer(ConsumerConfig::parse(pairs).unwrap());
    let begun = Instant::now();
    // The coordinator is unreachable, which may be temporary.
    broker.state().coordinator = 2;
    broker.state().dead_nodes = vec![2];
    let assigned = runtime.block_on(consumer.assign(vec![TopicPartition::new("t", 0)]));
    assert_eq!(assigned.unwrap_err().kind(), ErrorKind::Transport);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn requests_in_flight_stay_within_the_producers_limit() {
    for max in [1, 3] {
        let broker = FakeCluster::with_topic("t", 8);
        broker.state().produce_takes = Duration::from_millis(20);
        let (runtime, client) = client(&broker);
        let key = "max.in.flight.requests.per.connection";
        // One batch fills a request.
        let producer = client.producer(config(&[
            (key, &max.to_string()),
            ("batch.size", "1000"),
            ("max.request.size", "1000"),
        ]));
        for partition in 0..8 {
            send(&producer, partition, &[b'v'; 800]);
        }
        runtime.block_on(producer.flush()).unwrap();
        let state = broker.state();
        assert_eq!((state.seen.len(), state.in_flight_max), (8, max));
    }
}

#[test]
fn metadata_is_refreshed_at_the_producers_maximum_age() {
    for (age, asked) in [("300000", 1), ("0", 4)] {
        let broker = FakeCluster::with_topic("t", 1);
        let (runtime, client) = client(&broker);
        let producer = client.producer(config(&[("metadata.max.age.ms", age)]));
        for _ in 0..3 {
            send(&producer, 0, b"v");
            runtime.block_on(producer.flush()).unwrap();
        }
        assert_eq!(broker.state().metadata_requests, asked);
    }
}

#[test]
fn batches_are_compressed_with_the_producers_level() {
    let text: Vec<u8> = (0..100_000_u32)
        .flat_map(|n| (n * n % 9973).to_string().into_bytes())
        .collect();
    let size = |codec: &str, level: &str| {
        let broker = FakeCluster::with_topic("t", 1);
        let (runtime, client) = client(&broker);
        let key = format!("compression.{codec}.level");
        let producer = client.producer(config(&[("compression.type", codec), (&key, level)]));
        send(&producer, 0, &text);
        runtime.block_on(producer.flush()).unwrap();
        let stored = broker.state().logs[&("t".to_owned(), 0)][0].clone();
        RecordBatch::parse(stored).unwrap().header().size_in_bytes()
    };
    assert!(size("gzip", "9") < size("gzip", "1"));
    assert!(size("zstd", "19") < size("zstd", "-50"));
}

#[test]
fn the_default_of_the_delivery_timeout_is_raised_for_the_clients_request_timeout() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = ClientConfig::parse([("request.timeout.ms", "300000")]).unwrap();
    let transport: Arc<dyn Transport> = FakeCluster::with_topic("t", 1);
    let client = Client::new(transport, runtime.handle().clone(), config);
    let delivery_timeout_ms = |pairs: &[(&str, &str)]| {
        let config = ProducerConfig::parse(pairs.iter().copied()).unwrap();
        let producer = client.producer(config);
        producer.config().delivery_timeout.as_millis()
    };
    assert_eq!(delivery_timeout_ms(&[]), 300_005);
    assert_eq!(
        delivery_timeout_ms(&[("delivery.timeout.ms", "130000")]),
        130_000
    );
    assert_eq!(
        delivery_timeout_ms(&[("request.timeout.ms", "1000")]),
        120_000
    );
}
