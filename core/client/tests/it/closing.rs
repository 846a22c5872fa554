//! Closing a producer or a client sends the queued records, or reports those that could not be sent.

use std::time::Duration;

use crate::support::{FakeCluster, client, config};
use headwater_client::{Error, ErrorKind, Producer, Record};

const IMPATIENT: [(&str, &str); 3] = [
    ("linger.ms", "0"),
    ("request.timeout.ms", "50"),
    ("delivery.timeout.ms", "100"),
];

fn send(producer: &Producer, topic: &str, value: &[u8]) {
    drop(producer.send_blocking(&Record::new(topic, value)).unwrap());
}

#[test]
fn closing_a_client_sends_the_records_of_its_producers() {
    let cluster = FakeCluster::with_topic("t", 1);
    let (runtime, client) = client(&cluster);
    let producers = [client.producer(config(&[])), client.producer(config(&[]))];
    for producer in &producers {
        send(producer, "t", b"v");
    }
    runtime.block_on(client.close()).unwrap();
    runtime.block_on(client.close()).unwrap();
    assert_eq!(cluster.values("t", 0).len(), 2);
    let late = producers[0].send_blocking(&Record::new("t", b"late"));
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn closing_a_client_waits_for_the_records_of_a_dropped_producer() {
    let cluster = FakeCluster::with_topic("t", 1);
    cluster.state().produce_takes = Duration::from_millis(50);
    let (runtime, client) = client(&cluster);
    send(&client.producer(config(&[])), "t", b"v");
    runtime.block_on(client.close()).unwrap();
    assert_eq!(cluster.values("t", 0).len(), 1);
}

#[test]
fn the_error_of_a_close_has_the_unsent_records_of_a_dropped_producer() {
    let cluster = FakeCluster::with_topic("t", 1);
    cluster.state().move_leader("t", 0, -1);
    let (runtime, client) = client(&cluster);
    send(&client.producer(config(&IMPATIENT)), "t", b"v");
    let error = runtime.block_on(client.close()).unwrap_err();
    let text = "1 record was not sent before the close: 1 of topic \"t\".";
    assert!(error.message().starts_with(text), "{error}");
}

#[test]
fn the_error_of_a_close_has_the_number_has_the_number_and_topics_of_unsent_records() {
    let cluster = FakeCluster::with_topic("t", 1);
    cluster.state().add_topic("u", 1);
    let (runtime, client) = client(&cluster);
    let producers = [
        client.producer(config(&IMPATIENT)),
        client.producer(config(&IMPATIENT)),
    ];
    for producer in &producers {
        send(producer, "t", b"sent");
        send(producer, "u", b"sent");
        runtime.block_on(producer.flush()).unwrap();
    }
    cluster.state().away = usize::MAX;
    send(&producers[0], "t", b"lost");
    send(&producers[0], "t", b"lost");
    send(&producers[1], "t", b"lost");
    send(&producers[1], "u", b"lost");
    let error: Error = runtime.block_on(client.close()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let text = "4 records were not sent before the close: 3 of topic \"t\", 1 of topic \"u\".";
    assert!(error.message().starts_with(text), "{error}");
    // A producer that is closed again has nothing left to report.
    runtime.block_on(producers[0].close()).unwrap();
}
