//! A consumer reads from many leaders: what one of them does never holds up another.

use std::time::Duration;

use headwater_client::{Client, Consumer, ConsumerConfig, Position, Producer, Record};
use headwater_protocol::ErrorCode;
use rstest::rstest;

use crate::support::{FakeCluster, client, config};

const TOPIC: &str = "t";
/// Longer than any test takes.
const LONG: Duration = Duration::from_mins(1);

fn consumer(client: &Client) -> Consumer {
    let pairs = [
        ("auto.offset.reset", "earliest"),
        ("retry.backoff.ms", "1"),
        ("retry.backoff.max.ms", "2"),
        ("fetch.max.wait.ms", "60000"),
    ];
    let mut consumer = client.consumer(ConsumerConfig::parse(pairs).unwrap());
    client
        .runtime()
        .block_on(consumer.assign_topics(&[TOPIC]))
        .unwrap();
    consumer
}

fn send(producer: &Producer, partition: i32) {
    let record = Record::new(TOPIC, b"value").partition(partition);
    producer.send_blocking(&record).unwrap().wait().unwrap();
}

fn poll(client: &Client, consumer: &mut Consumer, timeout: Duration) -> usize {
    let polled = client.runtime().block_on(consumer.poll(timeout, None));
    polled.unwrap().len()
}

fn fetches_from(cluster: &FakeCluster, node: i32) -> usize {
    let asked = cluster.asked("Fetch");
    asked.into_iter().filter(|asked| *asked == node).count()
}

#[test]
fn a_leader_that_does_not_answer_delays_no_record_of_another() {
    let cluster = FakeCluster::with_nodes(2, TOPIC, 2);
    let (_runtime, client) = client(&cluster);
    let producer = client.producer(config(&[]));
    cluster.state().silent_nodes = vec![2];
    let mut consumer = consumer(&client);
    for _ in 0..3 {
        send(&producer, 0);
        assert_eq!(poll(&client, &mut consumer, LONG), 1);
    }
    assert_eq!(fetches_from(&cluster, 2), 1, "it stays in flight");
}

#[test]
fn a_leader_that_fails_drops_no_answer_of_another() {
    let cluster = FakeCluster::with_nodes(2, TOPIC, 2);
    let (_runtime, client) = client(&cluster);
    let producer = client.producer(config(&[]));
    send(&producer, 0);
    send(&producer, 1);
    let mut consumer = consumer(&client);
    cluster.state().dead_nodes = vec![2];
    assert_eq!(poll(&client, &mut consumer, LONG), 1);
    assert_eq!(fetches_from(&cluster, 1), 1);
    cluster.state().dead_nodes.clear();
    assert_eq!(poll(&client, &mut consumer, LONG), 1);
}

#[test]
fn the_partitions_of_a_dead_leader_are_read_from_its_successor() {
    let cluster = FakeCluster::with_nodes(2, TOPIC, 2);
    let (_runtime, client) = client(&cluster);
    let producer = client.producer(config(&[]));
    send(&producer, 1);
    let mut consumer = consumer(&client);
    cluster.state().dead_nodes = vec![2];
    cluster.state().move_leader(TOPIC, 1, 1);
    assert_eq!(poll(&client, &mut consumer, LONG), 1);
}

#[test]
fn a_caller_that_stops_waiting_loses_no_answer() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    let (_runtime, client) = client(&cluster);
    let producer = client.producer(config(&[]));
    send(&producer, 0);
    let mut consumer = consumer(&client);
    cluster.state().fetch_takes = Duration::from_millis(50);
    let mut polls = (0..1_000).map(|_| poll(&client, &mut consumer, Duration::from_millis(1)));
    assert_eq!(polls.find(|read| *read > 0), Some(1));
    assert_eq!(fetches_from(&cluster, 1), 1);
}

/// A fetch in flight is for the old position.
#[rstest]
fn a_caller_that_seeks_reads_from_the_new_position(#[values(true, false)] while_paused: bool) {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    let (runtime, client) = client(&cluster);
    let producer = client.producer(config(&[]));
    send(&producer, 0);
    let mut consumer = consumer(&client);
    assert_eq!(poll(&client, &mut consumer, LONG), 1);
    // Waits for the second record.
    assert_eq!(poll(&client, &mut consumer, Duration::from_millis(1)), 0);
    if while_paused {
        consumer.pause(&[]).unwrap();
    }
    runtime
        .block_on(consumer.seek(&Position::Earliest, &[]))
        .unwrap();
    send(&producer, 0);
    if while_paused {
        assert_eq!(poll(&client, &mut consumer, Duration::from_millis(1)), 0);
        consumer.resume(&[]).unwrap();
    }
    assert_eq!(poll(&client, &mut consumer, LONG), 2);
}

/// The consumer has sought while it was paused, so nobody asks for the old position any more when its answer comes.
#[test]
fn an_error_of_a_fetch_for_an_earlier_position_changes_nothing() {
    let cluster = FakeCluster::with_topic(TOPIC, 1);
    let (runtime, client) = client(&cluster);
    let producer = client.producer(config(&[]));
    send(&producer, 0);
    let mut consumer = consumer(&client);
    assert_eq!(poll(&client, &mut consumer, LONG), 1);
    cluster.state().fetch_takes = Duration::from_millis(50);
    assert_eq!(poll(&client, &mut consumer, Duration::from_millis(1)), 0);
    consumer.pause(&[]).unwrap();
    cluster
        .state()
        .fetch_faults
        .push_back(ErrorCode::OffsetOutOfRange);
    send(&producer, 0);
    runtime
        .block_on(consumer.seek(&Position::Latest, &[]))
        .unwrap();
    while !cluster.state().fetch_faults.is_empty() {
        assert_eq!(poll(&client, &mut consumer, Duration::from_millis(10)), 0);
    }
    consumer.resume(&[]).unwrap();
    send(&producer, 0);
    assert_eq!(poll(&client, &mut consumer, LONG), 1, "not from the start");
}
