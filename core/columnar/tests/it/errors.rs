//! Records that cannot be decoded, and inferred types.

use crate::support::{Row, batch_at, decode, failure, log, values};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_schema::DataType;
use bytes::BytesMut;
use headwater_columnar::{
    Column, DecodeOptions, Decoder, FetchedBatches, Format, Infer, OnError, Projection, TimeRange,
    parse_schema,
};
use headwater_record::{Compression, Offset};

const SCHEMA: &str = r#"{"a": "int64", "b": "string"}"#;
const LINES: [&str; 5] = [
    r#"{"a":0,"b":"x"}"#,
    r#"{"a":1,"b":7}"#,
    r#"{"a":2}"#,
    "no json",
    r#"{"a":4,"b":"y"}"#,
];

fn typed(on_error: OnError) -> DecodeOptions {
    DecodeOptions {
        value: Format::Json(Some(parse_schema(SCHEMA).unwrap())),
        unnest: true,
        on_error,
        ..DecodeOptions::default()
    }
}

fn inferred() -> DecodeOptions {
    DecodeOptions {
        value: Format::Json(None),
        infer: Infer::EachTable,
        ..DecodeOptions::default()
    }
}

fn offsets(batch: &RecordBatch) -> Vec<i64> {
    let column = batch.column_by_name("offset").unwrap();
    column.as_primitive::<Int64Type>().values().to_vec()
}

fn value_type(batch: &RecordBatch) -> DataType {
    let schema = batch.schema();
    schema.field_with_name("value").unwrap().data_type().clone()
}

#[test]
fn the_whole_schema_decides_which_records_are_skipped() {
    for names in [
        &["offset", "a", "b"][..],
        &["offset"],
        &["offset", "a"],
        &["offset", "key"],
    ] {
        let options = DecodeOptions {
            columns: Projection::from_names(names, true).unwrap(),
            ..typed(OnError::Skip)
        };
        let table = decode(options, values(&LINES));
        assert_eq!(offsets(&table.batch), [0, 2, 4], "{names:?}");
        assert_eq!(table.skipped, 2);
        assert_eq!(table.batch.num_columns(), names.len());
    }
    let counted = DecodeOptions {
        columns: Projection::none(),
        ..typed(OnError::Skip)
    };
    assert_eq!(decode(counted, values(&LINES)).batch.num_rows(), 3);
}

#[test]
fn a_key_that_is_not_requested_decides_too() {
    let rows = [Row::new("k", "x"), Row::new("", "y")];
    let mut rows = rows.to_vec();
    rows[1].key = Some(vec![0xff]);
    let options = DecodeOptions {
        columns: Projection::of(&[Column::Offset, Column::Value]),
        key: Format::String,
        on_error: OnError::Skip,
        ..DecodeOptions::default()
    };
    let table = decode(options, batch_at(0, Compression::None, &rows));
    assert_eq!(offsets(&table.batch), [0]);
}

#[test]
fn the_whole_schema_decides_which_values_are_null() {
    let options = DecodeOptions {
        columns: Projection::from_names(&["offset", "a"], true).unwrap(),
        ..typed(OnError::Null)
    };
    let table = decode(options, values(&LINES)).batch;
    let a = table.column_by_name("a").unwrap();
    let a: Vec<_> = a.as_primitive::<Int64Type>().iter().collect();
    assert_eq!(a, [Some(0), None, Some(2), None, Some(4)]);
}

#[test]
fn records_before_a_bad_one_are_returned_and_its_bytes_with_the_error() {
    let rows: Vec<_> = LINES.iter().map(|line| Row::new("k", line)).collect();
    for compression in [Compression::None, Compression::Zstd] {
        let bytes = log(&[(compression, &rows[..3]), (compression, &rows[3..])]);
        let (tables, error) = failure(typed(OnError::Raise), bytes.clone());
        assert_eq!(tables.len(), 1);
        assert_eq!(offsets(&tables[0].batch), [0]);
        assert_eq!(error.offset, Offset::new(1));
        let record = error.record.unwrap();
        assert_eq!(record.key.as_deref(), Some(&b"k"[..]));
        assert_eq!(record.value.as_deref(), Some(LINES[1].as_bytes()));
        // The caller continues after it, up to the next bad record, which is the first of its batch.
        let mut decoder = Decoder::new(typed(OnError::Raise)).unwrap();
        let table = decoder
            .decode(&[FetchedBatches::new("t", 0, bytes.clone(), 2)])
            .unwrap();
        assert_eq!((offsets(&table.batch), table.complete), (vec![2], false));
        assert_eq!(table.next_offsets, [Offset::new(3)]);
        let table = decoder
            .decode(&[FetchedBatches::new("t", 0, bytes, 4)])
            .unwrap();
        assert_eq!((offsets(&table.batch), table.complete), (vec![4], true));
    }
}

#[test]
fn the_error_has_the_first_bad_record_whether_its_key_or_its_value_is_bad() {
    let mut rows: Vec<_> = LINES.iter().map(|line| Row::new("k", line)).collect();
    rows[2].key = Some(vec![0xff]);
    let options = DecodeOptions {
        key: Format::String,
        ..typed(OnError::Raise)
    };
    let (_, error) = failure(options, batch_at(0, Compression::None, &rows));
    assert_eq!(error.offset, Offset::new(1));
}

#[test]
fn records_before_a_damaged_batch_are_returned() {
    let rows: Vec<_> = LINES.iter().map(|line| Row::of_value(*line)).collect();
    let whole = log(&[(Compression::None, &rows), (Compression::None, &rows)]);
    for at in [whole.len() / 2 + 20, whole.len() / 2 + 16, whole.len() - 1] {
        let mut bytes = BytesMut::from(whole.as_ref());
        bytes[at] ^= 0x40;
        let (tables, error) = failure(DecodeOptions::default(), bytes.freeze());
        assert_eq!(offsets(&tables[0].batch), [0, 1, 2, 3, 4], "byte {at}");
        assert_eq!(error.offset, Offset::new(5), "byte {at}");
        assert_eq!(error.record, None);
    }
}

#[test]
fn each_table_is_inferred_separately_and_loses_no_key() {
    let mut decoder = Decoder::new(inferred()).unwrap();
    let mut types = Vec::new();
    for lines in [
        &["{}"][..],
        &[r#"{"a":1}"#],
        &[r#"{"a":1.5,"b":[]}"#],
        &["5", "7"],
        &["5", r#"{"a":1}"#],
        &["null"],
    ] {
        let table = decoder
            .decode(&[FetchedBatches::new("t", 0, values(lines), 0)])
            .unwrap();
        let json = table.json.unwrap();
        let texts = json.column_by_name("value").unwrap().as_binary_view();
        let expected: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        assert_eq!(texts.iter().flatten().collect::<Vec<_>>(), expected);
        types.push(value_type(&table.batch).to_string());
    }
    assert_eq!(types[0], "Struct()");
    assert_eq!(types[1], r#"Struct("a": Int64)"#);
    assert_eq!(types[2], r#"Struct("a": Float64, "b": List(Utf8))"#);
    assert_eq!(types[3..], ["Int64", "Utf8", "Null"]);
}

#[test]
fn fixed_formats_decode_any_part_the_same() {
    let lines = [r#"{"a":1}"#, r#"{"a":"x","b":2.5}"#];
    let options = DecodeOptions {
        value: Format::Json(None),
        ..DecodeOptions::default()
    };
    let mut decoder = Decoder::new(options.clone()).unwrap();
    let whole = decoder
        .decode(&[FetchedBatches::new("t", 0, values(&lines), 0)])
        .unwrap();
    let (key, value) = decoder.formats();
    let fixed = DecodeOptions {
        key,
        value,
        ..options
    };
    let first = decode(fixed, values(&lines[..1])).batch;
    assert_eq!(first, whole.batch.slice(0, 1));
    let mut unknown = Decoder::new(DecodeOptions {
        value: Format::Json(None),
        ..DecodeOptions::default()
    })
    .unwrap();
    unknown.fix().unwrap();
    let error = unknown
        .decode(&[FetchedBatches::new("t", 0, values(&lines), 0)])
        .unwrap_err();
    assert!(error.to_string().contains("inferred"), "{error}");
}

#[test]
fn batches_outside_the_time_range_are_skipped() {
    let at = |timestamp_ms| Row {
        timestamp_ms,
        ..Row::of_value("x")
    };
    let bytes = log(&[
        (Compression::None, &[at(10), at(30)]),
        (Compression::None, &[at(5), at(9)]),
    ]);
    let found = |from_ms, until_ms| {
        let options = DecodeOptions {
            timestamps: TimeRange { from_ms, until_ms },
            ..DecodeOptions::default()
        };
        let table = decode(options, bytes.clone());
        assert_eq!(table.next_offsets, [Offset::new(4)]);
        offsets(&table.batch)
    };
    assert_eq!(found(Some(10), None), [0, 1]);
    assert_eq!(found(Some(31), None), [0; 0]);
    // Later records may have earlier timestamps.
    assert_eq!(found(None, Some(1)), [0, 1, 2, 3]);
}
