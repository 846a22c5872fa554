//! A broker that lags behind does not know a topic that another broker knows.

use headwater_client::{Client, ErrorKind, NewTopic, Position, Record, Result};
use headwater_protocol::ErrorCode;
use headwater_record::Offset;

use crate::support::reading::{Reading, TOPIC};

fn look(reading: &Reading, client: &Client, topic: &str) -> Result<()> {
    let topic = client.topic(topic);
    reading.wait(topic.offsets(&Position::Earliest)).map(drop)
}

#[test]
fn a_topic_that_was_just_created_is_asked_for_again() {
    let reading = Reading::new(2, 1);
    let create = reading.client.admin().create_topic(NewTopic::new("new"));
    reading.wait(create).unwrap();
    reading.cluster.state().metadata_forgets = 5;
    look(&reading, &reading.client, "new").unwrap();
}

#[test]
fn a_topic_that_was_just_created_takes_records() {
    let reading = Reading::new(2, 1);
    let create = reading.client.admin().create_topic(NewTopic::new("new"));
    reading.wait(create).unwrap();
    reading.cluster.state().metadata_forgets = 5;
    let record = Record::new("new", b"value");
    let sent = reading.producer.send_blocking(&record).unwrap();
    assert_eq!(sent.wait().unwrap().offset, Some(Offset::ZERO));
}

#[test]
fn a_topic_that_was_known_is_asked_for_again() {
    let reading = Reading::new(2, 1);
    look(&reading, &reading.client, TOPIC).unwrap();
    reading.cluster.state().metadata_forgets = 5;
    look(&reading, &reading.client, TOPIC).unwrap();
}

#[test]
fn a_consumer_reads_on_while_a_broker_does_not_know_the_topic() {
    let reading = Reading::new(2, 2);
    let mut consumer = reading.consumer_of_all(&[]);
    for partition in 0..2 {
        reading.send(partition);
    }
    reading.read(&mut consumer, 2);
    reading.send(1);
    let fault = ErrorCode::NotLeaderOrFollower;
    reading.cluster.state().fetch_faults.push_back(fault);
    reading.cluster.state().metadata_forgets = 3;
    reading.read(&mut consumer, 1);
}

#[test]
fn a_topic_that_nobody_has_created_is_an_error_at_once() {
    let reading = Reading::new(2, 1);
    look(&reading, &reading.client, TOPIC).unwrap();
    let error = look(&reading, &reading.client, "none").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTopicOrPartition);
    assert!(reading.cluster.state().metadata_requests <= 3);
}

#[test]
fn a_topic_that_this_client_has_deleted_is_an_error_at_once() {
    let reading = Reading::new(2, 1);
    look(&reading, &reading.client, TOPIC).unwrap();
    let delete = reading.client.admin().delete_topic(TOPIC, false);
    assert!(reading.wait(delete).unwrap());
    let before = reading.cluster.state().metadata_requests;
    let error = look(&reading, &reading.client, TOPIC).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTopicOrPartition);
    assert!(reading.cluster.state().metadata_requests <= before + 2);
}

#[test]
fn a_single_broker_is_believed() {
    let reading = Reading::new(1, 1);
    look(&reading, &reading.client, TOPIC).unwrap();
    reading.cluster.state().metadata_forgets = 3;
    let error = look(&reading, &reading.client, TOPIC).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTopicOrPartition);
}
