//! Schemas written as names and dtypes.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, TimeUnit};
use headwater_columnar::{parse_dtype, parse_schema, schema_from_dtypes};

fn field(name: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

#[test]
fn names_of_arrow_numpy_and_polars_are_accepted() {
    let timestamp = |unit, zone: Option<&str>| DataType::Timestamp(unit, zone.map(Into::into));
    let cases = [
        ("int64", DataType::Int64),
        (" Float64 ", DataType::Float64),
        ("bool", DataType::Boolean),
        ("string", DataType::Utf8),
        ("string_view", DataType::Utf8View),
        ("binary", DataType::Binary),
        ("date", DataType::Date32),
        ("timestamp[ms]", timestamp(TimeUnit::Millisecond, None)),
        (
            "timestamp[us, UTC]",
            timestamp(TimeUnit::Microsecond, Some("UTC")),
        ),
        (
            "timestamp[ns, tz=+02:00]",
            timestamp(TimeUnit::Nanosecond, Some("+02:00")),
        ),
        ("datetime64[s]", timestamp(TimeUnit::Second, None)),
        ("Datetime", timestamp(TimeUnit::Microsecond, None)),
        ("time32[ms]", DataType::Time32(TimeUnit::Millisecond)),
        ("duration[s]", DataType::Duration(TimeUnit::Second)),
        ("decimal(10, 2)", DataType::Decimal128(10, 2)),
        (
            "list<int64>",
            DataType::List(field("item", DataType::Int64)),
        ),
        (
            "List[List[bool]]",
            DataType::List(field(
                "item",
                DataType::List(field("item", DataType::Boolean)),
            )),
        ),
        (
            "struct<a b: int64, c: list<string>>",
            DataType::Struct(
                vec![
                    field("a b", DataType::Int64),
                    field("c", DataType::List(field("item", DataType::Utf8))),
                ]
                .into(),
            ),
        ),
    ];
    for (dtype, expected) in cases {
        assert_eq!(parse_dtype(dtype).unwrap(), expected, "{dtype}");
    }
}

#[test]
fn an_invalid_dtype_is_refused_with_the_reason() {
    for (dtype, reason) in [
        ("integr", "is unknown"),
        ("", "a type is missing"),
        ("list<int64", "expected '>'"),
        ("int64 int64", "follows the type"),
        ("timestamp[m]", "not a unit of time"),
        ("decimal(50, 2)", "1 to 38 digits"),
        ("struct<a: int64, a: bool>", "one name"),
        ("struct<: int64>", "no name"),
    ] {
        let message = parse_dtype(dtype).unwrap_err().to_string();
        assert!(
            message.contains(reason) && message.contains("use for example"),
            "{dtype}: {message}"
        );
    }
    let deep = "list<".repeat(100_000);
    assert!(
        parse_dtype(&deep)
            .unwrap_err()
            .to_string()
            .contains("nested too deeply")
    );
}

#[test]
fn a_schema_keeps_the_order_of_its_fields() {
    let schema =
        parse_schema(r#"{"z": "int64", "a": {"y": "bool", "b": ["string"]}, "m": "list<date>"}"#)
            .unwrap();
    let names: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(names, ["z", "a", "m"]);
    let DataType::Struct(inner) = schema.field(1).data_type() else {
        panic!("a struct")
    };
    assert_eq!(
        inner[1].data_type(),
        &DataType::List(field("item", DataType::Utf8))
    );
}

#[test]
fn an_invalid_schema_is_refused() {
    for text in [
        "",
        "[]",
        "{\"a\": 1}",
        "{\"a\": \"int64\"",
        "{\"a\": [\"int64\", \"bool\"]}",
        "{\"a\": \"int64\", \"a\": \"bool\"}",
        "{} x",
    ] {
        assert!(parse_schema(text).is_err(), "{text}");
    }
}

#[test]
fn pairs_of_names_and_dtypes_form_a_schema_in_their_order() {
    let schema = schema_from_dtypes([("b", "int64"), ("a", "list<bool>")]).unwrap();
    assert_eq!(schema.field(0), &Field::new("b", DataType::Int64, true));
    assert_eq!(schema.field(1).name(), "a");
    assert!(schema_from_dtypes([("a", "int64"), ("a", "bool")]).is_err());
    assert!(schema_from_dtypes([("a", "whole number")]).is_err());
}
