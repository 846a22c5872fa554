//! Topics that change while a consumer without a group reads them.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, BinaryArray, RecordBatch};
use headwater::{
    BulkOptions, ErrorKind, PartitionId, Position, ProducerConfig, Record, TopicChanges,
    TopicPartition,
};
use headwater_behaviour_macro::behaviour;

use crate::consume::{PATIENCE, consumer, numbers, until_end};
use crate::table::values;
use crate::target::Target;

#[behaviour]
fn partitions_that_are_added_are_read_from_their_first_record(
    target: Target,
    #[values("earliest", "latest")] reset: &str,
) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let age = ("metadata.max.age.ms", "20");
    let mut consumer = consumer(&broker, &[t], &[("auto.offset.reset", reset), age]);
    broker.wait(consumer.poll(Duration::ZERO, None)).unwrap();
    let more = TopicChanges {
        partitions: Some(3),
        ..TopicChanges::default()
    };
    // Another client, so that this one is not notified.
    let other = broker.another();
    broker.wait(other.admin().alter_topic(t, more)).unwrap();
    let producer = other.producer(ProducerConfig::default());
    for partition in 0..3 {
        let record = Record::new(t, b"v").partition(partition);
        producer.send_blocking(&record).unwrap().wait().unwrap();
    }
    let lag = broker.wait(consumer.lag()).unwrap();
    assert_eq!(lag.values().copied().collect::<Vec<_>>(), [1, 1, 1]);
    let stream = until_end(100);
    let mut read = 0;
    while let Some(batch) = broker.wait(consumer.next_batch(&stream)).unwrap() {
        read += batch.len();
    }
    assert_eq!(read, 3);
}

#[behaviour]
fn partitions_that_another_client_has_added_can_be_sent_to_at_once(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let producer = broker.producer_with(&[]);
    let send = |partition| {
        let record = Record::new(t, b"v").partition(partition);
        producer.send_blocking(&record)?.wait()
    };
    send(0).unwrap();
    let grow = |partitions| {
        let more = TopicChanges {
            partitions: Some(partitions),
            ..TopicChanges::default()
        };
        let other = broker.another();
        broker.wait(other.admin().alter_topic(t, more)).unwrap();
        target.await_partitions(t, partitions);
    };
    grow(2);
    assert_eq!(send(1).unwrap().partition.get(), 1);
    grow(3);
    let value: BinaryArray = [Some(b"v")].into_iter().collect();
    let table = RecordBatch::try_from_iter([("v", Arc::new(value) as ArrayRef)]).unwrap();
    let options = BulkOptions {
        value: Some("v".into()),
        partition: Some(PartitionId::new(2)),
        ..BulkOptions::default()
    };
    let sent = broker.wait(producer.send_batch(t, &table, &options));
    assert_eq!(sent.unwrap().records, 1);
    let refused = send(3).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::UnknownTopicOrPartition);
    assert!(refused.to_string().contains("has no partition 3: it has 3"));
}

#[behaviour]
fn polling_sees_partitions_that_are_added(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let mut consumer = consumer(&broker, &[t], &[("metadata.max.age.ms", "20")]);
    let more = TopicChanges {
        partitions: Some(2),
        ..TopicChanges::default()
    };
    let other = broker.another();
    broker.wait(other.admin().alter_topic(t, more)).unwrap();
    let producer = other.producer(ProducerConfig::default());
    let record = Record::new(t, b"new").partition(1);
    producer.send_blocking(&record).unwrap().wait().unwrap();
    let batch = broker.wait(consumer.poll(PATIENCE, None)).unwrap();
    assert_eq!(values(&batch), ["new"]);
    assert_eq!(consumer.assignment().len(), 2);
    // A consumer with explicit partitions reads only these.
    let named = consumer.assignment()[..1].to_vec();
    broker.wait(consumer.assign(named)).unwrap();
    assert_eq!(broker.wait(consumer.lag()).unwrap().len(), 1);
}

#[behaviour]
fn a_deleted_topic_does_not_keep_the_others_from_being_read(target: Target) {
    let broker = target.start();
    let (a, b) = (broker.name("a"), broker.name("b"));
    broker.make(a, 1);
    broker.make(b, 1);
    broker.fill(a, 0, numbers(5));
    broker.fill(b, 0, numbers(5));
    let mut consumer = consumer(&broker, &[a, b], &[]);
    let stream = until_end(7);
    broker.wait(consumer.next_batch(&stream)).unwrap().unwrap();
    broker
        .wait(broker.another().admin().delete_topic(b, false))
        .unwrap();
    while broker.wait(consumer.next_batch(&stream)).unwrap().is_some() {}
    broker.fill(a, 0, ["after"]);
    let batch = broker.wait(consumer.poll(PATIENCE, None)).unwrap();
    assert_eq!(values(&batch), ["after"]);
    let lag = broker.wait(consumer.lag()).unwrap();
    assert_eq!(lag.keys().map(|at| &*at.topic).collect::<Vec<_>>(), [a]);
    broker.wait(consumer.seek(&Position::Latest, &[])).unwrap();
    let (stream, of_b) = (until_end(10), TopicPartition::new(b, 0));
    assert!(broker.wait(consumer.next_batch(&stream)).unwrap().is_none());
    assert!(
        broker
            .wait(consumer.seek(&Position::Latest, &[of_b]))
            .is_err()
    );
    // The topic comes back.
    broker.make(b, 1);
    broker.fill(b, 0, ["back"]);
    let batch = broker.wait(consumer.poll(PATIENCE, None)).unwrap();
    assert_eq!(values(&batch), ["back"]);
}
