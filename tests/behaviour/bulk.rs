//! Sending tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, Int32Array, Int64Array, RecordBatch, StringArray};
use headwater::{BulkOptions, ErrorKind, NewTopic, Offset, PartitionId, Record, ScanOptions};
use headwater_behaviour_macro::behaviour;

use crate::table::{keys, offsets, partitions, text, timestamps, values};
use crate::target::{RunningBroker, Target};

fn rows(count: usize) -> RecordBatch {
    let key: StringArray = (0..count)
        .map(|index| (index % 5 != 0).then(|| format!("key {}", index % 7)))
        .collect();
    let value: BinaryArray = (0..count)
        .map(|index| Some(format!("value {index}").into_bytes()))
        .collect();
    let time: Int64Array = (0..count).map(|index| Some(index as i64 * 10)).collect();
    RecordBatch::try_from_iter([
        ("k", Arc::new(key) as ArrayRef),
        ("v", Arc::new(value) as ArrayRef),
        ("t", Arc::new(time) as ArrayRef),
    ])
    .unwrap()
}

fn columns() -> BulkOptions {
    BulkOptions {
        key: Some("k".into()),
        value: Some("v".into()),
        timestamp: Some("t".into()),
        ..BulkOptions::default()
    }
}

#[behaviour]
fn a_table_arrives_whole_and_in_order(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let producer = broker.producer_with(&[]);
    let result = broker
        .wait(producer.send_batch(t, &rows(50_000), &columns()))
        .unwrap();
    assert_eq!(result.records, 50_000);
    let all = BTreeMap::from([(PartitionId::new(0), vec![Offset::ZERO..Offset::new(50_000)])]);
    assert_eq!(result.offsets, all);
    let scan = broker.topic(t).scan(ScanOptions {
        decode: text(),
        ..ScanOptions::default()
    });
    let batch = broker.wait(scan.collect()).unwrap();
    assert_eq!(offsets(&batch), (0..50_000).collect::<Vec<_>>());
    assert_eq!(
        values(&batch),
        (0..50_000)
            .map(|index| format!("value {index}"))
            .collect::<Vec<_>>()
    );
    assert_eq!(timestamps(&batch)[..3], [0, 10, 20]);
    assert_eq!(keys(&batch)[..2], [None, Some(b"key 1".to_vec())]);
}

#[behaviour]
fn rows_go_where_single_records_with_their_key_go(target: Target) {
    let broker = target.start();
    let (t, single) = (broker.name("t"), broker.name("single"));
    broker.make(t, 5);
    broker.make(single, 5);
    let producer = broker.producer_with(&[]);
    broker
        .wait(producer.send_batch(t, &rows(700), &columns()))
        .unwrap();
    let batch = broker.wait(broker.topic(t).head(700, text())).unwrap();
    let by_key: BTreeMap<_, _> = keys(&batch)
        .into_iter()
        .zip(partitions(&batch))
        .filter_map(|(key, at)| Some((key?, at)))
        .collect();
    assert_eq!(by_key.len(), 7);
    for (key, partition) in by_key {
        let sent = producer
            .send_blocking(&Record::new(single, b"v").key(&key))
            .unwrap()
            .wait()
            .unwrap();
        assert_eq!(sent.partition.get(), partition);
    }
}

#[behaviour]
fn single_records_before_a_table_stay_before_it(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let producer = broker.producer_with(&[("linger.ms", "60000")]);
    drop(producer.send_blocking(&Record::new(t, b"first")).unwrap());
    broker
        .wait(producer.send_batch(t, &rows(10), &columns()))
        .unwrap();
    producer
        .send_blocking(&Record::new(t, b"last"))
        .unwrap()
        .wait()
        .unwrap();
    let batch = broker.wait(broker.topic(t).head(100, text())).unwrap();
    let values = values(&batch);
    assert_eq!(
        (values[0].as_str(), values[11].as_str(), values.len()),
        ("first", "last", 12)
    );
}

#[behaviour]
fn the_rest_of_the_columns_is_packed_as_json(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 1);
    let table = RecordBatch::try_from_iter([
        (
            "carrier",
            Arc::new(StringArray::from(vec!["UA", "B6"])) as ArrayRef,
        ),
        (
            "delay",
            Arc::new(Int32Array::from(vec![Some(11), None])) as ArrayRef,
        ),
    ])
    .unwrap();
    let producer = broker.producer_with(&[]);
    let options = BulkOptions {
        key: Some("carrier".into()),
        ..BulkOptions::default()
    };
    broker
        .wait(producer.send_batch(t, &table, &options))
        .unwrap();
    let decode = headwater::DecodeOptions {
        value: headwater::Format::Json(None),
        unnest: true,
        ..text()
    };
    let batch = broker.wait(broker.topic(t).head(10, decode)).unwrap();
    let delay = batch.records.column_by_name("delay").unwrap();
    assert_eq!((delay.len(), delay.null_count()), (2, 1));
}

#[behaviour]
fn batches_that_are_too_large_for_the_topic_are_split(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker
        .wait(
            broker
                .admin()
                .create_topic(NewTopic::new(t).config("max.message.bytes", "20000")),
        )
        .unwrap();
    let producer = broker.producer_with(&[]);
    let result = broker
        .wait(producer.send_batch(t, &rows(5_000), &columns()))
        .unwrap();
    assert_eq!(
        result.offsets[&PartitionId::new(0)],
        [Offset::ZERO..Offset::new(5_000)]
    );
    let batch = broker.wait(broker.topic(t).head(10_000, text())).unwrap();
    assert_eq!(
        values(&batch),
        (0..5_000)
            .map(|index| format!("value {index}"))
            .collect::<Vec<_>>()
    );
}

#[behaviour]
fn a_table_in_a_small_buffer_takes_its_turns(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 3);
    let producer =
        broker.producer_with(&[("buffer.memory", "40000"), ("max.request.size", "20000")]);
    assert_eq!(
        broker
            .wait(producer.send_batch(t, &rows(20_000), &columns()))
            .unwrap()
            .records,
        20_000
    );
}

#[behaviour]
#[case::no_such_column(BulkOptions { key: Some("nope".into()), ..columns() }, ErrorKind::InvalidArgument, "nope")]
#[case::no_such_partition(BulkOptions { partition: Some(PartitionId::new(9)), ..columns() }, ErrorKind::UnknownTopicOrPartition, "9")]
fn a_table_that_cannot_be_sent_sends_nothing(
    target: Target,
    #[case] options: BulkOptions,
    #[case] kind: ErrorKind,
    #[case] named: &str,
) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    let producer = broker.producer_with(&[]);
    let error = broker
        .wait(producer.send_batch(t, &rows(10), &options))
        .unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(named), "{error}");
    assert_eq!(broker.wait(broker.topic(t).count()).unwrap(), 0);
}

/// The number of value bytes in each partition of `t`.
fn bytes_by_partition(broker: &RunningBroker, count: i32) -> Vec<usize> {
    let t = broker.name("t");
    let scan = broker.topic(t).scan(ScanOptions {
        decode: text(),
        ..ScanOptions::default()
    });
    let batch = broker.wait(scan.collect()).unwrap();
    let mut bytes = vec![0; count as usize];
    for (partition, value) in partitions(&batch).into_iter().zip(values(&batch)) {
        bytes[partition as usize] += value.len();
    }
    bytes
}

fn assert_even(bytes: &[usize], unit: usize) {
    let (least, most) = (bytes.iter().min().unwrap(), bytes.iter().max().unwrap());
    assert!(most - least <= unit, "{bytes:?}");
}

/// A table without keys.
fn keyless(rows: usize, size: usize) -> RecordBatch {
    let value: BinaryArray = (0..rows).map(|_| Some(vec![b'x'; size])).collect();
    RecordBatch::try_from_iter([("v", Arc::new(value) as ArrayRef)]).unwrap()
}

#[behaviour]
fn tables_without_keys_are_spread_by_bytes(
    target: Target,
    // The factor by which every other table is larger.
    #[values(1, 10)] large: usize,
) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 4);
    let producer = broker.producer_with(&[]);
    let options = BulkOptions {
        value: Some("v".into()),
        ..BulkOptions::default()
    };
    for round in 0..40 {
        let rows = if round % 2 == 0 { 1_000 } else { 1_000 * large };
        broker
            .wait(producer.send_batch(t, &keyless(rows, 40), &options))
            .unwrap();
    }
    assert_even(&bytes_by_partition(&broker, 4), 1_000 * large * 40);
}

#[behaviour]
fn null_keys_among_others_are_spread_by_bytes(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 2);
    let producer = broker.producer_with(&[]);
    let key: StringArray = (0..1_000).map(|row| (row == 0).then_some("k")).collect();
    let value: BinaryArray = (0..1_000).map(|_| Some(vec![b'x'; 40])).collect();
    let table = RecordBatch::try_from_iter([
        ("k", Arc::new(key) as ArrayRef),
        ("v", Arc::new(value) as ArrayRef),
    ])
    .unwrap();
    let options = BulkOptions {
        key: Some("k".into()),
        value: Some("v".into()),
        ..BulkOptions::default()
    };
    for _ in 0..20 {
        broker
            .wait(producer.send_batch(t, &table, &options))
            .unwrap();
    }
    assert_even(&bytes_by_partition(&broker, 2), 2 * 1_000 * 40);
}

#[behaviour]
fn records_without_keys_are_spread_by_bytes_whatever_closes_their_batches(
    target: Target,
    #[values("flush", "wait", "linger")] closes: &str,
) {
    let broker = target.start();
    let t = broker.name("t");
    broker.make(t, 4);
    let producer =
        broker.producer_with(&[("linger.ms", if closes == "linger" { "0" } else { "5" })]);
    let value = vec![b'x'; 1_000];
    for _ in 0..400 {
        let sent = producer.send_blocking(&Record::new(t, &value)).unwrap();
        match closes {
            "flush" => broker.wait(producer.flush()).unwrap(),
            _ => drop(sent.wait().unwrap()),
        }
    }
    // A turn is a batch.size, and a batch may be one record longer.
    assert_even(&bytes_by_partition(&broker, 4), 16_384 + 2_000);
}

/// Records of these rows, with a null key only in row `without_key`.
fn keyed(count: usize, without_key: usize) -> RecordBatch {
    let key: StringArray = (0..count)
        .map(|row| (row != without_key).then(|| format!("key {row}")))
        .collect();
    let value: StringArray = (0..count).map(|row| Some(format!("value {row}"))).collect();
    RecordBatch::try_from_iter([
        ("k", Arc::new(key) as ArrayRef),
        ("v", Arc::new(value) as ArrayRef),
    ])
    .unwrap()
}

#[behaviour]
#[case::one_partition(1)]
#[case::by_key(3)]
fn a_refused_row_is_an_error_with_the_number_of_written_rows(
    target: Target,
    #[case] partitions: i32,
) {
    let broker = target.start();
    let t = broker.name("t");
    let compacted = NewTopic::new(t)
        .partitions(partitions)
        .config("cleanup.policy", "compact");
    broker.wait(broker.admin().create_topic(compacted)).unwrap();
    let producer = broker.producer_with(&[]);
    let options = BulkOptions {
        key: Some("k".into()),
        value: Some("v".into()),
        ..BulkOptions::default()
    };
    let mut tables = producer.tables(t, options);
    broker
        .wait(tables.send(&keyed(50_000, usize::MAX)))
        .unwrap();
    let error = broker
        .wait(tables.send(&keyed(100_000, 80_000)))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(
        error.message().starts_with("Row 130000 of the table: "),
        "{error}"
    );
    let written = broker.wait(broker.topic(t).count()).unwrap();
    assert!(
        error
            .message()
            .contains(&format!("{written} rows of the table are written: ")),
        "{written}: {error}"
    );
    assert_eq!(tables.finish().records, written);
}

#[behaviour]
fn a_row_that_is_too_large_for_the_topic_is_named(target: Target) {
    let broker = target.start();
    let t = broker.name("t");
    broker
        .wait(
            broker
                .admin()
                .create_topic(NewTopic::new(t).config("max.message.bytes", "1000")),
        )
        .unwrap();
    let value: StringArray = (0..500)
        .map(|row| Some("x".repeat(if row == 321 { 2_000 } else { 10 })))
        .collect();
    let table = RecordBatch::try_from_iter([("v", Arc::new(value) as ArrayRef)]).unwrap();
    let options = BulkOptions {
        value: Some("v".into()),
        ..BulkOptions::default()
    };
    let producer = broker.producer_with(&[]);
    let error = broker
        .wait(producer.send_batch(t, &table, &options))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecordTooLarge, "{error}");
    assert!(
        error.message().starts_with("Row 321 of the table: "),
        "{error}"
    );
    let written = broker.wait(broker.topic(t).count()).unwrap();
    assert!(
        error
            .message()
            .contains(&format!("{written} rows of the table are written")),
        "{error}"
    );
}
