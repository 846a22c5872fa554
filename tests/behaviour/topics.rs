//! Topics: create, list, configure, add partitions, delete.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use headwater::{
    ErrorKind, NewTopic, Offset, PartitionId, Position, Record, ScanOptions, TopicChanges,
};
use headwater_behaviour_macro::behaviour;

use crate::consume::PATIENCE;
use crate::table::{offsets, text};
use crate::target::Target;

#[behaviour]
fn a_created_topic_is_listed_and_described(target: Target) {
    let broker = target.start();
    let (b, a) = (broker.name("b"), broker.name("a"));
    broker.make(b, 3);
    broker.make(a, 1);
    // A broker of a cluster may list a topic slightly after its creation.
    let deadline = Instant::now() + PATIENCE;
    while broker.topics() != [a, b] {
        assert!(Instant::now() < deadline, "{:?}", broker.topics());
    }
    broker.fill(b, 1, ["x", "y"]);
    let description = broker.wait(broker.topic(b).describe()).unwrap();
    let ends: Vec<_> = description
        .partitions
        .iter()
        .map(|partition| partition.high_watermark.get())
        .collect();
    assert_eq!((ends, description.internal), (vec![0, 2, 0], false));
    assert!(
        description
            .partitions
            .iter()
            .all(|partition| partition.leader.is_some())
    );
}

#[behaviour]
fn a_topic_that_exists_is_an_error_unless_it_is_accepted(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, ["kept"]);
    let error = broker
        .wait(broker.admin().create_topic(NewTopic::new(t)))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TopicAlreadyExists);
    assert_eq!(error.code().name(), "TOPIC_ALREADY_EXISTS");
    broker
        .wait(broker.admin().create_topic(NewTopic::new(t).or_existing()))
        .unwrap();
    assert_eq!(broker.wait(broker.topic(t).count()).unwrap(), 1);
}

#[behaviour]
fn configuration_is_layered_and_can_be_put_back(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    // Keys may be written in Python style.
    broker
        .wait(
            broker
                .admin()
                .create_topic(NewTopic::new(t).config("segment_ms", "1000")),
        )
        .unwrap();
    let value = |key: &str| {
        let entries = broker.wait(broker.admin().topic_config(t)).unwrap();
        let entry = entries.into_iter().find(|entry| entry.name == key).unwrap();
        (entry.value.unwrap(), entry.source)
    };
    assert_eq!(
        value("segment.ms"),
        ("1000".to_owned(), "DYNAMIC_TOPIC_CONFIG")
    );
    let put_back = TopicChanges {
        config: BTreeMap::from([("segment.ms".to_owned(), None)]),
        ..TopicChanges::default()
    };
    broker
        .wait(broker.admin().alter_topic(t, put_back))
        .unwrap();
    // The brokers of a cluster apply a change one after the other.
    let deadline = Instant::now() + PATIENCE;
    while value("segment.ms") != ("604800000".to_owned(), "DEFAULT_CONFIG") {
        assert!(Instant::now() < deadline, "{:?}", value("segment.ms"));
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[behaviour]
fn a_topic_has_partitions_and_a_size(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 3);
    let topic = broker.topic(t);
    assert_eq!(broker.wait(topic.partition_count()).unwrap(), 3);
    // A broker of a cluster reports a new partition a moment later.
    while broker.wait(topic.size_bytes()).unwrap() != Some(0) {
        std::thread::sleep(Duration::from_millis(10));
    }
    broker.fill(t, 0, ["x"]);
    let one = broker.wait(topic.size_bytes()).unwrap().unwrap();
    broker.fill(t, 2, ["x"]);
    assert!(one > 0);
    assert_eq!(broker.wait(topic.size_bytes()).unwrap(), Some(2 * one));
    let unknown = broker.topic(broker.name("unknown"));
    let error = broker.wait(unknown.size_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTopicOrPartition);
}

#[behaviour]
fn each_broker_has_a_configuration(target: Target) {
    let broker = target.start();
    let keys = |id| {
        let entries = broker.wait(broker.admin().broker_config(id)).unwrap();
        let entries = entries.into_iter().map(|entry| entry.name);
        entries.collect::<Vec<_>>()
    };
    assert!(keys(None).contains(&"log.retention.hours".to_owned()));
    assert_eq!(keys(Some(1)), keys(None));
    let error = broker.wait(broker.admin().broker_config(Some(987)));
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(
        error
            .message()
            .starts_with("The cluster has no broker 987: its brokers are 1"),
        "{error}"
    );
}

#[behaviour]
fn partitions_can_be_added_and_are_used_at_once(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let producer = broker.producer_with(&[]);
    producer
        .send_blocking(&Record::new(t, b"v"))
        .unwrap()
        .wait()
        .unwrap();
    broker
        .wait(broker.admin().alter_topic(
            t,
            TopicChanges {
                partitions: Some(3),
                ..TopicChanges::default()
            },
        ))
        .unwrap();
    let sent = producer
        .send_blocking(&Record::new(t, b"v").partition(2))
        .unwrap()
        .wait()
        .unwrap();
    assert_eq!(
        (sent.partition, sent.offset),
        (PartitionId::new(2), Some(Offset::ZERO))
    );
    let fewer = broker.wait(broker.admin().alter_topic(
        t,
        TopicChanges {
            partitions: Some(1),
            ..TopicChanges::default()
        },
    ));
    assert_eq!(fewer.unwrap_err().code().name(), "INVALID_PARTITIONS");
}

#[behaviour]
fn a_deleted_topic_is_gone_and_its_name_is_free(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, ["old"]);
    let producer = broker.producer_with(&[]);
    producer
        .send_blocking(&Record::new(t, b"old"))
        .unwrap()
        .wait()
        .unwrap();
    assert!(broker.wait(broker.admin().delete_topic(t, false)).unwrap());
    assert!(!broker.wait(broker.admin().delete_topic(t, true)).unwrap());
    let error = broker
        .wait(broker.admin().delete_topic(t, false))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTopicOrPartition);
    let error = broker.wait(broker.topic(t).count()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTopicOrPartition);
    broker.make(t, 1);
    let sent = producer
        .send_blocking(&Record::new(t, b"new"))
        .unwrap()
        .wait()
        .unwrap();
    assert_eq!(
        sent.offset,
        Some(Offset::ZERO),
        "the new topic starts at 0, also for a producer of the old one"
    );
}

#[behaviour]
fn deleted_records_are_gone_and_the_rest_keeps_its_offsets(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, (0..10).map(|index| index.to_string()));
    let before = Position::PerPartition(BTreeMap::from([(PartitionId::new(0), Offset::new(4))]));
    let deleted = broker
        .wait(broker.admin().delete_records(t, &before))
        .unwrap();
    assert_eq!(
        deleted,
        BTreeMap::from([(PartitionId::new(0), Offset::new(4))])
    );
    let scan = broker.topic(t).scan(ScanOptions {
        decode: text(),
        ..ScanOptions::default()
    });
    assert_eq!(
        offsets(&broker.wait(scan.collect()).unwrap()),
        (4..10).collect::<Vec<_>>()
    );
    let beyond = Position::PerPartition(BTreeMap::from([(PartitionId::new(0), Offset::new(40))]));
    let error = broker
        .wait(broker.admin().delete_records(t, &beyond))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OffsetOutOfRange);
}

#[behaviour]
fn a_position_of_an_unknown_partition_is_refused(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, (0..10).map(|index| index.to_string()));
    let offset = |partition| (PartitionId::new(partition), Offset::new(4));
    let at = Position::PerPartition(BTreeMap::from([offset(0), offset(2)]));
    let refused = |error: headwater::Error| {
        assert_eq!(error.kind(), ErrorKind::UnknownTopicOrPartition);
        assert_eq!(error.partition(), Some(PartitionId::new(2)));
    };
    refused(broker.wait(broker.topic(t).offsets(&at)).unwrap_err());
    refused(
        broker
            .wait(broker.admin().delete_records(t, &at))
            .unwrap_err(),
    );
    let reset = broker.admin().reset_group_offsets(broker.name("g"), t, &at);
    refused(broker.wait(reset).unwrap_err());
    let start = broker.wait(broker.topic(t).offsets(&Position::Earliest));
    assert_eq!(start.unwrap()[&PartitionId::new(0)], Offset::ZERO);
    assert!(broker.groups().is_empty());
}
