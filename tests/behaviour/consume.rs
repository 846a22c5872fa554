//! The consumer: assign, seek, poll, batches, pause.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use headwater::{
    BatchOptions, BatchStream, Consumer, ConsumerConfig, DecodeOptions, ErrorKind, Format, Offset,
    PartitionId, Position, Record, TopicPartition, Until,
};
use headwater_behaviour_macro::behaviour;

use crate::table::{offsets, partitions, text, values};
use crate::target::{RunningBroker, Target};

const SECOND: Duration = Duration::from_secs(1);
/// Long enough for any machine; passing tests never wait that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn consumer(
    broker: &RunningBroker,
    topics: &[&str],
    pairs: &[(&str, &str)],
) -> Consumer {
    let fixed = [("auto.offset.reset", "earliest")];
    let config = ConsumerConfig::parse(fixed.iter().chain(pairs).copied()).unwrap();
    let mut consumer = broker.consumer(config);
    consumer.decode_as(text()).unwrap();
    broker.wait(consumer.assign_topics(topics)).unwrap();
    consumer
}

pub(crate) fn numbers(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|index| index.to_string())
}

pub(crate) fn until_end(max_records: usize) -> BatchStream {
    BatchStream::new(BatchOptions {
        max_records,
        until: Until::End,
        ..BatchOptions::default()
    })
    .unwrap()
}

#[behaviour]
fn polling_reads_everything_once_and_in_order(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(1_234));
    let mut consumer = consumer(&broker, &[t], &[]);
    let mut read = Vec::new();
    while read.len() < 1_234 {
        let batch = broker.wait(consumer.poll(PATIENCE, None)).unwrap();
        assert!(!batch.is_empty(), "{} records were read", read.len());
        assert!(batch.len() <= 500, "max.poll.records");
        read.extend(offsets(&batch));
    }
    let after = broker.wait(consumer.poll(Duration::from_millis(1), None));
    assert!(after.unwrap().is_empty());
    assert_eq!(read, (0..1_234).collect::<Vec<_>>());
    let at = broker.wait(consumer.position()).unwrap();
    assert_eq!(at[&TopicPartition::new(t, 0)], Offset::new(1_234));
}

#[behaviour]
fn a_poll_with_nothing_to_read_is_an_empty_table_after_its_time(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let mut consumer = consumer(&broker, &[t], &[]);
    let start = Instant::now();
    let batch = broker
        .wait(consumer.poll(Duration::from_millis(50), None))
        .unwrap();
    assert!(batch.is_empty() && start.elapsed() >= Duration::from_millis(50));
    assert!(batch.schema().field_with_name("value").is_ok());
}

#[behaviour]
fn a_poll_that_waits_is_woken_by_the_record(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    let mut consumer = consumer(&broker, &[t], &[("fetch.max.wait.ms", "60000")]);
    let producer = broker.producer_with(&[]);
    let sender = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        producer
            .send_blocking(&Record::new(t, b"at last").partition(1))
            .unwrap()
            .wait()
            .unwrap();
    });
    let start = Instant::now();
    let batch = broker.wait(consumer.poll(PATIENCE, None)).unwrap();
    assert_eq!(values(&batch), ["at last"]);
    assert!(start.elapsed() < PATIENCE / 2, "woken, not timed out");
    sender.join().unwrap();
}

#[behaviour]
fn a_poll_that_was_given_up_loses_nothing(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let mut consumer = consumer(&broker, &[t], &[]);
    for round in 0..20 {
        let gave_up = broker.wait(async {
            tokio::time::timeout(Duration::from_millis(2), consumer.poll(PATIENCE, None)).await
        });
        assert!(gave_up.is_err());
        broker.fill(t, 0, [round.to_string()]);
        let batch = broker.wait(consumer.poll(PATIENCE, None)).unwrap();
        assert_eq!(values(&batch), [round.to_string()]);
    }
}

#[behaviour]
fn batches_end_where_the_log_ended_at_the_first_call(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 3);
    for partition in 0..3 {
        broker.fill(t, partition, numbers(1_000));
    }
    let mut consumer = consumer(&broker, &[t], &[]);
    let mut read: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    let mut tables = 0;
    let stream = until_end(700);
    while let Some(batch) = broker.wait(consumer.next_batch(&stream)).unwrap() {
        if tables == 0 {
            broker.fill(t, 0, numbers(10));
        }
        assert!(batch.len() <= 700);
        tables += 1;
        for (partition, offset) in partitions(&batch).into_iter().zip(offsets(&batch)) {
            read.entry(partition).or_default().push(offset);
        }
    }
    for partition in 0..3 {
        assert_eq!(read[&partition], (0..1_000).collect::<Vec<_>>());
    }
    // The next stream has a new end.
    consumer.pause(&[]).unwrap();
    consumer.resume(&[]).unwrap();
    let batch = broker.wait(consumer.poll(PATIENCE, None)).unwrap();
    assert_eq!((partitions(&batch)[0], offsets(&batch)[0]), (0, 1_000));
}

#[behaviour]
fn a_table_has_the_next_offsets(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, numbers(10));
    broker.fill(t, 1, numbers(10));
    let mut reader = consumer(&broker, &[t], &[]);
    let first = broker.wait(reader.poll(PATIENCE, Some(13))).unwrap();
    let mut other = consumer(&broker, &[t], &[]);
    for (partition, next) in &first.next_offsets {
        broker
            .wait(other.seek(&Position::Offset(*next), std::slice::from_ref(partition)))
            .unwrap();
    }
    let mut rest = Vec::new();
    let stream = until_end(100);
    while let Some(batch) = broker.wait(other.next_batch(&stream)).unwrap() {
        rest.extend(offsets(&batch));
    }
    assert_eq!(first.len() + rest.len(), 20);
}

#[behaviour]
#[case::earliest(Position::Earliest, 0)]
#[case::latest(Position::Latest, 100)]
#[case::offset(Position::Offset(Offset::new(42)), 42)]
#[case::map(Position::PerPartition(BTreeMap::from([(PartitionId::new(0), Offset::new(7))])), 7)]
#[case::time(Position::TimestampMs(55), 55)]
fn seeking_goes_there(target: Target, #[case] to: Position, #[case] offset: i64) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(100));
    let mut consumer = consumer(&broker, &[t], &[]);
    broker.wait(consumer.poll(PATIENCE, Some(20))).unwrap();
    broker.wait(consumer.seek(&to, &[])).unwrap();
    assert_eq!(
        broker.wait(consumer.position()).unwrap()[&TopicPartition::new(t, 0)].get(),
        offset
    );
    let wait = if offset < 100 {
        PATIENCE
    } else {
        Duration::from_millis(10)
    };
    let read = offsets(&broker.wait(consumer.poll(wait, Some(1))).unwrap());
    assert_eq!(read, (offset..100).take(1).collect::<Vec<_>>());
    let lag = broker.wait(consumer.lag()).unwrap();
    assert_eq!(
        lag[&TopicPartition::new(t, 0)],
        (100_u64 - offset as u64).saturating_sub(1)
    );
}

#[behaviour]
fn paused_partitions_wait_and_then_go_on(target: Target) {
    let broker = target.start();
    let (t, other) = (broker.name("t"), broker.name("other"));
    broker.make(t, 2);
    broker.fill(t, 0, numbers(30));
    broker.fill(t, 1, numbers(30));
    let mut consumer = consumer(&broker, &[t], &[]);
    let zero = TopicPartition::new(t, 0);
    broker.wait(consumer.poll(PATIENCE, Some(10))).unwrap();
    let positions = broker.wait(consumer.position()).unwrap();
    let at = positions[&zero];
    let left = 30 - positions[&TopicPartition::new(t, 1)].get();
    consumer.pause(std::slice::from_ref(&zero)).unwrap();
    assert_eq!(consumer.paused(), std::slice::from_ref(&zero));
    let mut seen = Vec::new();
    while (seen.len() as i64) < left {
        let batch = broker.wait(consumer.poll(PATIENCE, None)).unwrap();
        seen.extend(partitions(&batch));
    }
    assert!(seen.iter().all(|partition| *partition == 1));
    let after = broker.wait(consumer.poll(Duration::from_millis(10), None));
    assert!(after.unwrap().is_empty());
    consumer.resume(&[]).unwrap();
    let batch = broker.wait(consumer.poll(PATIENCE, None)).unwrap();
    assert_eq!((partitions(&batch)[0], offsets(&batch)[0]), (0, at.get()));
    let other = TopicPartition::new(other, 0);
    assert_eq!(
        consumer.pause(&[other]).unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
}

#[behaviour]
#[case::earliest("earliest", Ok(60))]
#[case::latest("latest", Ok(100))]
#[case::none("none", Err(ErrorKind::OffsetOutOfRange))]
fn a_position_that_is_gone_is_reset_as_configured(
    target: Target,
    #[case] reset: &str,
    #[case] expected: Result<i64, ErrorKind>,
) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(100));
    let mut consumer = consumer(&broker, &[t], &[("auto.offset.reset", reset)]);
    broker
        .wait(consumer.seek(&Position::Offset(Offset::new(5)), &[]))
        .unwrap();
    broker
        .wait(
            broker
                .admin()
                .delete_records(t, &Position::Offset(Offset::new(60))),
        )
        .unwrap();
    let polled = broker.wait(consumer.poll(PATIENCE, Some(1)));
    match expected {
        Ok(offset) => {
            let read = offsets(&polled.unwrap());
            assert_eq!(read, (offset..100).take(1).collect::<Vec<_>>());
        }
        Err(kind) => {
            let error = polled.unwrap_err();
            assert_eq!(
                (error.kind(), error.offset()),
                (kind, Some(Offset::new(5))),
                "{error}"
            );
        }
    }
}

/// The partitions have the same leader: a leader that answers later than another does not count.
#[behaviour]
fn no_partition_starves(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 9);
    let described = broker.wait(broker.topic(t).describe()).unwrap().partitions;
    let leader = described[0].leader;
    let of_leader = described.iter().filter(|one| one.leader == leader).take(3);
    let chosen: Vec<_> = of_leader.map(|one| one.partition.get()).collect();
    assert_eq!(chosen.len(), 3, "{described:?}");
    for partition in &chosen {
        broker.fill(t, *partition, numbers(5_000));
    }
    let mut consumer = consumer(&broker, &[t], &[("max.partition.fetch.bytes", "10000")]);
    let assigned = chosen.iter().map(|number| TopicPartition::new(t, *number));
    broker.wait(consumer.assign(assigned.collect())).unwrap();
    let mut first_polls = Vec::new();
    for _ in 0..12 {
        let batch = broker.wait(consumer.poll(PATIENCE, Some(500))).unwrap();
        first_polls.extend(partitions(&batch));
    }
    for partition in chosen {
        let count = first_polls
            .iter()
            .filter(|read| **read == partition)
            .count();
        assert!(
            count > first_polls.len() / 6,
            "partition {partition} had {count} of {}",
            first_polls.len()
        );
    }
}

#[behaviour]
fn several_topics_are_distinguished(target: Target) {
    let broker = target.start();
    let (a, b) = (broker.name("a"), broker.name("b"));
    broker.make(a, 1);
    broker.make(b, 1);
    broker.fill(a, 0, ["from a"]);
    broker.fill(b, 0, ["from b"]);
    let mut consumer = consumer(&broker, &[b, a], &[]);
    let stream = until_end(100);
    let mut read = Vec::new();
    while let Some(batch) = broker.wait(consumer.next_batch(&stream)).unwrap() {
        assert!(batch.schema().field_with_name("topic").is_ok());
        read.extend(values(&batch));
    }
    read.sort();
    assert_eq!(read, ["from a", "from b"]);
}

#[behaviour]
fn an_assignment_keeps_the_positions_of_partitions_that_stay(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, numbers(10));
    broker.fill(t, 1, numbers(10));
    let mut consumer = consumer(&broker, &[t], &[]);
    let (zero, one) = (TopicPartition::new(t, 0), TopicPartition::new(t, 1));
    broker
        .wait(consumer.seek(
            &Position::Offset(Offset::new(4)),
            std::slice::from_ref(&zero),
        ))
        .unwrap();
    broker.wait(consumer.assign(vec![zero.clone()])).unwrap();
    assert_eq!(consumer.assignment(), std::slice::from_ref(&zero));
    broker
        .wait(consumer.assign(vec![one.clone(), zero.clone()]))
        .unwrap();
    let at = broker.wait(consumer.position()).unwrap();
    assert_eq!((at[&zero].get(), at[&one].get()), (4, 0));
}

#[behaviour]
fn a_consumer_that_cannot_read_returns_an_error(target: Target) {
    let broker = target.start();
    let (t, nope) = (broker.name("t"), broker.name("nope"));
    broker.make(t, 1);
    let mut idle = broker.consumer(ConsumerConfig::default());
    assert_eq!(
        broker.wait(idle.poll(SECOND, None)).unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
    let unknown = broker.wait(idle.assign_topics(&[nope])).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::UnknownTopicOrPartition);
    let beyond = broker
        .wait(idle.assign(vec![TopicPartition::new(t, 5)]))
        .unwrap_err();
    assert_eq!(beyond.kind(), ErrorKind::UnknownTopicOrPartition);
    broker.wait(idle.close());
    broker.wait(idle.close());
    assert_eq!(
        broker.wait(idle.assign_topics(&[t])).unwrap_err().kind(),
        ErrorKind::Closed
    );
}

#[behaviour]
fn without_a_rule_and_without_a_group_the_caller_sets_the_start(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, numbers(10));
    let mut consumer = consumer(&broker, &[t], &[("auto.offset.reset", "none")]);
    let zero = TopicPartition::new(t, 0);
    for _ in 0..2 {
        let error = broker.wait(consumer.poll(SECOND, None)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OffsetOutOfRange, "{error}");
    }
    assert!(broker.wait(consumer.position()).is_err());
    assert!(broker.wait(consumer.next_batch(&until_end(10))).is_err());
    let to = Position::Offset(Offset::new(4));
    broker
        .wait(consumer.seek(&to, std::slice::from_ref(&zero)))
        .unwrap();
    let error = broker.wait(consumer.poll(SECOND, None)).unwrap_err();
    assert_eq!(error.partition(), Some(PartitionId::new(1)));
    broker.wait(consumer.assign(vec![zero])).unwrap();
    let batch = broker.wait(consumer.poll(PATIENCE, None)).unwrap();
    assert_eq!(offsets(&batch), (4..10).collect::<Vec<_>>());
}

#[behaviour]
fn a_bad_record_comes_after_those_before_it_and_can_be_passed(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, [r#"{"a":0}"#, "no json", r#"{"a":1.5,"b":[]}"#]);
    let mut consumer = consumer(&broker, &[t], &[]);
    consumer
        .decode_as(DecodeOptions {
            value: Format::Json(None),
            ..DecodeOptions::default()
        })
        .unwrap();
    let first = broker.wait(consumer.poll(PATIENCE, None)).unwrap();
    assert_eq!(offsets(&first), [0]);
    for _ in 0..2 {
        let error = broker.wait(consumer.poll(PATIENCE, None)).unwrap_err();
        assert_eq!(
            (error.kind(), error.offset()),
            (ErrorKind::Decode, Some(Offset::new(1)))
        );
    }
    let behind = Position::Offset(Offset::new(2));
    broker.wait(consumer.seek(&behind, &[])).unwrap();
    let last = broker.wait(consumer.poll(PATIENCE, None)).unwrap();
    assert_eq!(offsets(&last), [2]);
    let schema = last.schema();
    let value = schema.field_with_name("value").unwrap().data_type();
    assert!(
        value.to_string().contains("\"b\""),
        "no key is lost: {value}"
    );
}
