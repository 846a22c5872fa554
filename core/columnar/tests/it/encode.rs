//! Encoding tables to batches: column types, partitions, sizes, JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::Row;
use arrow_array::builder::{
    BinaryBuilder, Int32Builder, ListBuilder, StringBuilder, StructBuilder,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, StructArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampSecondArray,
};
use arrow_schema::{DataType, Field, Fields};
use headwater_columnar::{
    EncodeError, EncodeOptions, Encoder, KeyValueColumns, json_texts, partition_for_key,
};
use headwater_record::{
    BatchOptions, Compression, DecompressLimit, PartitionId, RecordBatch as KafkaBatch,
};

fn table(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    RecordBatch::try_from_iter(columns.iter().map(|(name, array)| (*name, array.clone()))).unwrap()
}

fn key_value() -> KeyValueColumns {
    KeyValueColumns {
        key: Some("key".into()),
        value: Some("value".into()),
        ..KeyValueColumns::default()
    }
}

fn records(batch: &[u8]) -> Vec<Row> {
    let batch = KafkaBatch::parse(bytes::Bytes::copy_from_slice(batch)).unwrap();
    batch.verify_crc().unwrap();
    let records = batch.records(DecompressLimit::default()).unwrap();
    let row = |record: headwater_record::RecordView<'_>| Row {
        timestamp_ms: record.timestamp_ms,
        key: record.key.map(<[u8]>::to_vec),
        value: record.value.map(<[u8]>::to_vec),
        headers: record
            .headers
            .map(|header| {
                (
                    header.key_text().into_owned(),
                    header.value.map(<[u8]>::to_vec),
                )
            })
            .collect(),
    };
    records.iter().map(|record| row(record.unwrap())).collect()
}

fn encode(
    options: EncodeOptions,
    rows: &RecordBatch,
    columns: &KeyValueColumns,
) -> Result<BTreeMap<i32, Vec<Row>>, EncodeError> {
    let mut encoder = Encoder::new(options);
    let mut partitions: BTreeMap<i32, Vec<Row>> = BTreeMap::new();
    for batch in encoder.encode(rows, columns)? {
        let batch = batch?;
        let rows = records(&batch.bytes);
        assert_eq!(rows.len(), batch.record_count);
        partitions
            .entry(batch.partition.get())
            .or_default()
            .extend(rows);
    }
    Ok(partitions)
}

fn one(rows: &RecordBatch, columns: &KeyValueColumns) -> Vec<Row> {
    encode(
        EncodeOptions {
            now_ms: 77,
            ..EncodeOptions::default()
        },
        rows,
        columns,
    )
    .unwrap()
    .remove(&0)
    .unwrap_or_default()
}

fn values_of(rows: &[Row]) -> Vec<Option<&str>> {
    rows.iter()
        .map(|row| {
            row.value
                .as_deref()
                .map(|value| std::str::from_utf8(value).unwrap())
        })
        .collect()
}

#[test]
fn bytes_and_text_of_every_layout_are_the_same_records() {
    let text: ArrayRef = Arc::new(StringArray::from(vec![
        Some("skipped"),
        Some(""),
        None,
        Some("short"),
        Some("longer than a view holds"),
    ]));
    let types = [
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Binary,
        DataType::LargeBinary,
        DataType::BinaryView,
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Binary)),
    ];
    for data_type in types {
        let column = arrow_cast::cast(&text, &data_type).unwrap();
        let rows = table(&[("key", column.clone()), ("value", column)]);
        // A slice, whose arrays have an offset.
        let rows = one(&rows.slice(1, 4), &key_value());
        assert_eq!(
            values_of(&rows),
            [
                Some(""),
                None,
                Some("short"),
                Some("longer than a view holds")
            ],
            "{data_type}"
        );
        assert!(
            rows.iter()
                .all(|row| row.key == row.value && row.timestamp_ms == 77),
            "{data_type}"
        );
    }
}

#[test]
fn a_column_of_another_type_becomes_json() {
    let rows = table(&[
        ("key", Arc::new(Int64Array::from(vec![Some(12), None]))),
        ("value", Arc::new(Float64Array::from(vec![1.5, 2.0]))),
    ]);
    let rows = one(&rows, &key_value());
    assert_eq!(values_of(&rows), [Some("1.5"), Some("2.0")]);
    assert_eq!(
        (rows[0].key.as_deref(), rows[1].key.as_deref()),
        (Some(&b"12"[..]), None)
    );
}

#[test]
fn columns_without_a_role_are_packed_as_one_object() {
    let times = TimestampMillisecondArray::from(vec![1_357_034_400_000, 0]).with_timezone("UTC");
    let rows = table(&[
        ("carrier", Arc::new(StringArray::from(vec!["UA", "A\"A"]))),
        ("delay", Arc::new(Int32Array::from(vec![Some(-3), None]))),
        ("rate", Arc::new(Float64Array::from(vec![Some(0.25), None]))),
        ("hour", Arc::new(times.clone())),
        ("at", Arc::new(times)),
    ]);
    let columns = KeyValueColumns {
        key: Some("carrier".into()),
        timestamp: Some("at".into()),
        ..KeyValueColumns::default()
    };
    let rows = one(&rows, &columns);
    assert_eq!(
        values_of(&rows),
        [
            Some(r#"{"delay":-3,"rate":0.25,"hour":"2013-01-01T10:00:00Z"}"#),
            Some(r#"{"delay":null,"rate":null,"hour":"1970-01-01T00:00:00Z"}"#)
        ]
    );
    assert_eq!(
        (rows[0].timestamp_ms, rows[1].key.as_deref()),
        (1_357_034_400_000, Some(&b"A\"A"[..]))
    );
}

#[test]
fn packed_rows_keep_their_order_over_many_chunks() {
    let rows = table(&[("n", Arc::new(Int64Array::from_iter_values(0..10_000)))]);
    let batch = BatchOptions {
        capacity: 4096,
        ..BatchOptions::default()
    };
    let rows = encode(
        EncodeOptions {
            batch,
            ..EncodeOptions::default()
        },
        &rows,
        &KeyValueColumns::default(),
    )
    .unwrap()
    .remove(&0)
    .unwrap();
    let expected: Vec<String> = (0..10_000).map(|n| format!("{{\"n\":{n}}}")).collect();
    assert_eq!(
        values_of(&rows),
        expected
            .iter()
            .map(|value| Some(value.as_str()))
            .collect::<Vec<_>>()
    );
}

#[test]
fn timestamps_of_any_unit_and_date_become_milliseconds_and_null_is_now() {
    let columns = KeyValueColumns {
        timestamp: Some("t".into()),
        value: Some("value".into()),
        ..KeyValueColumns::default()
    };
    let value: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let arrays: [ArrayRef; 5] = [
        Arc::new(TimestampSecondArray::from(vec![Some(86_400), None]).with_timezone("+02:00")),
        Arc::new(TimestampMicrosecondArray::from(vec![
            Some(86_400_000_999),
            None,
        ])),
        Arc::new(TimestampMillisecondArray::from(vec![
            Some(86_400_000),
            None,
        ])),
        Arc::new(Date32Array::from(vec![Some(1), None])),
        Arc::new(Int64Array::from(vec![Some(86_400_000), None])),
    ];
    for array in arrays {
        let rows = one(
            &table(&[("t", array.clone()), ("value", value.clone())]),
            &columns,
        );
        assert_eq!(
            (rows[0].timestamp_ms, rows[1].timestamp_ms),
            (86_400_000, 77),
            "{}",
            array.data_type()
        );
    }
}

#[test]
fn a_timestamp_before_1970_is_refused_before_any_batch() {
    let rows = table(&[
        ("t", Arc::new(Int64Array::from(vec![5, -5]))),
        ("value", Arc::new(StringArray::from(vec!["a", "b"]))),
    ]);
    let columns = KeyValueColumns {
        timestamp: Some("t".into()),
        value: Some("value".into()),
        ..KeyValueColumns::default()
    };
    let error = Encoder::new(EncodeOptions::default())
        .encode(&rows, &columns)
        .unwrap_err();
    assert_eq!(error, EncodeError::NegativeTimestamp { row: 1 });
}

type Header<'a> = (&'a str, Option<&'a [u8]>);

fn headers_array() -> ArrayRef {
    let fields = Fields::from(vec![
        Field::new("key", DataType::Utf8, true),
        Field::new("value", DataType::Binary, true),
    ]);
    let item = StructBuilder::new(
        fields,
        vec![
            Box::new(StringBuilder::new()),
            Box::new(BinaryBuilder::new()),
        ],
    );
    let mut list = ListBuilder::new(item);
    let rows: [&[Header<'_>]; 3] = [&[("a", Some(b"1")), ("a", None)], &[], &[("b", Some(b""))]];
    for row in rows {
        for (key, value) in row {
            list.values()
                .field_builder::<StringBuilder>(0)
                .unwrap()
                .append_value(key);
            list.values()
                .field_builder::<BinaryBuilder>(1)
                .unwrap()
                .append_option(*value);
            list.values().append(true);
        }
        list.append(true);
    }
    Arc::new(list.finish())
}

#[test]
fn headers_keep_order_and_duplicates() {
    let rows = table(&[
        ("h", headers_array()),
        ("value", Arc::new(StringArray::from(vec!["x", "y", "z"]))),
    ]);
    let columns = KeyValueColumns {
        headers: Some("h".into()),
        value: Some("value".into()),
        ..KeyValueColumns::default()
    };
    for (first, expected) in [(0, 0), (1, 1)] {
        let rows = one(&rows.slice(first, 3 - first), &columns);
        let all = [
            vec![
                ("a".to_owned(), Some(b"1".to_vec())),
                ("a".to_owned(), None),
            ],
            vec![],
            vec![("b".to_owned(), Some(vec![]))],
        ];
        assert_eq!(
            rows.iter()
                .map(|row| row.headers.clone())
                .collect::<Vec<_>>(),
            all[expected..]
        );
    }
}

#[test]
fn rows_go_where_kafkas_partitioner_sends_them_in_order() {
    let keys: Vec<Option<String>> = (0..9000)
        .map(|n| (n % 7 != 0).then(|| format!("key-{}", n % 100)))
        .collect();
    let rows = table(&[
        ("key", Arc::new(StringArray::from(keys.clone()))),
        (
            "value",
            Arc::new(StringArray::from_iter_values(
                (0..9000).map(|n| n.to_string()),
            )),
        ),
    ]);
    let batch = BatchOptions {
        capacity: 2000,
        ..BatchOptions::default()
    };
    let options = EncodeOptions {
        batch,
        partition_count: 5,
        ..EncodeOptions::default()
    };
    let partitions = encode(options, &rows, &key_value()).unwrap();
    let mut seen = 0;
    for (partition, rows) in &partitions {
        let numbers: Vec<u32> = values_of(rows)
            .into_iter()
            .map(|value| value.unwrap().parse().unwrap())
            .collect();
        assert!(numbers.is_sorted(), "partition {partition} keeps the order");
        for row in rows.iter().filter(|row| row.key.is_some()) {
            assert_eq!(
                partition_for_key(row.key.as_ref().unwrap(), 5).get(),
                *partition
            );
        }
        assert!(
            rows.iter().any(|row| row.key.is_none()),
            "rows without a key reach every partition"
        );
        seen += rows.len();
    }
    assert_eq!((seen, partitions.len()), (9000, 5));
}

#[test]
fn rows_without_keys_fill_one_batch_and_continue_with_the_next_partition() {
    let rows = table(&[(
        "value",
        Arc::new(BinaryArray::from_iter_values((0..100).map(|_| [7u8; 100]))),
    )]);
    let columns = KeyValueColumns {
        value: Some("value".into()),
        ..KeyValueColumns::default()
    };
    let batch = BatchOptions {
        capacity: 1100,
        ..BatchOptions::default()
    };
    let options = EncodeOptions {
        batch,
        partition_count: 3,
        sticky_partition: PartitionId::new(2),
        ..EncodeOptions::default()
    };
    let mut encoder = Encoder::new(options);
    let order = |encoder: &mut Encoder| -> Vec<i32> {
        encoder
            .encode(&rows, &columns)
            .unwrap()
            .map(|batch| batch.unwrap())
            .inspect(|batch| assert!(batch.bytes.len() <= 1100))
            .map(|batch| batch.partition.get())
            .collect()
    };
    let first = order(&mut encoder);
    assert!(
        first.len() >= 10
            && first
                .iter()
                .enumerate()
                .all(|(n, partition)| *partition == ((n + 2) % 3) as i32),
        "{first:?}"
    );
    let second = order(&mut encoder);
    assert_eq!(
        second[0],
        (first.last().unwrap() + 1) % 3,
        "a later table continues with the next one"
    );
}

#[test]
fn a_partition_column_decides_and_null_leaves_it_to_the_key() {
    let rows = table(&[
        (
            "p",
            Arc::new(Int32Array::from(vec![Some(2), None, Some(0)])),
        ),
        ("key", Arc::new(StringArray::from(vec!["21", "21", "21"]))),
        ("value", Arc::new(StringArray::from(vec!["a", "b", "c"]))),
    ]);
    let columns = KeyValueColumns {
        partition: Some("p".into()),
        ..key_value()
    };
    let options = EncodeOptions {
        partition_count: 4,
        ..EncodeOptions::default()
    };
    let partitions = encode(options, &rows, &columns).unwrap();
    let by_key = partition_for_key(b"21", 4).get();
    assert!(values_of(&partitions[&by_key]).contains(&Some("b")));
    assert!(
        values_of(&partitions[&2]).contains(&Some("a"))
            && values_of(&partitions[&0]).contains(&Some("c"))
    );

    let two = EncodeOptions {
        partition_count: 2,
        ..EncodeOptions::default()
    };
    let error = Encoder::new(two).encode(&rows, &columns).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 0 has partition 2, but the topic has 2: use 0 to 1"
    );
    let fixed = EncodeOptions {
        partition_count: 4,
        partition: Some(PartitionId::new(3)),
        ..EncodeOptions::default()
    };
    assert_eq!(
        encode(fixed, &rows, &key_value())
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        [&3]
    );
}

#[test]
fn batches_do_not_exceed_their_size_and_compress() {
    let rows = table(&[
        ("key", Arc::new(Int32Builder::new().finish()) as ArrayRef),
        ("value", Arc::new(StringArray::from(Vec::<&str>::new()))),
    ]);
    assert!(
        encode(EncodeOptions::default(), &rows, &key_value())
            .unwrap()
            .is_empty(),
        "no rows, no batches"
    );

    let rows = table(&[(
        "value",
        Arc::new(BinaryArray::from_iter_values(
            (0..500).map(|n| vec![n as u8; 50 + n % 50]),
        )),
    )]);
    let columns = KeyValueColumns {
        value: Some("value".into()),
        ..KeyValueColumns::default()
    };
    for compression in Compression::ALL {
        let batch = BatchOptions {
            capacity: 3000,
            compression,
            ..BatchOptions::default()
        };
        let options = EncodeOptions {
            batch,
            ..EncodeOptions::default()
        };
        let mut encoder = Encoder::new(options);
        let batches: Vec<_> = encoder
            .encode(&rows, &columns)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert!(
            batches.len() > 10 && batches.iter().all(|batch| batch.bytes.len() <= 3000),
            "{compression}"
        );
        let all: Vec<Row> = batches
            .iter()
            .flat_map(|batch| records(&batch.bytes))
            .collect();
        assert_eq!(all.len(), 500);
        assert!(
            all.iter()
                .enumerate()
                .all(|(n, row)| row.value.as_deref() == Some(&vec![n as u8; 50 + n % 50][..]))
        );
    }
}

#[test]
fn the_error_of_a_large_row_comes_before_any_batch() {
    let big = "x".repeat(2000);
    let rows = table(&[("value", Arc::new(StringArray::from(vec!["a", "b", &big])))]);
    let options = EncodeOptions {
        max_record_bytes: 1500,
        ..EncodeOptions::default()
    };
    let columns = KeyValueColumns {
        value: Some("value".into()),
        ..KeyValueColumns::default()
    };
    let error = Encoder::new(options).encode(&rows, &columns).unwrap_err();
    assert!(
        matches!(
            error,
            EncodeError::RecordTooLarge {
                row: 2,
                max: 1500,
                ..
            }
        ),
        "{error}"
    );
    // The size of packed JSON is known only when its chunk is written.
    let error = encode(options, &rows, &KeyValueColumns::default()).unwrap_err();
    assert!(
        matches!(error, EncodeError::RecordTooLarge { row: 2, .. }),
        "{error}"
    );
    let fits = EncodeOptions {
        max_record_bytes: 2100,
        batch: BatchOptions {
            capacity: 500,
            ..BatchOptions::default()
        },
        ..EncodeOptions::default()
    };
    assert_eq!(
        encode(fits, &rows, &columns).unwrap()[&0].len(),
        3,
        "a record larger than a batch has one of its own"
    );
}

#[test]
fn wrong_columns_are_refused_with_the_existing_ones() {
    let rows = table(&[
        ("a", Arc::new(StringArray::from(vec!["x"]))),
        ("b", Arc::new(Float64Array::from(vec![1.0]))),
    ]);
    let refusal = |columns: KeyValueColumns| {
        Encoder::new(EncodeOptions::default())
            .encode(&rows, &columns)
            .unwrap_err()
            .to_string()
    };
    let name = |name: &str| Some(name.to_owned());
    assert_eq!(
        refusal(KeyValueColumns {
            key: name("k"),
            ..KeyValueColumns::default()
        }),
        "the table has no column \"k\" for the key; its columns are a, b"
    );
    for columns in [
        KeyValueColumns {
            timestamp: name("b"),
            ..KeyValueColumns::default()
        },
        KeyValueColumns {
            partition: name("a"),
            ..KeyValueColumns::default()
        },
        KeyValueColumns {
            headers: name("a"),
            ..KeyValueColumns::default()
        },
    ] {
        assert!(
            refusal(columns.clone()).contains("cannot be the"),
            "{columns:?}"
        );
    }
}

#[test]
fn a_table_dropped_early_leaves_nothing_for_the_next() {
    let rows = table(&[(
        "value",
        Arc::new(StringArray::from_iter_values(
            (0..100).map(|n| format!("value {n:50}")),
        )),
    )]);
    let columns = KeyValueColumns {
        value: Some("value".into()),
        ..KeyValueColumns::default()
    };
    let batch = BatchOptions {
        capacity: 1000,
        ..BatchOptions::default()
    };
    let mut encoder = Encoder::new(EncodeOptions {
        batch,
        ..EncodeOptions::default()
    });
    let _first = encoder.encode(&rows, &columns).unwrap().next();
    let count: usize = encoder
        .encode(&rows, &columns)
        .unwrap()
        .map(|batch| batch.unwrap().record_count)
        .sum();
    assert_eq!(count, 100);
}

#[test]
fn a_column_is_written_as_json_texts_with_all_digits() {
    let fields = Fields::from(vec![
        Field::new("n", DataType::Int64, true),
        Field::new("s", DataType::Utf8, true),
        Field::new("b", DataType::Binary, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(i64::MAX), None, Some(1)])),
        Arc::new(StringArray::from(vec!["a \"quote\"", "b", "c"])),
        Arc::new(BinaryArray::from_vec(vec![&[0, 255], b"", b"x"])),
    ];
    let nulls = vec![true, true, false].into();
    let column: ArrayRef = Arc::new(StructArray::new(fields, columns, Some(nulls)));
    let texts = |column: &ArrayRef| -> Vec<Option<String>> {
        let texts = json_texts("value", column).unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        texts.iter().map(|bytes| bytes.map(text)).collect()
    };
    let expected = [
        Some(r#"{"n":9223372036854775807,"s":"a \"quote\"","b":"00ff"}"#.to_owned()),
        Some(r#"{"n":null,"s":"b","b":""}"#.to_owned()),
        None,
    ];
    assert_eq!(texts(&column), expected);
    assert_eq!(texts(&column.slice(1, 2)), expected[1..]);
    let day: ArrayRef = Arc::new(Date32Array::from(vec![0]));
    assert_eq!(texts(&day), [Some(r#""1970-01-01""#.to_owned())]);
}

#[test]
fn a_value_without_a_form_in_json_is_refused_with_its_place() {
    let fields = Fields::from(vec![Field::new("f", DataType::Float64, true)]);
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.5, f64::NAN]));
    let column: ArrayRef = Arc::new(StructArray::new(fields, vec![floats], None));
    let error = json_texts("value", &column).unwrap_err().to_string();
    assert!(
        error.starts_with("row 1 of column \"value.f\" is not a finite number"),
        "{error}"
    );
}
