//! Scans: bounded, repeatable, in order, within their budget.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arrow_array::cast::AsArray as _;
use headwater::{
    Column, DecodeOptions, ErrorKind, Format, Offset, OnError, PartitionId, Position, Projection,
    ScanOptions, ScanProgress,
};
use headwater_behaviour_macro::behaviour;

use crate::table::{offsets, partitions, text, values};
use crate::target::Target;

fn scan() -> ScanOptions {
    ScanOptions {
        decode: text(),
        ..ScanOptions::default()
    }
}

fn numbers(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|index| index.to_string())
}

fn per_partition(offsets: &[(i32, i64)]) -> Position {
    let offsets = offsets
        .iter()
        .map(|(partition, offset)| (PartitionId::new(*partition), Offset::new(*offset)));
    Position::PerPartition(offsets.collect::<BTreeMap<_, _>>())
}

#[behaviour]
fn a_scan_goes_by_partition_and_offset_every_time(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 3);
    for partition in 0..3 {
        broker.fill(t, partition, numbers(100));
    }
    let scan = broker.topic(t).scan(scan());
    for _ in 0..2 {
        let batch = broker.wait(scan.collect()).unwrap();
        let expected: Vec<_> = (0..3)
            .flat_map(|partition| (0..100).map(move |offset| (partition, offset)))
            .collect();
        assert_eq!(
            partitions(&batch)
                .into_iter()
                .zip(offsets(&batch))
                .collect::<Vec<_>>(),
            expected
        );
    }
}

#[behaviour]
fn the_end_is_fixed_when_the_reading_starts(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(10));
    let scan = broker.topic(t).scan(scan());
    let mut reader = broker.wait(scan.reader()).unwrap();
    broker.fill(t, 0, numbers(10));
    let mut records = 0;
    while let Some(batch) = reader.next_batch_blocking().unwrap() {
        records += batch.len();
    }
    assert_eq!(records, 10);
    assert_eq!(
        broker.wait(scan.count()).unwrap(),
        20,
        "a new reading has a new end"
    );
}

#[behaviour]
#[case::all(Position::Earliest, Position::Latest, 0..100)]
#[case::offsets(Position::Offset(Offset::new(10)), Position::Offset(Offset::new(20)), 10..20)]
#[case::map(per_partition(&[(0, 95)]), Position::Latest, 95..100)]
#[case::times(Position::TimestampMs(30), Position::TimestampMs(33), 30..33)]
#[case::time_after_all(Position::TimestampMs(1_000), Position::Latest, 0..0)]
#[case::end_beyond(Position::Offset(Offset::new(98)), Position::Offset(Offset::new(5_000)), 98..100)]
#[case::backwards(Position::Offset(Offset::new(20)), Position::Offset(Offset::new(10)), 0..0)]
#[case::at_the_end(Position::Offset(Offset::new(100)), Position::Latest, 0..0)]
#[case::the_last_minute(Position::AgoMs(60_000), Position::Latest, 0..0)]
fn ranges_are_half_open(
    target: Target,
    #[case] start: Position,
    #[case] end: Position,
    #[case] expected: std::ops::Range<i64>,
) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(100));
    let scan = broker.topic(t).scan(ScanOptions {
        start,
        end,
        ..scan()
    });
    assert_eq!(
        offsets(&broker.wait(scan.collect()).unwrap()),
        expected.clone().collect::<Vec<_>>()
    );
    assert_eq!(broker.wait(scan.count()).unwrap(), expected.count() as u64);
}

#[behaviour]
fn offsets_outside_the_log_are_an_error_and_filters_are_not(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, numbers(100));
    broker
        .wait(broker.admin().delete_records(t, &per_partition(&[(0, 10)])))
        .unwrap();
    let count = |options: ScanOptions| {
        broker
            .wait(broker.topic(t).scan(options).collect())
            .map(|batch| batch.len())
    };
    let at = |offset| Position::Offset(Offset::new(offset));
    for start in [
        at(5),
        at(101),
        per_partition(&[(0, 9)]),
        per_partition(&[(1, 1)]),
    ] {
        let error = count(ScanOptions { start, ..scan() }).unwrap_err();
        assert_eq!(
            (error.kind(), error.code().name()),
            (ErrorKind::OffsetOutOfRange, "OFFSET_OUT_OF_RANGE"),
            "{error}"
        );
        assert!(error.offset().is_some() && error.partition().is_some());
    }
    assert_eq!(
        count(ScanOptions {
            start: per_partition(&[(0, 50)]),
            ..scan()
        })
        .unwrap(),
        50
    );
    // Partition 1 is shorter than that, partition 0 is not.
    assert_eq!(
        count(ScanOptions {
            offset_from: Some(Offset::new(50)),
            ..scan()
        })
        .unwrap(),
        50
    );
    assert_eq!(
        count(ScanOptions {
            offset_from: Some(Offset::new(0)),
            offset_until: Some(Offset::new(12)),
            ..scan()
        })
        .unwrap(),
        2
    );
    assert_eq!(
        count(ScanOptions {
            offset_from: Some(Offset::new(5_000)),
            ..scan()
        })
        .unwrap(),
        0
    );
}

#[behaviour]
fn a_time_filter_never_loses_a_record(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let producer = broker.producer_with(&[("batch.size", "0")]);
    let times = [5, 3, 9, 1, 7, 2];
    for time in times {
        drop(
            producer
                .send_blocking(&headwater::Record::new(t, b"v").timestamp_ms(time))
                .unwrap(),
        );
    }
    broker.wait(producer.flush()).unwrap();
    for (from, until) in [(3, 8), (6, 10), (0, 4), (9, 10)] {
        let options = ScanOptions {
            timestamp_from_ms: Some(from),
            timestamp_until_ms: Some(until),
            ..scan()
        };
        let batch = broker
            .wait(broker.topic(t).scan(options).collect())
            .unwrap();
        let found = crate::table::timestamps(&batch);
        for time in times.iter().filter(|time| (from..until).contains(time)) {
            assert!(
                found.contains(time),
                "{time} is missing in {from}..{until}: {found:?}"
            );
        }
        assert!(
            from < 9 || found.len() < times.len(),
            "the start is cut where possible"
        );
    }
}

#[behaviour]
fn a_limit_stops_after_that_many_records(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, numbers(30));
    broker.fill(t, 1, numbers(30));
    let scan = broker.topic(t).scan(ScanOptions {
        limit: Some(40),
        max_batch_records: 7,
        ..scan()
    });
    let mut reader = broker.wait(scan.reader()).unwrap();
    let mut sizes = Vec::new();
    while let Some(batch) = reader.next_batch_blocking().unwrap() {
        sizes.push(batch.len());
    }
    assert_eq!(sizes.iter().sum::<usize>(), 40);
    assert!(sizes.iter().all(|size| *size <= 7), "{sizes:?}");
    assert_eq!(broker.wait(scan.count()).unwrap(), 40);
}

#[behaviour]
fn only_the_requested_partitions_are_read(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 4);
    for partition in 0..4 {
        broker.fill(t, partition, numbers(5));
    }
    let options = ScanOptions {
        partitions: Some(vec![PartitionId::new(3), PartitionId::new(1)]),
        ..scan()
    };
    let batch = broker
        .wait(broker.topic(t).scan(options).collect())
        .unwrap();
    assert_eq!(partitions(&batch), [1, 1, 1, 1, 1, 3, 3, 3, 3, 3]);
    let options = ScanOptions {
        partitions: Some(vec![PartitionId::new(4)]),
        ..scan()
    };
    let error = broker
        .wait(broker.topic(t).scan(options).collect())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTopicOrPartition);
}

#[behaviour]
fn columns_that_were_not_requested_are_missing(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, numbers(5));
    let decode = DecodeOptions {
        columns: Projection::of(&[Column::Offset, Column::Value]),
        ..text()
    };
    let scan = broker.topic(t).scan(ScanOptions { decode, ..scan() });
    let schema = broker.wait(scan.schema()).unwrap();
    assert_eq!(
        schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect::<Vec<_>>(),
        ["offset", "value"]
    );
    assert_eq!(broker.wait(scan.collect()).unwrap().schema(), schema);
}

#[behaviour]
fn progress_is_reported_until_it_reaches_the_total(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 0, numbers(100));
    broker.fill(t, 1, numbers(50));
    let told: Arc<Mutex<Vec<ScanProgress>>> = Arc::default();
    let tell = Arc::clone(&told);
    let progress: headwater::Progress =
        Arc::new(move |progress| tell.lock().unwrap().push(progress));
    let options = ScanOptions {
        progress: Some(progress),
        max_batch_records: 40,
        ..scan()
    };
    broker
        .wait(broker.topic(t).scan(options).collect())
        .unwrap();
    let told = told.lock().unwrap();
    let last = told.last().unwrap();
    assert!(
        told.len() > 2
            && told
                .windows(2)
                .all(|pair| pair[0].records <= pair[1].records)
    );
    assert_eq!(
        (last.records, last.records_done, last.records_total),
        (150, 150, 150)
    );
    assert!(last.bytes > 0);
}

#[behaviour]
fn a_table_stays_within_the_budget(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let value = "x".repeat(1_000);
    broker.fill(t, 0, (0..4_000).map(|_| value.as_str()));
    let scan = broker.topic(t).scan(ScanOptions {
        memory_budget_bytes: 400_000,
        ..scan()
    });
    let mut reader = broker.wait(scan.reader()).unwrap();
    let mut tables = 0;
    while let Some(batch) = reader.next_batch_blocking().unwrap() {
        assert!(batch.len() <= 400, "{} records of 1,000 bytes", batch.len());
        tables += 1;
    }
    assert!(tables >= 10, "{tables} tables");
}

#[behaviour]
fn an_empty_topic_is_an_empty_table_with_its_schema(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    for value in [Format::Bytes, Format::String, Format::Json(None)] {
        let decode = DecodeOptions {
            value,
            ..DecodeOptions::default()
        };
        let batch = broker
            .wait(
                broker
                    .topic(t)
                    .scan(ScanOptions { decode, ..scan() })
                    .collect(),
            )
            .unwrap();
        assert!(batch.is_empty());
        assert_eq!(batch.schema().field(1).name(), "offset");
    }
}

#[behaviour]
fn json_becomes_columns_and_a_misfit_is_an_error_with_its_place(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, [r#"{"a": 1, "b": "x"}"#, r#"{"a": 2}"#, "no json"]);
    let decode = |on_error| DecodeOptions {
        value: Format::Json(None),
        unnest: true,
        on_error,
        ..DecodeOptions::default()
    };
    let read = |on_error| {
        broker.wait(
            broker
                .topic(t)
                .scan(ScanOptions {
                    decode: decode(on_error),
                    ..scan()
                })
                .collect(),
        )
    };
    let error = read(OnError::Raise).unwrap_err();
    assert_eq!(
        (error.kind(), error.topic(), error.offset()),
        (ErrorKind::Decode, Some(t), Some(Offset::new(2))),
        "{error}"
    );
    let skipped = read(OnError::Skip).unwrap();
    assert_eq!(offsets(&skipped), [0, 1]);
    let a = skipped.records.column_by_name("a").unwrap();
    assert_eq!(
        a.as_primitive::<arrow_array::types::Int64Type>().values(),
        &[1, 2]
    );
    assert_eq!(offsets(&read(OnError::Null).unwrap()), [0, 1, 2]);
}

#[behaviour]
fn classic_types_are_available_on_request(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    broker.fill(t, 0, ["a", "b"]);
    let decode = DecodeOptions {
        views: false,
        ..text()
    };
    let batch = broker.wait(broker.topic(t).head(10, decode)).unwrap();
    let column = batch.records.column_by_name("value").unwrap();
    assert_eq!(
        column
            .as_string::<i32>()
            .iter()
            .flatten()
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
}

#[behaviour]
fn head_and_tail_are_the_two_ends(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 3);
    broker.fill(t, 0, (0..20).map(|index| format!("0-{index}")));
    broker.fill(t, 2, (0..10).map(|index| format!("2-{index}")));
    let topic = broker.topic(t);
    assert_eq!(
        values(&broker.wait(topic.head(3, text())).unwrap()),
        ["0-0", "0-1", "0-2"]
    );
    // The newest by timestamp, which is the index here; of two with the same timestamp, either is valid.
    assert_eq!(
        values(&broker.wait(topic.tail(3, text())).unwrap()),
        ["0-17", "0-18", "0-19"]
    );
    let tail = values(&broker.wait(topic.tail(12, text())).unwrap());
    assert!(
        tail.contains(&"2-9".to_owned()) && tail.len() == 12,
        "{tail:?}"
    );
    assert_eq!(broker.wait(topic.tail(1_000, text())).unwrap().len(), 30);
    assert!(broker.wait(topic.tail(0, text())).unwrap().is_empty());
}

#[behaviour]
fn explain_describes_the_read(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    broker.fill(t, 1, numbers(10));
    let text = broker
        .wait(
            broker
                .topic(t)
                .scan(ScanOptions {
                    limit: Some(5),
                    ..scan()
                })
                .explain(),
        )
        .unwrap();
    for part in [
        &format!("SCAN {t}"),
        "earliest",
        "latest",
        "at most 5",
        "partition 1: offsets 0..10",
        "value: string",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}
