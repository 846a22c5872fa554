//! Fields that the type of JSON does not name: the rest, and reports of new ones.

use arrow_array::cast::AsArray;
use arrow_array::{self as arrow, Array};
use bytes::Bytes;
use headwater_columnar::{
    DecodeOptions, Decoded, Decoder, FetchedBatches, Format, Infer, OnError, Projection,
    parse_schema,
};
use headwater_record::Compression;
use proptest::prelude::*;
use rstest::rstest;

use crate::support::{Row, batch_at, decode, values};

fn options(schema: Option<&str>) -> DecodeOptions {
    DecodeOptions {
        value: Format::Json(schema.map(|schema| parse_schema(schema).unwrap())),
        unnest: true,
        rest: Some("rest".to_owned()),
        infer: Infer::First(1),
        ..DecodeOptions::default()
    }
}

fn rest(batch: &arrow::RecordBatch) -> Vec<Option<String>> {
    let column = batch.column_by_name("rest").unwrap().as_string::<i32>();
    column.iter().map(|text| text.map(str::to_owned)).collect()
}

fn reported(decoded: &Decoded) -> Vec<(&str, i64)> {
    let fields = decoded.new_fields.iter();
    fields
        .map(|field| (field.name.as_str(), field.offset.get()))
        .collect()
}

const LINES: [&str; 6] = [
    r#"{"a":1,"o":{"x":1},"l":[{"y":1}]}"#,
    r#"{ "b" : [1, 2] , "a":2, "c":"\u0041\"" }"#,
    r#"{"a":3,"o":{"x":2,"z":3},"l":[{"y":2}]}"#,
    r#"{"o":{"x":3},"l":[{"y":3},{"y":4,"w":null}],"a":4}"#,
    "{}",
    r#"{"a":5,"b":6,"\u0062":7}"#,
];

fn expected() -> Vec<Option<String>> {
    [
        None,
        Some(r#"{"b":[1, 2],"c":"\u0041\""}"#),
        Some(r#"{"o":{"x":2,"z":3}}"#),
        Some(r#"{"l":[{"y":3},{"y":4,"w":null}]}"#),
        None,
        Some(r#"{"b":6,"\u0062":7}"#),
    ]
    .map(|text| text.map(str::to_owned))
    .to_vec()
}

#[rstest]
#[case::inferred(None)]
#[case::declared(Some(r#"{"a": "int64", "o": {"x": "int64"}, "l": [{"y": "int64"}]}"#))]
fn the_rest_is_what_the_type_does_not_name(#[case] schema: Option<&str>) {
    for on_error in [OnError::Raise, OnError::Null, OnError::Skip] {
        let options = DecodeOptions {
            on_error,
            ..options(schema)
        };
        assert_eq!(rest(&decode(options, values(&LINES)).batch), expected());
    }
}

#[test]
fn the_rest_does_not_depend_on_the_columns_that_are_read() {
    for names in [&["rest"][..], &["a", "rest"], &["rest", "offset"]] {
        for on_error in [OnError::Raise, OnError::Null] {
            let options = DecodeOptions {
                columns: Projection::from_names(names, true).unwrap(),
                on_error,
                ..options(Some(
                    r#"{"a": "int64", "o": {"x": "int64"}, "l": [{"y": "int64"}]}"#,
                ))
            };
            let rest = rest(&decode(options, values(&LINES)).batch);
            assert_eq!(rest, expected(), "{names:?}");
        }
    }
}

#[test]
fn the_rest_is_a_field_of_a_value_that_is_not_unnested() {
    let options = DecodeOptions {
        unnest: false,
        ..options(Some(r#"{"a": "int64"}"#))
    };
    let batch = decode(options, values(&[r#"{"a":1,"b":2}"#, "null"])).batch;
    let value = batch.column_by_name("value").unwrap().as_struct();
    let rest = value.column_by_name("rest").unwrap().as_string::<i32>();
    assert_eq!(rest.value(0), r#"{"b":2}"#);
    assert!(value.is_null(1) && rest.is_null(1));
}

#[test]
fn bad_values_have_no_rest() {
    let lines = [
        r#"{"a":1,"b":2}"#,
        r#"{"b":3,"a":"x"}"#,
        r#"{"b":4,"#,
        r#"{"b":5}"#,
    ];
    let read = |on_error| {
        let options = DecodeOptions {
            on_error,
            ..options(Some(r#"{"a": "int64"}"#))
        };
        rest(&decode(options, values(&lines)).batch)
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        read(OnError::Null),
        [text(r#"{"b":2}"#), None, None, text(r#"{"b":5}"#)]
    );
    assert_eq!(
        read(OnError::Skip),
        [text(r#"{"b":2}"#), text(r#"{"b":5}"#)]
    );
    assert_eq!(read(OnError::Raise), [text(r#"{"b":2}"#)]);
}

#[test]
fn a_new_field_is_reported_once_with_the_first_offset() {
    let mut decoder = Decoder::new(options(None)).unwrap();
    let mut read = |base: i64, lines: &[&str]| {
        let rows: Vec<Row> = lines.iter().map(|line| Row::of_value(*line)).collect();
        let bytes = batch_at(base, Compression::None, &rows);
        decoder
            .decode(&[FetchedBatches::new("t", 3, bytes, base)])
            .unwrap()
    };
    let first = read(0, &LINES);
    assert_eq!(
        reported(&first),
        [("b", 1), ("c", 1), ("o.z", 2), ("l.w", 3)]
    );
    let field = &first.new_fields[0];
    assert_eq!(
        (field.column, &*field.topic, field.partition.get()),
        ("value", "t", 3)
    );
    let second = read(6, &[r#"{"b":1}"#, r#"{"d":1,"b":2}"#]);
    assert_eq!(reported(&second), [("d", 7)]);
}

#[test]
fn only_new_fields_of_inferred_types_are_reported() {
    let declared = decode(options(Some(r#"{"a": "int64"}"#)), values(&LINES));
    assert_eq!(reported(&declared), []);
    let each_table = DecodeOptions {
        infer: Infer::EachTable,
        rest: None,
        ..options(None)
    };
    assert_eq!(reported(&decode(each_table, values(&LINES))), []);
    // Fields that are known and not read are not new.
    let some = DecodeOptions {
        columns: Projection::from_names(&["a"], true).unwrap(),
        ..options(None)
    };
    assert_eq!(
        reported(&decode(some, values(&LINES))),
        [("b", 1), ("c", 1)]
    );
    let none = DecodeOptions {
        columns: Projection::from_names(&["offset"], true).unwrap(),
        ..options(None)
    };
    assert_eq!(reported(&decode(none, values(&LINES))), []);
}

#[test]
fn records_before_an_error_keep_their_reports() {
    let lines = [r#"{"a":1}"#, r#"{"a":1,"b":2}"#, "no JSON"];
    let table = decode(options(None), values(&lines));
    assert!(!table.complete);
    assert_eq!(reported(&table), [("b", 1)]);
}

#[test]
fn the_number_of_reports_is_limited() {
    let wide: Vec<String> = (0..300)
        .map(|number| format!("\"f{number}\":{number}"))
        .collect();
    let wide = format!("{{{}}}", wide.join(","));
    let table = decode(options(None), values(&["{}", &wide]));
    assert_eq!(table.new_fields.len(), 100);
    assert_eq!(rest(&table.batch)[1], Some(wide));
}

#[rstest]
#[case::a_field(Some(r#"{"rest": "int64"}"#), "rest", "the value has a field \"rest\"")]
#[case::a_column(Some(r#"{"a": "int64"}"#), "topic", "the name of a record column")]
#[case::a_prefixed_field(Some(r#"{"key": "int64"}"#), "json_key", "two columns \"json_key\"")]
fn a_name_of_the_rest_that_is_taken_is_refused(
    #[case] schema: Option<&str>,
    #[case] name: &str,
    #[case] reason: &str,
) {
    let options = DecodeOptions {
        rest: Some(name.to_owned()),
        ..options(schema)
    };
    let message = Decoder::new(options).unwrap_err().to_string();
    assert!(message.contains(reason), "{message}");
}

#[test]
fn a_rest_that_would_always_be_empty_is_refused() {
    let refusal = |options| Decoder::new(options).unwrap_err().to_string();
    let each_table = DecodeOptions {
        infer: Infer::EachTable,
        ..options(None)
    };
    assert!(refusal(each_table).contains("pass a schema"));
    let bytes = DecodeOptions {
        value: Format::Bytes,
        unnest: false,
        ..options(None)
    };
    assert!(refusal(bytes).contains("pass value=\"json\""));
}

/// Objects of small integers with keys from a small set.
fn objects() -> impl Strategy<Value = Vec<Vec<(usize, i64)>>> {
    prop::collection::vec(prop::collection::vec((0_usize..6, 0_i64..100), 0..6), 1..40)
}

proptest! {
    /// The fields of the type and those of the rest are together the fields of the object.
    #[test]
    fn nothing_is_lost(objects in objects(), named in prop::collection::btree_set(0_usize..6, 0..6)) {
        let key = |key: usize| format!("k{key}");
        let schema: serde_json::Map<String, serde_json::Value> =
            named.iter().map(|name| (key(*name), "int64".into())).collect();
        let text = |pairs: &[(usize, i64)]| {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("\"{}\":{value}", key(*name))).collect();
            format!("{{{}}}", pairs.join(","))
        };
        let lines: Vec<String> = objects.iter().map(|pairs| text(pairs)).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let schema = serde_json::to_string(&schema).unwrap();
        let batch = decode(options(Some(&schema)), values(&lines)).batch;
        for (row, (pairs, rest)) in objects.iter().zip(rest(&batch)).enumerate() {
            let unnamed: Vec<_> = pairs.iter().filter(|(name, _)| !named.contains(name)).copied().collect();
            prop_assert_eq!(rest, (!unnamed.is_empty()).then(|| text(&unnamed)));
            for name in &named {
                let column = batch.column_by_name(&key(*name)).unwrap().as_primitive::<arrow_array::types::Int64Type>();
                let last = pairs.iter().rev().find(|(other, _)| other == name);
                prop_assert_eq!(column.is_valid(row).then(|| column.value(row)), last.map(|(_, value)| *value));
            }
        }
    }
}

#[test]
fn many_rows_on_several_threads_report_the_first_row() {
    let lines: Vec<String> = (0..20_000)
        .map(|row| match row {
            0 => "{\"a\":1}".to_owned(),
            row if row >= 12_345 => format!("{{\"a\":{row},\"b\":{row}}}"),
            row => format!("{{\"a\":{row}}}"),
        })
        .collect();
    let rows: Vec<Row> = lines
        .iter()
        .map(|line| Row::of_value(line.as_str()))
        .collect();
    let bytes: Bytes = batch_at(0, Compression::None, &rows);
    let options = DecodeOptions {
        max_threads: 4,
        ..options(None)
    };
    let table = decode(options, bytes);
    assert_eq!(reported(&table), [("b", 12_345)]);
    assert_eq!(rest(&table.batch)[12_345], Some("{\"b\":12345}".to_owned()));
}
