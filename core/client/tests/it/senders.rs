//! A producer sends one request to each broker for all partitions that the broker leads, and several before the first
//! response.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{FakeCluster, Fault, client, config};
use headwater_client::{Client, Position, Producer, Record, SendHandle};
use headwater_protocol::ErrorCode;
use rstest::rstest;

const TOPIC: &str = "t";
/// Long enough for other requests to queue up after a late one.
const LATE: Duration = Duration::from_millis(30);

fn send(producer: &Producer, partition: i32, value: &[u8]) -> SendHandle {
    let record = Record::new(TOPIC, value).partition(partition);
    producer.send_blocking(&record).unwrap()
}

/// A producer whose first record in each partition is acknowledged, and a cluster that has cleared its list of
/// requests.
fn started(
    cluster: &Arc<FakeCluster>,
    client: &Client,
    partitions: i32,
    pairs: &[(&str, &str)],
) -> Producer {
    let producer = client.producer(config(pairs));
    for partition in 0..partitions {
        send(&producer, partition, b"first").wait().unwrap();
    }
    cluster.state().produce_calls.clear();
    producer
}

#[test]
fn one_request_carries_the_batches_of_all_partitions_of_a_broker() {
    let cluster = FakeCluster::with_nodes(2, TOPIC, 6);
    let (runtime, client) = client(&cluster);
    let producer = started(&cluster, &client, 6, &[]);
    for partition in 0..6 {
        drop(send(&producer, partition, b"v"));
        drop(send(&producer, partition, b"w"));
    }
    runtime.block_on(producer.flush()).unwrap();
    let state = cluster.state();
    let mut calls: Vec<_> = state
        .produce_calls
        .iter()
        .map(|call| (call.node, call.batches.clone()))
        .collect();
    calls.sort();
    let partitions = |numbers: [i32; 3]| numbers.map(|number| (TOPIC.to_owned(), number)).to_vec();
    let expected = [(1, partitions([0, 2, 4])), (2, partitions([1, 3, 5]))];
    assert_eq!(calls, expected);
}

#[test]
fn a_request_is_no_larger_than_max_request_size() {
    let cluster = FakeCluster::with_topic(TOPIC, 7);
    let (runtime, client) = client(&cluster);
    let pairs = [("max.request.size", "10000"), ("batch.size", "10000")];
    let producer = started(&cluster, &client, 7, &pairs);
    for partition in 0..7 {
        drop(send(&producer, partition, &[b'x'; 3_000]));
    }
    runtime.block_on(producer.flush()).unwrap();
    let state = cluster.state();
    let sizes: Vec<_> = state.produce_calls.iter().map(|call| call.bytes).collect();
    assert_eq!(sizes.len(), 3, "{sizes:?}");
    assert!(sizes.iter().all(|bytes| *bytes <= 10_000), "{sizes:?}");
}

#[test]
fn a_broker_that_does_not_answer_delays_no_other() {
    let cluster = FakeCluster::with_nodes(2, TOPIC, 2);
    let (_runtime, client) = client(&cluster);
    let producer = started(&cluster, &client, 2, &[]);
    cluster.state().silent_producers = vec![1];
    let unanswered: Vec<_> = (0..10).map(|_| send(&producer, 0, b"v")).collect();
    unanswered.iter().for_each(SendHandle::send_now);
    for _ in 0..10 {
        send(&producer, 1, b"v").wait().unwrap();
    }
    assert!(unanswered.iter().all(|handle| !handle.is_done()));
}

#[rstest]
fn requests_are_in_flight_up_to_the_limit_and_keep_the_order(#[values(1, 2, 5)] max: usize) {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    let (runtime, client) = client(&cluster);
    let key = "max.in.flight.requests.per.connection";
    let pairs = [(key, &*max.to_string()), ("batch.size", "0")];
    let producer = started(&cluster, &client, 1, &pairs);
    cluster.fail_next([Fault::Late(LATE)]);
    for index in 0..20 {
        drop(send(&producer, 0, &[index]));
    }
    runtime.block_on(producer.flush()).unwrap();
    let values = cluster.values(TOPIC, 0).into_iter().skip(1);
    assert!(values.map(|(_, value)| value[0]).eq(0..20));
    let state = cluster.state();
    assert_eq!((state.in_flight_max, state.sequence_refusals), (max, 0));
}

/// Without idempotence the order depends on this alone: otherwise the second record would be written first.
#[test]
fn a_partition_whose_leader_moves_waits_for_its_batches_in_flight() {
    let cluster = FakeCluster::with_nodes(2, TOPIC, 1);
    let (runtime, client) = client(&cluster);
    let pairs = [
        ("enable.idempotence", "false"),
        ("request.timeout.ms", "100"),
    ];
    let producer = started(&cluster, &client, 1, &pairs);
    cluster.state().silent_producers = vec![1];
    send(&producer, 0, b"second").send_now();
    cluster.state().move_leader(TOPIC, 0, 2);
    // The client learns about the new leader while the request to the old one is in flight.
    let topic = client.topic(TOPIC);
    runtime
        .block_on(topic.offsets(&Position::Earliest))
        .unwrap();
    send(&producer, 0, b"third").wait().unwrap();
    let values = cluster.values(TOPIC, 0).into_iter();
    let values: Vec<_> = values.map(|(_, value)| value).collect();
    assert_eq!(values, [&b"first"[..], b"second", b"third"]);
}

#[test]
fn no_request_goes_to_a_broker_that_does_not_lead_its_partitions() {
    let cluster = FakeCluster::with_nodes(3, TOPIC, 7);
    let (runtime, client) = client(&cluster);
    let producer = client.producer(config(&[("batch.size", "0")]));
    for index in 0..70 {
        drop(send(&producer, index % 7, b"v"));
    }
    runtime.block_on(producer.flush()).unwrap();
    let state = cluster.state();
    for seen in &state.seen {
        assert_eq!(seen.node, seen.partition % 3 + 1);
    }
}

/// The brokers of the new topic have no state of the producer, and would write the second record although the first one
/// was refused.
#[test]
fn the_second_batch_for_a_recreated_topic_is_sent_when_the_first_is_acknowledged() {
    let cluster = FakeCluster::with_nodes(2, TOPIC, 1);
    let (runtime, client) = client(&cluster);
    let producer = started(&cluster, &client, 1, &[("batch.size", "0")]);
    cluster.state().recreate_topic(TOPIC);
    cluster.state().move_leader(TOPIC, 0, 2);
    // The client learns about the new topic from the new leader.
    let topic = client.topic(TOPIC);
    runtime
        .block_on(topic.offsets(&Position::Earliest))
        .unwrap();
    cluster.fail_next([Fault::Code(ErrorCode::NotLeaderOrFollower)]);
    drop(send(&producer, 0, b"first"));
    drop(send(&producer, 0, b"second"));
    runtime.block_on(producer.flush()).unwrap();
    let values = cluster.values(TOPIC, 0);
    let values: Vec<_> = values.iter().map(|(_, value)| &**value).collect();
    assert_eq!(values, [&b"first"[..], b"second"]);
}
