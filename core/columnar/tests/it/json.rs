//! JSON values to columns: schemas, inference, errors.

use std::sync::Arc;

use crate::support::{Row, batch_at, decode, refusal, values};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMillisecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_json::ReaderBuilder;
use arrow_schema::{DataType, Field, IntervalUnit, Schema, SchemaRef};
use headwater_columnar::{
    Column, DecodeOptions, Decoder, FetchedBatches, Format, OnError, Projection, parse_schema,
    to_classic,
};
use headwater_record::Compression;
use proptest::prelude::*;

fn json(schema: Option<&str>) -> DecodeOptions {
    DecodeOptions {
        value: Format::Json(schema.map(|schema| parse_schema(schema).unwrap())),
        ..DecodeOptions::default()
    }
}

fn value(batch: &RecordBatch) -> &StructArray {
    batch.column_by_name("value").unwrap().as_struct()
}

fn field<'a>(batch: &'a RecordBatch, name: &str) -> &'a ArrayRef {
    value(batch).column_by_name(name).unwrap()
}

fn texts(array: &ArrayRef) -> Vec<Option<String>> {
    let text = arrow_cast::cast(array, &DataType::Utf8).unwrap();
    text.as_string::<i32>()
        .iter()
        .map(|text| text.map(str::to_owned))
        .collect()
}

fn types(schema: &SchemaRef) -> String {
    let DataType::Struct(fields) = schema.field_with_name("value").unwrap().data_type() else {
        panic!("a struct: {schema}")
    };
    fields
        .iter()
        .map(|field| format!("{}:{}", field.name(), field.data_type()))
        .collect::<Vec<_>>()
        .join(" ")
}

fn inferred(lines: &[&str]) -> String {
    types(&decode(json(None), values(lines)).batch.schema())
}

#[test]
fn a_schema_creates_typed_columns() {
    let options = json(Some(
        r#"{"n": "int64", "x": "float64", "ok": "bool", "s": "string", "day": "date", "t": "timestamp[ms]", "l": ["int32"], "o": {"a": "int8"}, "d": "decimal(6, 2)"}"#,
    ));
    let lines = [
        r#"{"n": 1, "x": 2.5e3, "ok": true, "s": "\u00e9\n\"\ud83d\ude00", "day": "2013-01-31", "t": "2013-01-01T10:00:00.250Z", "l": [1, null, 3], "o": {"a": -7}, "d": 12.5}"#,
        r#"{"o": {}, "n": -9223372036854775808, "x": 3, "unknown": {"deep": [1, {"y": "}"}]}, "l": [], "t": 86400000, "d": "3.25"}"#,
        "null",
    ];
    let batch = decode(options, values(&lines)).batch;
    assert_eq!(
        field(&batch, "n")
            .as_primitive::<Int64Type>()
            .iter()
            .collect::<Vec<_>>(),
        [Some(1), Some(i64::MIN), None]
    );
    assert_eq!(
        field(&batch, "x")
            .as_primitive::<Float64Type>()
            .iter()
            .collect::<Vec<_>>(),
        [Some(2500.0), Some(3.0), None]
    );
    assert_eq!(
        texts(field(&batch, "s")),
        [Some("é\n\"😀".to_owned()), None, None]
    );
    assert_eq!(
        field(&batch, "day")
            .as_primitive::<Date32Type>()
            .iter()
            .collect::<Vec<_>>(),
        [Some(15_736), None, None]
    );
    let times = field(&batch, "t").as_primitive::<TimestampMillisecondType>();
    assert_eq!(
        times.iter().collect::<Vec<_>>(),
        [Some(1_357_034_400_250), Some(86_400_000), None]
    );
    assert_eq!(
        field(&batch, "d")
            .as_primitive::<Decimal128Type>()
            .iter()
            .collect::<Vec<_>>(),
        [Some(1250), Some(325), None]
    );
    let lists = field(&batch, "l").as_list::<i32>();
    assert_eq!(
        (
            lists.value_length(0),
            lists.value_length(1),
            lists.is_null(2)
        ),
        (3, 0, true)
    );
    assert_eq!(
        texts(&field(&batch, "o").as_struct().column(0).clone()),
        [Some("-7".to_owned()), None, None]
    );
    assert_eq!(
        (0..3)
            .map(|row| value(&batch).is_null(row))
            .collect::<Vec<_>>(),
        [false, false, true]
    );
}

#[test]
fn unnest_lifts_the_fields() {
    let options = DecodeOptions {
        unnest: true,
        ..json(Some(r#"{"carrier": "string", "delay": "int64"}"#))
    };
    let mut rows = vec![
        Row::of_value(r#"{"carrier":"UA","delay":3}"#),
        Row::of_value("x"),
    ];
    rows[1].value = None;
    let batch = decode(options, batch_at(0, Compression::None, &rows)).batch;
    let schema = batch.schema();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(
        names,
        [
            "partition",
            "offset",
            "timestamp",
            "key",
            "carrier",
            "delay",
            "headers"
        ]
    );
    assert!(
        batch.column(4).is_null(1),
        "a record without a value has no fields"
    );

    assert!(
        Decoder::new(DecodeOptions {
            unnest: true,
            ..DecodeOptions::default()
        })
        .is_err()
    );
}

#[test]
fn other_fields_are_not_read() {
    let columns = Projection::from_names(&["offset", "b"], true).unwrap();
    for schema in [Some(r#"{"a": "int64", "b": "int64"}"#), None] {
        let options = DecodeOptions {
            columns: columns.clone(),
            unnest: true,
            ..json(schema)
        };
        let batch = decode(options, values(&[r#"{"a": [1], "b": 5}"#])).batch;
        let schema = batch.schema();
        assert_eq!(
            schema
                .fields()
                .iter()
                .map(|field| field.name().as_str())
                .collect::<Vec<_>>(),
            ["offset", "b"]
        );
        assert_eq!(batch.column(1).as_primitive::<Int64Type>().value(0), 5);
    }
    let unknown = DecodeOptions {
        columns: Projection::from_names(&["c"], true).unwrap(),
        unnest: true,
        ..json(Some(r#"{"a": "int64"}"#))
    };
    assert_eq!(
        Decoder::new(unknown).unwrap_err().to_string(),
        "the value has no field \"c\"; its fields are a"
    );
}

#[test]
fn inference_widens_and_ends_at_text() {
    assert_eq!(
        inferred(&[r#"{"a":1,"b":true}"#, r#"{"b":null,"a":2,"c":"x"}"#]),
        "a:Int64 b:Boolean c:Utf8"
    );
    assert_eq!(
        inferred(&[r#"{"a":1}"#, r#"{"a":2.5}"#, r#"{"a":null}"#]),
        "a:Float64"
    );
    assert_eq!(
        inferred(&[r#"{"a":1}"#, r#"{"a":"x"}"#, r#"{"a":2.5}"#]),
        "a:Utf8"
    );
    assert_eq!(
        inferred(&[r#"{"a":18446744073709551615}"#]),
        "a:Utf8",
        "integers beyond 64 bits are lossless"
    );
    let large = r#"{"a":9007199254740993}"#;
    for lines in [[large, r#"{"a":0.5}"#], [r#"{"a":0.5}"#, large]] {
        assert_eq!(inferred(&lines), "a:Utf8", "a float would round it");
    }
    assert_eq!(inferred(&[large, r#"{"a":1}"#]), "a:Int64");
    assert_eq!(
        inferred(&[r#"{"a":-9007199254740992}"#, r#"{"a":0.5}"#]),
        "a:Float64"
    );
    assert_eq!(
        inferred(&[r#"{"a":null,"b":[],"c":{}}"#]),
        "a:Utf8 b:List(Utf8) c:Utf8"
    );
    assert_eq!(
        inferred(&[r#"{"a":{"x":1}}"#, r#"{"a":{"y":[1,2.0]}}"#]),
        r#"a:Struct("x": Int64, "y": List(Float64))"#
    );
    assert_eq!(
        inferred(&[r#"{"a":[{"x":1}]}"#, r#"{"a":{"x":1}}"#]),
        "a:Utf8"
    );
}

#[test]
fn fields_widened_to_text_keep_the_text_of_other_values() {
    let lines = [
        r#"{"a":"x"}"#,
        r#"{"a":1.50}"#,
        r#"{"a":{"b": [1]}}"#,
        r#"{"a":true}"#,
        r#"{"a":null}"#,
    ];
    let batch = decode(json(None), values(&lines)).batch;
    let expected = ["x", "1.50", r#"{"b": [1]}"#, "true"].map(|text| Some(text.to_owned()));
    assert_eq!(texts(field(&batch, "a"))[..4], expected);
    assert!(field(&batch, "a").is_null(4));
}

#[test]
fn the_schema_is_fixed_by_the_first_records() {
    let mut decoder = Decoder::new(DecodeOptions {
        infer: headwater_columnar::Infer::First(2),
        ..json(None)
    })
    .unwrap();
    assert_eq!(decoder.schema(), None);
    let nothing = decoder.decode(&[]).unwrap();
    assert_eq!(
        nothing
            .batch
            .schema()
            .field_with_name("value")
            .unwrap()
            .data_type(),
        &DataType::Null
    );
    let first = decoder
        .decode(&[FetchedBatches::new(
            "t",
            0,
            values(&[r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3,"late":1}"#]),
            0,
        )])
        .unwrap();
    assert_eq!(types(&decoder.schema().unwrap()), "a:Int64");
    assert_eq!(first.batch.schema(), decoder.schema().unwrap());
    let error = decoder
        .decode(&[FetchedBatches::new(
            "t",
            0,
            values(&[r#"{"a":1}"#, r#"{"a":1.5}"#]),
            1,
        )])
        .unwrap_err();
    let message = error.to_string();
    assert!(
        message.starts_with("offset 1 of t-0: the value does not fit the schema")
            && message.contains("pass one that fits all"),
        "{message}"
    );
    assert_eq!(
        decoder.decode(&[]).unwrap().batch.schema(),
        decoder.schema().unwrap(),
        "it can be used again"
    );
}

#[test]
fn a_value_that_does_not_fit_is_raised_null_or_skipped() {
    let schema = Some(r#"{"a": "int8", "b": "string"}"#);
    let bad = [
        "",
        "{",
        "[1]",
        "5",
        "nul",
        r#"{"a":1}x"#,
        r#"{"a":1,}"#,
        r#"{"a":01}"#,
        r#"{"a":128}"#,
        r#"{"a":1.5}"#,
        r#"{"a":"1"}"#,
        r#"{"b":1}"#,
        r#"{"b":"\x"}"#,
        "{\"b\":\"\n\"}",
        r#"{"b":"\u12"}"#,
        r#"{"a" 1}"#,
        r#"{"c":[}"#,
        r#"{"c":tru}"#,
        r#"{"c":1e}"#,
        "{\"b\":\"x",
    ];
    for bad in bad {
        let lines = [r#"{"a":1,"b":"x"}"#, bad, r#"{"a":1.0,"b":"y"}"#];
        let options = |on_error| DecodeOptions {
            on_error,
            ..json(schema)
        };
        let message = refusal(options(OnError::Raise), values(&lines));
        assert!(
            message.starts_with("offset 1 of t-0: the value ") && message.contains("on_error"),
            "{bad}: {message}"
        );
        let batch = decode(options(OnError::Null), values(&lines)).batch;
        assert_eq!(
            (0..3)
                .map(|row| value(&batch).is_null(row))
                .collect::<Vec<_>>(),
            [false, true, false],
            "{bad}"
        );
        assert_eq!(
            texts(field(&batch, "b")),
            [Some("x".to_owned()), None, Some("y".to_owned())],
            "{bad}"
        );
        let skipped = decode(options(OnError::Skip), values(&lines));
        assert_eq!((skipped.batch.num_rows(), skipped.skipped), (2, 1), "{bad}");
    }
}

#[test]
fn invalid_utf8_is_not_json() {
    let rows = [Row::of_value(
        [&b"{\"a\":\""[..], &[0xff, 0xfe], b"\"}"].concat(),
    )];
    let message = refusal(
        json(Some(r#"{"a": "string"}"#)),
        batch_at(0, Compression::None, &rows),
    );
    assert!(message.contains("UTF-8"), "{message}");
}

#[test]
fn deep_nesting_is_refused_without_a_stack_overflow() {
    let deep = "[".repeat(900_000);
    for options in [json(None), json(Some(r#"{"a": "int64"}"#))] {
        for text in [deep.clone(), format!("{{\"x\":{deep}")] {
            assert!(refusal(options.clone(), values(&[&text])).contains("offset 0"));
        }
    }
}

#[test]
fn the_last_of_two_equal_keys_counts_and_escaped_keys_are_found() {
    let lines = [
        r#"{"a":"long first","a":"x","b":1}"#,
        r#"{"b":2,"\u0061":"y"}"#,
        r#"{"a":null,"a":"z","a":null}"#,
    ];
    let batch = decode(
        json(Some(r#"{"a": "string", "b": "int64"}"#)),
        values(&lines),
    )
    .batch;
    assert_eq!(
        texts(field(&batch, "a")),
        [Some("x".to_owned()), Some("y".to_owned()), None]
    );
}

#[test]
fn keys_can_be_json_too() {
    let options = DecodeOptions {
        key: Format::Json(None),
        ..DecodeOptions::default()
    };
    let batch = decode(
        options,
        batch_at(0, Compression::None, &[Row::new(r#"{"id": 4}"#, "v")]),
    )
    .batch;
    assert_eq!(
        batch
            .column_by_name("key")
            .unwrap()
            .as_struct()
            .column(0)
            .as_primitive::<Int64Type>()
            .value(0),
        4
    );
}

#[test]
fn an_arrow_schema_is_used_unchanged_and_types_without_json_are_refused() {
    let fields = vec![
        Field::new("large", DataType::LargeUtf8, false),
        Field::new(
            "code",
            DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8)),
            true,
        ),
        Field::new("small", DataType::Float32, true),
        Field::new(
            "items",
            DataType::LargeList(Arc::new(Field::new("element", DataType::UInt16, true))),
            true,
        ),
    ];
    let schema = Arc::new(Schema::new(fields.clone()));
    let options = DecodeOptions {
        value: Format::Json(Some(schema)),
        ..DecodeOptions::default()
    };
    let batch = decode(
        options,
        values(&[
            r#"{"large":"x","code":"UA","small":0.5,"items":[1]}"#,
            "null",
        ]),
    )
    .batch;
    for (index, wanted) in fields.iter().enumerate() {
        assert_eq!(value(&batch).column(index).data_type(), wanted.data_type());
        assert!(value(&batch).column(index).is_null(1));
    }
    let refused = Arc::new(Schema::new(vec![Field::new(
        "b",
        DataType::Interval(IntervalUnit::DayTime),
        true,
    )]));
    let message = Decoder::new(DecodeOptions {
        value: Format::Json(Some(refused)),
        ..DecodeOptions::default()
    })
    .unwrap_err()
    .to_string();
    assert!(
        message.contains("field \"b\" has type Interval(DayTime)")
            && message.contains("use \"string\""),
        "{message}"
    );
}

#[test]
fn several_threads_have_the_same_result_as_one() {
    let lines: Vec<Row> = (0..20_000)
        .map(|n| {
            if n == 15_000 {
                Row::of_value("bad")
            } else {
                Row::of_value(format!(r#"{{"n":{n},"s":"value {n}"}}"#))
            }
        })
        .collect();
    let bytes = batch_at(0, Compression::None, &lines);
    let options = |max_threads, on_error| DecodeOptions {
        max_threads,
        on_error,
        ..json(None)
    };
    let one = decode(options(1, OnError::Null), bytes.clone()).batch;
    assert_eq!(decode(options(4, OnError::Null), bytes.clone()).batch, one);
    assert!(refusal(options(4, OnError::Raise), bytes).starts_with("offset 15000 of t-0"));
}

fn any_json(depth: u32) -> BoxedStrategy<serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON has no infinity", |x| x.is_finite())
            .prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(depth, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-d\"\\\\é]{1,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
    .boxed()
}

proptest! {
    #[test]
    fn a_text_is_json_if_and_only_if_serde_accepts_it(text in "[\\[\\]{}:,\"\\\\u0-9eE+.\\- tfnrualse]{0,12}") {
        let wrapped = format!("{{\"a\":{text}}}");
        let expected = serde_json::from_str::<serde_json::Value>(&wrapped);
        // A number beyond the range of doubles is still a number; a lone surrogate becomes U+FFFD.
        let lenient = expected.as_ref().is_err_and(|error| error.to_string().contains("number out of range") || error.to_string().contains("surrogate") || error.to_string().contains("hex escape"));
        let ours = Decoder::new(json(Some(r#"{"b": "int64"}"#))).unwrap().decode(&[FetchedBatches::new("t", 0, values(&[&wrapped]), 0)]);
        prop_assert!(lenient || ours.is_ok() == expected.is_ok(), "{wrapped}: {ours:?} {expected:?}");
    }

    #[test]
    fn objects_are_read_as_arrow_json_reads_them(
        rows in proptest::collection::vec((any::<Option<i64>>(), proptest::option::of(-1e300f64..1e300), any::<Option<bool>>(), any::<Option<String>>(), any::<Option<Vec<i64>>>(), any::<Option<Option<i64>>>()), 1..30),
        shuffle: bool,
    ) {
        let lines: Vec<String> = rows.iter().map(|(i, x, b, s, l, o)| {
            let o = o.map(|inner| serde_json::json!({"inner": inner}));
            let mut parts = [format!("\"i\":{}", serde_json::json!(i)), format!("\"x\":{}", serde_json::json!(x)), format!("\"b\":{}", serde_json::json!(b)),
                format!("\"s\":{}", serde_json::json!(s)), format!("\"l\":{}", serde_json::json!(l)), format!("\"o\":{}", serde_json::json!(o))];
            if shuffle { parts.reverse(); }
            format!("{{{}}}", parts.join(","))
        }).collect();
        let schema = parse_schema(r#"{"i": "int64", "x": "float64", "b": "bool", "s": "string", "l": ["int64"], "o": {"inner": "int64"}}"#).unwrap();
        let options = DecodeOptions { columns: Projection::of(&[Column::Value]), unnest: true, value: Format::Json(Some(schema)), ..DecodeOptions::default() };
        let refs: Vec<&str> = lines.iter().map(String::as_str).collect();
        let ours = to_classic(&decode(options, values(&refs)).batch).unwrap();
        let mut theirs = ReaderBuilder::new(ours.schema()).with_batch_size(lines.len()).build_decoder().unwrap();
        theirs.decode(lines.join("\n").as_bytes()).unwrap();
        prop_assert_eq!(&ours, &theirs.flush().unwrap().unwrap());
    }

    #[test]
    fn all_values_can_be_read_with_the_type_inferred_from_them(rows in proptest::collection::vec(any_json(4), 1..8)) {
        let lines: Vec<String> = rows.iter().map(|row| serde_json::json!({"v": row}).to_string()).collect();
        let refs: Vec<&str> = lines.iter().map(String::as_str).collect();
        let once = decode(json(None), values(&refs)).batch;
        prop_assert_eq!(once.num_rows(), rows.len());
        prop_assert_eq!(&decode(json(None), values(&refs)).batch, &once, "deterministic");
        for (row, value) in rows.iter().enumerate() {
            prop_assert_eq!(field(&once, "v").is_null(row), value.is_null());
        }
    }
}
