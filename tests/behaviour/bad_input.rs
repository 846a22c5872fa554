//! Invalid input: the call that gets it returns one error with the remedy, and nothing changes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use headwater::{
    ClientConfig, ConsumerConfig, Error, ErrorKind, NO_CONFIG, NewTopic, Position, ProducerConfig,
    Record,
};
use headwater_behaviour_macro::behaviour;
use tempfile::TempDir;

use crate::target::Target;

fn refused(error: &Error, kind: ErrorKind, says: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(says), "no {says:?} in: {error}");
}

#[test]
fn an_unknown_key_names_the_nearest() {
    refused(
        &ProducerConfig::parse([("linger_m", "5")]).unwrap_err(),
        ErrorKind::Config,
        "linger.ms",
    );
    refused(
        &ConsumerConfig::parse([("autoOffsetRest", "earliest")]).unwrap_err(),
        ErrorKind::Config,
        "auto.offset.reset",
    );
    refused(
        &ClientConfig::parse([("client.ids", "x")]).unwrap_err(),
        ErrorKind::Config,
        "client.id",
    );
    refused(
        &headwater::open(None, [("num.partition", "5")]).unwrap_err(),
        ErrorKind::Config,
        "num.partitions",
    );
}

#[test]
fn an_invalid_value_lists_the_allowed_ones() {
    refused(
        &ProducerConfig::parse([("acks", "2")]).unwrap_err(),
        ErrorKind::Config,
        "all, -1, 0 or 1",
    );
    refused(
        &ProducerConfig::parse([("linger.ms", "soon")]).unwrap_err(),
        ErrorKind::Config,
        "integer",
    );
    refused(
        &ConsumerConfig::parse([("auto.offset.reset", "newest")]).unwrap_err(),
        ErrorKind::Config,
        "earliest",
    );
    refused(
        &ConsumerConfig::parse([("max.poll.records", "0")]).unwrap_err(),
        ErrorKind::Config,
        "max.poll.records",
    );
    let both = [("enable.idempotence", "true"), ("acks", "1")];
    refused(
        &ProducerConfig::parse(both).unwrap_err(),
        ErrorKind::Config,
        "acks=all",
    );
    refused(
        &ProducerConfig::parse([("delivery.timeout.ms", "10")]).unwrap_err(),
        ErrorKind::Config,
        "linger.ms",
    );
}

#[behaviour]
#[case::empty("")]
#[case::dots("..")]
#[case::path("../../etc/passwd")]
#[case::space("a b")]
#[case::long(&"x".repeat(250))]
fn an_invalid_topic_name_is_refused(target: Target, #[case] name: &str) {
    let broker = target.start();
    let error = broker
        .wait(broker.admin().create_topic(NewTopic::new(name)))
        .unwrap_err();
    refused(&error, ErrorKind::InvalidTopic, "");
    assert_eq!(error.code().name(), "INVALID_TOPIC_EXCEPTION");
    let topics = broker.wait(broker.admin().topics(true)).unwrap();
    assert!(topics.iter().all(|topic| &*topic.name != name));
}

#[behaviour]
fn a_topic_with_a_wrong_configuration_is_not_made(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    let make = |key: &str, value: &str| {
        broker
            .wait(
                broker
                    .admin()
                    .create_topic(NewTopic::new(t).config(key, value)),
            )
            .unwrap_err()
    };
    refused(
        &make("retention.mss", "5"),
        ErrorKind::Config,
        "retention.ms",
    );
    refused(
        &make("retention.ms", "long"),
        ErrorKind::Config,
        "retention.ms",
    );
    refused(&make("cleanup.policy", "burn"), ErrorKind::Config, "delete");
    let none = broker
        .wait(broker.admin().create_topic(NewTopic::new(t).partitions(0)))
        .unwrap_err();
    assert_eq!(none.code().name(), "INVALID_PARTITIONS");
    assert!(broker.topics().is_empty());
}

#[behaviour]
fn an_unknown_topic_is_an_error_with_its_name_and_advice(target: Target) {
    let broker = target.start();
    let nope = broker.name("nope");
    let unknown = |error: Error| {
        refused(
            &error,
            ErrorKind::UnknownTopicOrPartition,
            "Create it first",
        );
    };
    let topic = broker.topic(nope);
    unknown(broker.wait(topic.count()).unwrap_err());
    unknown(broker.wait(topic.offsets(&Position::Latest)).unwrap_err());
    unknown(broker.wait(topic.describe()).unwrap_err());
    unknown(
        broker
            .wait(broker.admin().delete_topic(nope, false))
            .unwrap_err(),
    );
    let producer = broker.producer_with(&[]);
    unknown(
        producer
            .send_blocking(&Record::new(nope, b"v"))
            .unwrap_err(),
    );
    assert!(
        broker.topics().is_empty(),
        "a typing error creates no topic"
    );
}

#[behaviour]
fn a_record_that_is_too_large_is_refused_and_the_next_is_not(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker
        .wait(
            broker
                .admin()
                .create_topic(NewTopic::new(t).config("max.message.bytes", "1000")),
        )
        .unwrap();
    let producer = broker.producer_with(&[]);
    let large = vec![b'x'; 5_000];
    let error = producer
        .send_blocking(&Record::new(t, &large))
        .unwrap()
        .wait()
        .unwrap_err();
    refused(&error, ErrorKind::RecordTooLarge, "max.message.bytes");
    let huge = vec![b'x'; 2 << 20];
    let error = producer.send_blocking(&Record::new(t, &huge)).unwrap_err();
    refused(&error, ErrorKind::RecordTooLarge, "max.request.size");
    producer
        .send_blocking(&Record::new(t, b"small"))
        .unwrap()
        .wait()
        .unwrap();
    assert_eq!(broker.wait(broker.topic(t).count()).unwrap(), 1);
}

#[behaviour]
fn a_record_without_a_key_does_not_go_into_a_compacted_topic(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker
        .wait(
            broker
                .admin()
                .create_topic(NewTopic::new(t).config("cleanup.policy", "compact")),
        )
        .unwrap();
    let producer = broker.producer_with(&[]);
    let error = producer
        .send_blocking(&Record::new(t, b"v"))
        .unwrap()
        .wait()
        .unwrap_err();
    assert_eq!(error.code().name(), "INVALID_RECORD", "{error}");
    producer
        .send_blocking(&Record::new(t, b"v").key(b"k"))
        .unwrap()
        .wait()
        .unwrap();
}

#[test]
fn a_directory_with_other_files_is_left_unchanged() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("thesis.txt"), "years of work").unwrap();
    let error = headwater::open(Some(directory.path()), NO_CONFIG).unwrap_err();
    refused(&error, ErrorKind::NotADataDirectory, "empty");
    let left: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["thesis.txt"]);
    let file = directory.path().join("thesis.txt");
    let error = headwater::open(Some(&file), NO_CONFIG).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotADataDirectory, "{error}");
}

#[test]
fn a_directory_without_permission_is_an_error_with_the_reason() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("closed");
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o500)).unwrap();
    // root ignores permissions, so they cannot be tested as root.
    if fs::write(path.join("probe"), "").is_ok() {
        return;
    }
    let error = headwater::open(Some(&path), NO_CONFIG).unwrap_err();
    refused(&error, ErrorKind::Permission, "closed");
}

#[test]
fn damaged_records_are_detected_and_never_returned() {
    let directory = TempDir::new().unwrap();
    let engine = headwater::open(Some(directory.path()), NO_CONFIG).unwrap();
    engine
        .block_on(engine.admin().create_topic(NewTopic::new("t")))
        .unwrap();
    let producer = engine.producer(ProducerConfig::default());
    for _ in 0..3 {
        producer
            .send_blocking(&Record::new("t", &[b'x'; 500]))
            .unwrap()
            .wait()
            .unwrap();
    }
    engine.close().unwrap();
    flip(&directory.path().join("t-0/00000000000000000000.log"), 800);
    let engine = headwater::open(Some(directory.path()), NO_CONFIG).unwrap();
    let error = engine
        .block_on(
            engine
                .topic("t")
                .head(10, headwater::DecodeOptions::default()),
        )
        .unwrap_err();
    refused(&error, ErrorKind::CorruptLog, "CRC");
    assert_eq!(error.offset().map(headwater::Offset::get), Some(1));
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x40;
    fs::write(path, bytes).unwrap();
}

#[test]
fn positions_are_read_as_people_write_them() {
    let read = |text: &str| text.parse::<Position>().unwrap();
    assert_eq!(read("earliest"), Position::Earliest);
    assert_eq!(read(" 42 "), Position::Offset(42.into()));
    assert_eq!(read("-15m"), Position::AgoMs(900_000));
    assert_eq!(read("1970-01-01T00:00:01Z"), Position::TimestampMs(1_000));
    assert_eq!(read("1970-01-02"), Position::TimestampMs(86_400_000));
    for text in ["", "newest", "-", "-5", "15m", "99999999999999999999"] {
        refused(
            &text.parse::<Position>().unwrap_err(),
            ErrorKind::InvalidArgument,
            "earliest",
        );
    }
}
