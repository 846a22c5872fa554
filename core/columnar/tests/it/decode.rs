//! Decoding batches to tables: offsets, projection, ranges, errors.

use crate::support::{Row, batch_at, decode, log, offsets, refusal, values};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int32Type, TimestampMillisecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use bytes::{Bytes, BytesMut};
use headwater_columnar::{
    Column, DecodeErrorKind, DecodeOptions, Decoder, FetchedBatches, Format, OnError, Projection,
    compact, to_classic,
};
use headwater_record::{BatchError, Compression, ControlType, DecompressLimit, Offset};

fn texts(batch: &RecordBatch, column: &str) -> Vec<Option<String>> {
    let text = arrow_cast::cast(batch.column_by_name(column).unwrap(), &DataType::Utf8).unwrap();
    text.as_string::<i32>()
        .iter()
        .map(|text| text.map(str::to_owned))
        .collect()
}

fn ten() -> Bytes {
    let rows: Vec<Row> = (0..10)
        .map(|n| Row::new(&format!("k{n}"), &format!("the value of record {n}")))
        .collect();
    log(&[
        (Compression::None, &rows[..4]),
        (Compression::Zstd, &rows[4..7]),
        (Compression::None, &rows[7..]),
    ])
}

#[test]
fn the_schema_is_the_record_schema_in_its_order() {
    let all = DecodeOptions {
        columns: Projection::of(&Column::ALL),
        ..DecodeOptions::default()
    };
    let decoded = decode(all, ten());
    let schema = decoded.batch.schema();
    let fields: Vec<String> = schema
        .fields()
        .iter()
        .map(|field| format!("{}: {}", field.name(), field.data_type()))
        .collect();
    assert_eq!(
        fields,
        [
            "partition: Int32",
            "offset: Int64",
            "timestamp: Timestamp(ms, \"UTC\")",
            "key: BinaryView",
            "value: BinaryView",
            "headers: List(non-null Struct(\"key\": non-null Utf8, \"value\": Binary))",
            "topic: Dictionary(Int32, Utf8)",
            "timestamp_type: Int8",
            "leader_epoch: Int32",
        ]
    );
    assert_eq!(
        decoded.batch.column(7).as_primitive::<Int8Type>().values(),
        &[0; 10]
    );
    assert_eq!(
        decoded.batch.column(8).as_primitive::<Int32Type>().values(),
        &[-1; 10]
    );
}

#[test]
fn keys_values_offsets_and_timestamps_round_trip_with_every_codec() {
    let decoded = decode(DecodeOptions::default(), ten());
    assert_eq!(offsets(&decoded.batch), (0..10).collect::<Vec<_>>());
    assert_eq!(texts(&decoded.batch, "key")[8].as_deref(), Some("k8"));
    assert_eq!(
        texts(&decoded.batch, "value")[5].as_deref(),
        Some("the value of record 5")
    );
    let times = decoded
        .batch
        .column(2)
        .as_primitive::<TimestampMillisecondType>();
    assert_eq!(times.values(), &[1000; 10]);
    assert_eq!(
        (decoded.next_offsets, decoded.complete),
        (vec![Offset::new(10)], true)
    );
}

#[test]
fn views_point_into_the_bytes_read_and_keep_them_alive() {
    let bytes = ten();
    let range = bytes.as_ptr_range();
    let decoded = decode(DecodeOptions::default(), bytes.clone());
    let views = decoded
        .batch
        .column_by_name("value")
        .unwrap()
        .as_binary_view();
    assert!(
        range.contains(&views.data_buffers()[0].as_ptr()),
        "not copied"
    );
    let keys = decoded
        .batch
        .column_by_name("key")
        .unwrap()
        .as_binary_view();
    assert!(
        keys.data_buffers().is_empty(),
        "short keys keep nothing alive"
    );
    drop(bytes);
    assert_eq!(
        texts(&decoded.batch, "value")[0].as_deref(),
        Some("the value of record 0")
    );

    let compacted = compact(&decoded.batch.slice(0, 2)).unwrap();
    let views = compacted.column_by_name("value").unwrap().as_binary_view();
    assert!(!range.contains(&views.data_buffers()[0].as_ptr()));
    assert_eq!(
        texts(&compacted, "value"),
        texts(&decoded.batch.slice(0, 2), "value")
    );
}

#[test]
fn classic_columns_have_what_views_have() {
    for (format, data_type) in [
        (Format::Bytes, DataType::Binary),
        (Format::String, DataType::Utf8),
    ] {
        let mut rows: Vec<Row> = (0..10).map(|n| Row::new("k", &"é".repeat(n))).collect();
        rows[3].value = None;
        rows[7].key = None;
        let bytes = log(&[
            (Compression::None, &rows[..2]),
            (Compression::Lz4, &rows[2..5]),
            (Compression::None, &rows[5..]),
        ]);
        let options = DecodeOptions {
            key: format.clone(),
            value: format,
            ..DecodeOptions::default()
        };
        let views = decode(options.clone(), bytes.clone()).batch;
        let classic = decode(
            DecodeOptions {
                views: false,
                ..options
            },
            bytes,
        )
        .batch;
        assert_eq!(
            classic.column_by_name("value").unwrap().data_type(),
            &data_type
        );
        assert_eq!(to_classic(&views).unwrap(), classic);
    }
}

#[test]
fn only_the_requested_columns_are_built() {
    let options = |columns: Projection| DecodeOptions {
        columns,
        ..DecodeOptions::default()
    };
    let decoded = decode(
        options(Projection::of(&[Column::Value, Column::Offset])),
        ten(),
    );
    let schema = decoded.batch.schema();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(names, ["offset", "value"]);
    let counted = decode(options(Projection::none()), ten());
    assert_eq!(
        (counted.batch.num_rows(), counted.batch.num_columns()),
        (10, 0)
    );
    assert!(
        Projection::from_names(&["offset", "delay"], false)
            .unwrap_err()
            .to_string()
            .contains("no column \"delay\"")
    );
}

#[test]
fn a_batch_that_starts_before_the_range_is_trimmed() {
    let mut decoder = Decoder::new(DecodeOptions::default()).unwrap();
    for from in 0..=10 {
        for until in from..=11 {
            let decoded = decoder
                .decode(&[FetchedBatches::new("t", 0, ten(), from).until(until)])
                .unwrap();
            assert_eq!(
                offsets(&decoded.batch),
                (from..until.min(10)).collect::<Vec<_>>(),
                "{from}..{until}"
            );
            if until > from {
                assert_eq!(decoded.next_offsets, [Offset::new(until.min(10))]);
            }
        }
    }
}

#[test]
fn a_limit_stops_anywhere_and_the_rest_follows_from_next_offsets() {
    for limit in 1..=11 {
        let mut decoder = Decoder::new(DecodeOptions::default()).unwrap();
        let mut fetched = vec![
            FetchedBatches::new("a", 0, ten(), 2),
            FetchedBatches::new("a", 1, ten(), 0),
        ];
        let mut seen = Vec::new();
        loop {
            let decoded = decoder.decode_up_to(&fetched, limit).unwrap();
            assert!(decoded.batch.num_rows() <= limit);
            let partitions = decoded
                .batch
                .column(0)
                .as_primitive::<Int32Type>()
                .values()
                .to_vec();
            seen.extend(partitions.into_iter().zip(offsets(&decoded.batch)));
            for (fetched, next) in fetched.iter_mut().zip(&decoded.next_offsets) {
                fetched.from = *next;
            }
            if decoded.complete {
                break;
            }
        }
        let expected: Vec<_> = (2..10)
            .map(|offset| (0, offset))
            .chain((0..10).map(|offset| (1, offset)))
            .collect();
        assert_eq!(seen, expected, "limit {limit}");
    }
}

#[test]
fn decompressed_bytes_stop_a_call_after_the_first_batch() {
    let rows: Vec<Row> = (0..4).map(|_| Row::of_value("x".repeat(1000))).collect();
    let bytes = log(&[
        (Compression::Gzip, &rows[..2]),
        (Compression::Gzip, &rows[2..]),
    ]);
    let options = DecodeOptions {
        max_decompressed_bytes: 1,
        ..DecodeOptions::default()
    };
    let mut decoder = Decoder::new(options).unwrap();
    let first = decoder
        .decode(&[FetchedBatches::new("t", 0, bytes.clone(), 0)])
        .unwrap();
    assert_eq!((offsets(&first.batch), first.complete), (vec![0, 1], false));
    let second = decoder
        .decode(&[FetchedBatches::new("t", 0, bytes, first.next_offsets[0])])
        .unwrap();
    assert_eq!(
        (offsets(&second.batch), second.complete),
        (vec![2, 3], true)
    );
}

#[test]
fn a_batch_cut_by_the_end_of_the_bytes_is_not_there() {
    let bytes = ten();
    let whole = batch_at(0, Compression::None, &[Row::of_value("v")]).len();
    for cut in 1..whole {
        let decoded = decode(DecodeOptions::default(), bytes.slice(..bytes.len() - cut));
        assert_eq!(offsets(&decoded.batch), (0..7).collect::<Vec<_>>());
        assert_eq!(
            (decoded.next_offsets, decoded.complete),
            (vec![Offset::new(7)], true)
        );
    }
}

#[test]
fn control_batches_are_skipped() {
    let mut bytes = BytesMut::from(ten().as_ref());
    let marker = headwater_record::control_batch(ControlType::Commit, 1000, 7.into(), 0.into(), 0);
    let mut marker = BytesMut::from(marker.as_ref());
    marker[..8].copy_from_slice(&10i64.to_be_bytes());
    bytes.extend_from_slice(&marker);
    let decoded = decode(DecodeOptions::default(), bytes.freeze());
    assert_eq!(decoded.batch.num_rows(), 10);
    assert_eq!(decoded.next_offsets, [Offset::new(11)]);
}

#[test]
fn headers_keep_order_duplicates_and_nulls() {
    let mut row = Row::new("k", "v");
    row.headers = vec![
        ("a".into(), Some(b"1".to_vec())),
        ("a".into(), None),
        ("b".into(), Some(vec![0xff])),
    ];
    let decoded = decode(
        DecodeOptions::default(),
        batch_at(0, Compression::None, &[Row::new("k", "v"), row]),
    );
    let headers = decoded
        .batch
        .column_by_name("headers")
        .unwrap()
        .as_list::<i32>();
    assert_eq!(headers.value(0).len(), 0);
    let pairs = headers.value(1);
    let pairs = pairs.as_struct();
    let keys: Vec<_> = pairs
        .column(0)
        .as_string::<i32>()
        .iter()
        .flatten()
        .collect();
    let values: Vec<_> = pairs.column(1).as_binary::<i32>().iter().collect();
    assert_eq!(keys, ["a", "a", "b"]);
    assert_eq!(values, [Some(&b"1"[..]), None, Some(&[0xff][..])]);
}

#[test]
fn several_topics_share_one_table() {
    let options = DecodeOptions {
        columns: Projection::default().with(Column::Topic),
        ..DecodeOptions::default()
    };
    let fetched = [
        FetchedBatches::new("a", 0, values(&["1"]), 0),
        FetchedBatches::new("b", 3, values(&["2", "3"]), 0),
        FetchedBatches::new("a", 1, values(&["4"]), 0),
    ];
    let decoded = Decoder::new(options).unwrap().decode(&fetched).unwrap();
    let topics: Vec<_> = texts(&decoded.batch, "topic")
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(topics, ["a", "b", "b", "a"]);
    assert_eq!(
        decoded.batch.column(0).as_primitive::<Int32Type>().values(),
        &[0, 3, 3, 1]
    );
}

#[test]
fn an_empty_fetch_is_a_table_without_rows_of_the_same_schema() {
    let mut decoder = Decoder::new(DecodeOptions::default()).unwrap();
    let schema = decoder.schema().unwrap();
    assert_eq!(decoder.decode(&[]).unwrap().batch.schema(), schema);
    let empty = decoder
        .decode(&[FetchedBatches::new("t", 0, Bytes::new(), 5)])
        .unwrap();
    assert_eq!(
        (empty.batch.num_rows(), empty.next_offsets),
        (0, vec![Offset::new(5)])
    );
}

#[test]
fn a_flipped_byte_is_found_when_the_crc_is_checked() {
    let mut bytes = BytesMut::from(ten().as_ref());
    let at = bytes.len() - 3;
    bytes[at] ^= 1;
    let bytes = bytes.freeze();
    let mut decoder = Decoder::new(DecodeOptions::default()).unwrap();
    let before = decoder
        .decode(&[FetchedBatches::new("t", 2, bytes.clone(), 0)])
        .unwrap();
    assert_eq!((before.batch.num_rows(), before.complete), (7, false));
    let error = decoder
        .decode(&[FetchedBatches::new("t", 2, bytes.clone(), 7)])
        .unwrap_err();
    assert_eq!(
        (&*error.topic, error.partition.get(), error.offset.get()),
        ("t", 2, 7)
    );
    let DecodeErrorKind::Damaged {
        source,
        next_offset,
    } = &error.kind
    else {
        panic!("{error}")
    };
    assert!(matches!(source, BatchError::CrcMismatch { .. }));
    assert_eq!(*next_offset, None, "no intact batch follows");
    let unchecked = decode(
        DecodeOptions {
            check_crc: false,
            ..DecodeOptions::default()
        },
        bytes,
    );
    assert_eq!(unchecked.batch.num_rows(), 10);
}

#[test]
fn invalid_batches_and_bombs_are_errors() {
    assert!(
        refusal(DecodeOptions::default(), Bytes::from(vec![0xab; 200])).contains("offset 0 of t-0")
    );
    let bomb = batch_at(0, Compression::Zstd, &[Row::of_value(vec![0; 900_000])]);
    let options = DecodeOptions {
        decompress_limit: DecompressLimit::new(10_000),
        ..DecodeOptions::default()
    };
    assert!(refusal(options, bomb).contains("more than 10000 bytes"));
}

#[test]
fn invalid_text_is_raised_null_or_skipped() {
    let rows = [
        Row::of_value("fine"),
        Row::of_value([b'x', 0xff]),
        Row::of_value("a text that is longer than a view"),
        Row::of_value([&[b'y'; 20][..], &[0xc3]].concat()),
    ];
    for views in [true, false] {
        let bytes = log(&[
            (Compression::None, &rows[..2]),
            (Compression::Snappy, &rows[2..]),
        ]);
        let options = |on_error| DecodeOptions {
            value: Format::String,
            on_error,
            views,
            ..DecodeOptions::default()
        };
        let message = refusal(options(OnError::Raise), bytes.clone());
        assert!(
            message.contains("offset 1 of t-0: the value is not UTF-8"),
            "{message}"
        );
        let nulls = decode(options(OnError::Null), bytes.clone());
        assert_eq!(
            texts(&nulls.batch, "value"),
            [
                Some("fine".into()),
                None,
                Some("a text that is longer than a view".into()),
                None
            ]
        );
        let skipped = decode(options(OnError::Skip), bytes);
        assert_eq!((offsets(&skipped.batch), skipped.skipped), (vec![0, 2], 2));
        assert_eq!(skipped.next_offsets, [Offset::new(4)]);
    }
}
