//! A consumer with a rack reads from the leader's preferred replica (KIP-392).

use std::sync::Arc;
use std::time::Duration;

use headwater_client::{Client, ClientConfig, ConsumerConfig, Record, Transport};
use headwater_protocol::ErrorCode;

use crate::support::reading::{LONG, Reading, TOPIC};
use crate::support::{FakeCluster, config};

const RACK: (&str, &str) = ("client.rack", "r");

/// Two nodes; node 1 leads, and returns node 2 to consumers with a rack.
fn start() -> Reading {
    let reading = Reading::new(2, 1);
    reading.cluster.state().preferred_replica = Some(2);
    reading
}

#[test]
fn a_consumer_with_a_rack_reads_from_the_replica() {
    let reading = start();
    let mut consumer = reading.consumer_of_all(&[RACK]);
    for _ in 0..2 {
        reading.send(0);
        assert_eq!(reading.poll(&mut consumer, LONG), 1);
    }
    assert_eq!(reading.cluster.asked("Fetch"), [1, 2, 2]);
}

#[test]
fn a_consumer_without_a_rack_reads_from_the_leader() {
    let reading = start();
    let mut consumer = reading.consumer_of_all(&[]);
    reading.send(0);
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
    assert_eq!(reading.cluster.asked("Fetch"), [1]);
}

/// A replica lags behind the leader, so an offset that it does not have is not a reason to reset.
#[test]
fn a_refusing_replica_is_replaced_by_the_leader() {
    for code in [ErrorCode::OffsetOutOfRange, ErrorCode::NotLeaderOrFollower] {
        let reading = start();
        let mut consumer = reading.consumer_of_all(&[RACK, ("auto.offset.reset", "none")]);
        let earliest = headwater_client::Position::Earliest;
        reading.wait(consumer.seek(&earliest, &[])).unwrap();
        reading.send(0);
        reading.cluster.state().replica_faults.push_back(code);
        assert_eq!(reading.poll(&mut consumer, LONG), 1);
        assert_eq!(reading.cluster.asked("Fetch"), [1, 2, 1, 2]);
    }
}

#[test]
fn an_unreachable_replica_is_replaced_by_the_leader() {
    let reading = start();
    let mut consumer = reading.consumer_of_all(&[RACK]);
    reading.send(0);
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
    reading.cluster.state().dead_nodes = vec![2];
    reading.cluster.state().preferred_replica = None;
    reading.send(0);
    assert_eq!(reading.poll(&mut consumer, LONG), 1);
    assert_eq!(reading.cluster.asked("Fetch"), [1, 2, 1]);
}

#[test]
fn an_offline_replica_gets_no_fetch() {
    let reading = start();
    reading.cluster.state().offline_replicas = vec![2];
    let mut consumer = reading.consumer_of_all(&[RACK]);
    reading.send(0);
    assert_eq!(reading.poll(&mut consumer, Duration::from_millis(20)), 0);
    assert_eq!(reading.fetches_from(2), 0);
}

/// By then the leader may have a better one.
#[test]
fn fetches_return_to_the_leader_after_metadata_max_age() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let cluster = FakeCluster::with_nodes(2, TOPIC, 1);
    cluster.state().preferred_replica = Some(2);
    runtime.block_on(async {
        let transport = Arc::clone(&cluster) as Arc<dyn Transport>;
        let handle = tokio::runtime::Handle::current();
        let client = Client::new(transport, handle, ClientConfig::default());
        let producer = client.producer(config(&[]));
        let pairs = [RACK, ("auto.offset.reset", "earliest")];
        let mut consumer = client.consumer(ConsumerConfig::parse(pairs).unwrap());
        consumer.assign_topics(&[TOPIC]).await.unwrap();
        for _ in 0..3 {
            let sent = producer.send(&Record::new(TOPIC, b"value")).await.unwrap();
            producer.flush().await.unwrap();
            drop(sent);
            assert_eq!(consumer.poll(LONG, None).await.unwrap().len(), 1);
            tokio::time::advance(Duration::from_secs(200)).await;
        }
    });
    assert_eq!(cluster.asked("Fetch"), [1, 2, 2, 1, 2]);
}
