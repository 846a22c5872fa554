//! Compacted topics: clients' view while the cleaner works.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use headwater::{
    BatchOptions, BatchStream, ConsumerConfig, NewTopic, Offset, Position, Record, ScanOptions,
    TopicChanges, Until,
};
use headwater_behaviour_macro::behaviour;

use crate::table::{keys, offsets, text, values};
use crate::target::{RunningBroker, Target};

/// Long enough for any machine; passing tests never wait that long.
const PATIENCE: Duration = Duration::from_mins(1);
const KEYS: usize = 5;
const RECORDS: usize = 2_000;

fn start(target: Target) -> RunningBroker {
    let broker = target.start_with(&[
        ("log.cleaner.backoff.ms", "10"),
        ("log.flush.scheduler.interval.ms", "10"),
    ]);
    let t = broker.name("t");
    let topic = NewTopic::new(t)
        .config("cleanup.policy", "compact")
        .config("internal.segment.bytes", "8192");
    broker.wait(broker.admin().create_topic(topic)).unwrap();
    broker
}

/// Writes each key repeatedly, in small batches.
fn fill(broker: &RunningBroker) {
    let t = broker.name("t");
    let producer = broker.producer_with(&[("compression.type", "lz4"), ("linger.ms", "0")]);
    for number in 0..RECORDS {
        let key = format!("key {}", number % KEYS);
        let value = format!("value {number}");
        let record = Record::new(t, value.as_bytes()).key(key.as_bytes());
        producer.send_blocking(&record).unwrap().wait().unwrap();
    }
}

fn scan(broker: &RunningBroker, start: Position, end: Position) -> Vec<(i64, Vec<u8>, String)> {
    let t = broker.name("t");
    let options = ScanOptions {
        decode: text(),
        start,
        end,
        ..ScanOptions::default()
    };
    let batch = broker
        .wait(broker.topic(t).scan(options).collect())
        .unwrap();
    let keys = keys(&batch).into_iter().map(Option::unwrap);
    offsets(&batch)
        .into_iter()
        .zip(keys)
        .zip(values(&batch))
        .map(|((offset, key), value)| (offset, key, value))
        .collect()
}

fn everything(broker: &RunningBroker) -> Vec<(i64, Vec<u8>, String)> {
    scan(broker, Position::Earliest, Position::Latest)
}

#[behaviour]
fn readers_of_a_compacted_topic_get_the_last_value_of_each_key_at_its_offset(target: Target) {
    let broker = start(target);
    fill(&broker);
    let expected: BTreeMap<_, _> = (RECORDS - KEYS..RECORDS)
        .map(|number| (format!("key {}", number % KEYS).into_bytes(), number))
        .collect();
    let deadline = Instant::now() + PATIENCE;
    let seen = loop {
        let seen = everything(&broker);
        // However far the cleaner is, the last value of each key is present, and offsets grow.
        let last: BTreeMap<_, _> = seen
            .iter()
            .map(|(offset, key, _)| (key.clone(), *offset as usize))
            .collect();
        assert_eq!(last, expected);
        assert!(seen.is_sorted_by(|a, b| a.0 < b.0));
        assert!(
            seen.iter()
                .all(|(offset, _, value)| *value == format!("value {offset}"))
        );
        // A scan is several fetches, and the cleaner works between them: the first fetch may still have found the
        // oldest segments.
        if seen.len() < RECORDS / 5 && seen[0].0 > 100 {
            break seen;
        }
        assert!(Instant::now() < deadline, "{} records are left", seen.len());
        std::thread::sleep(Duration::from_millis(10));
    };
    // From and to the middle of a gap. The cleaner may still be working, and only removes records: if two reads find
    // the same first record, the log between them was the same.
    let from = |start, end| {
        scan(
            &broker,
            Position::Offset(Offset::new(start)),
            Position::Offset(Offset::new(end)),
        )
    };
    let mut first = seen[0].0;
    loop {
        let to_first = from(50, first + 1);
        let found = std::mem::replace(&mut first, everything(&broker)[0].0);
        if first == found {
            assert_eq!(to_first.len(), 1);
            break;
        }
        assert!(Instant::now() < deadline, "the log does not become stable");
    }
    assert_eq!(from(10, 50), []);
    // A consumer reads across the gaps to the end.
    let (read, position) = consume(&broker);
    assert!(read.len() <= seen.len() && read.is_sorted());
    assert_eq!(
        read[read.len() - KEYS..],
        (RECORDS as i64 - 5..RECORDS as i64).collect::<Vec<_>>()
    );
    assert_eq!(position, RECORDS as i64);
}

/// A topic whose records have no keys loses all of them when it becomes compacted. Its end stays, and readers reach it.
#[behaviour]
fn readers_come_to_the_end_of_a_topic_that_lost_its_last_records(target: Target) {
    let broker = target.start_with(&[
        ("log.cleaner.backoff.ms", "10"),
        ("log.flush.scheduler.interval.ms", "10"),
    ]);
    let t = broker.name("t");
    let topic = NewTopic::new(t)
        .config("segment.ms", "100")
        .config("min.cleanable.dirty.ratio", "0.01");
    broker.wait(broker.admin().create_topic(topic)).unwrap();
    let producer = broker.producer_with(&[("enable.idempotence", "false"), ("linger.ms", "0")]);
    let record = Record::new(t, b"value").key(b"key");
    producer.send_blocking(&record).unwrap().wait().unwrap();
    for _ in 0..10 {
        let record = Record::new(t, b"value");
        producer.send_blocking(&record).unwrap().wait().unwrap();
    }
    let changes = TopicChanges {
        config: [("cleanup.policy".into(), Some("compact".into()))].into(),
        ..TopicChanges::default()
    };
    broker.wait(broker.admin().alter_topic(t, changes)).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while broker.wait(broker.topic(t).count()).unwrap() > 1 {
        assert!(Instant::now() < deadline, "the topic is not compacted");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(everything(&broker).len(), 1);
    assert_eq!(consume(&broker), (vec![0], 11));
}

/// The offsets that a consumer reads to the end of the topic, and its final position.
fn consume(broker: &RunningBroker) -> (Vec<i64>, i64) {
    let t = broker.name("t");
    let config = [("auto.offset.reset", "earliest")];
    let mut consumer = broker.consumer(ConsumerConfig::parse(config).unwrap());
    consumer.decode_as(text()).unwrap();
    broker.wait(consumer.assign_topics(&[t])).unwrap();
    let stream = BatchStream::new(BatchOptions {
        until: Until::End,
        ..BatchOptions::default()
    })
    .unwrap();
    let mut read = Vec::new();
    while let Some(batch) = broker.wait(consumer.next_batch(&stream)).unwrap() {
        read.extend(offsets(&batch));
    }
    let positions = broker.wait(consumer.position()).unwrap();
    let position = positions.into_values().next().unwrap();
    (read, position.get())
}
