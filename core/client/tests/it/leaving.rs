//! A member that closes while no broker answers. The time is moved.

use std::sync::Arc;
use std::time::Duration;

use headwater_client::{Client, ClientConfig, Consumer, ConsumerConfig, Subscription, Transport};
use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::support::FakeCluster;
use crate::support::reading::{Reading, TOPIC};

/// A runtime whose time can be moved, and a member with a record to commit in a cluster that no longer answers.
fn abandoned_member(pairs: &[(&str, &str)]) -> (Runtime, Client, Consumer) {
    let reading = Reading::new(1, 1);
    reading.send(0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let client = client(&reading.cluster, &runtime, pairs);
    let config = [
        ("group.id", "g"),
        ("group.protocol", "consumer"),
        ("auto.offset.reset", "earliest"),
        ("auto.commit.interval.ms", "600000"),
    ];
    let mut consumer = client.consumer(ConsumerConfig::parse(config).unwrap());
    consumer.subscribe(Subscription::topics([TOPIC])).unwrap();
    runtime.block_on(async {
        while consumer
            .poll(Duration::from_millis(50), None)
            .await
            .unwrap()
            .is_empty()
        {}
        // The record is finished.
        consumer.poll(Duration::ZERO, None).await.unwrap();
    });
    reading.cluster.state().is_silent = true;
    (runtime, client, consumer)
}

fn client(cluster: &Arc<FakeCluster>, runtime: &Runtime, pairs: &[(&str, &str)]) -> Client {
    let fixed = [("retry.backoff.ms", "1"), ("retry.backoff.max.ms", "2")];
    let pairs = fixed.iter().chain(pairs).copied();
    Client::new(
        Arc::clone(cluster) as Arc<dyn Transport>,
        runtime.handle().clone(),
        ClientConfig::parse(pairs).unwrap(),
    )
}

/// The seconds that pass while the member leaves.
fn seconds(runtime: &Runtime, leave: impl Future<Output = ()>) -> f64 {
    runtime.block_on(async {
        tokio::time::pause();
        let start = Instant::now();
        leave.await;
        start.elapsed().as_secs_f64()
    })
}

#[test]
fn a_close_waits_at_most_30_seconds_for_brokers() {
    let (runtime, _client, mut consumer) = abandoned_member(&[]);
    let took = seconds(&runtime, consumer.close());
    assert!((29.0..31.0).contains(&took), "{took} s");
}

#[test]
fn a_close_waits_at_most_the_api_timeout_for_brokers() {
    let pairs = [
        ("default.api.timeout.ms", "5000"),
        ("request.timeout.ms", "2000"),
    ];
    let (runtime, _client, mut consumer) = abandoned_member(&pairs);
    let took = seconds(&runtime, consumer.close());
    assert!((4.0..6.0).contains(&took), "{took} s");
}

#[test]
fn to_unsubscribe_waits_at_most_30_seconds_for_brokers() {
    let (runtime, _client, mut consumer) = abandoned_member(&[]);
    let took = seconds(&runtime, async {
        consumer.unsubscribe().await.unwrap();
    });
    assert!((29.0..31.0).contains(&took), "{took} s");
}
