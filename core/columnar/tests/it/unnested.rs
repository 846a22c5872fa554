//! The columns of unnested fields.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use headwater_columnar::{
    Column, DecodeOptions, Decoder, Format, Infer, OnError, Projection, parse_schema,
};
use rstest::rstest;

use crate::support::{decode, refusal, values};

const LINE: &str = r#"{"timestamp":1,"key":2,"offset":3,"partition":4,"headers":5,"topic":6,"leader_epoch":7,"value":8,"a":9}"#;

fn unnested(schema: Option<&str>) -> DecodeOptions {
    DecodeOptions {
        value: Format::Json(schema.map(|schema| parse_schema(schema).unwrap())),
        unnest: true,
        ..DecodeOptions::default()
    }
}

const ALL_FIELDS: &str = r#"{"timestamp":"int64","key":"int64","offset":"int64","partition":"int64","headers":"int64",
    "topic":"int64","leader_epoch":"int64","value":"int64","a":"int64"}"#;

/// The numbers of the fields' columns, by name.
fn fields(options: DecodeOptions) -> Vec<(String, i64)> {
    let batch = decode(options, values(&[LINE])).batch;
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    columns
        .filter(|(field, _)| {
            field.name().starts_with("json_") || ["value", "a"].contains(&&**field.name())
        })
        .map(|(field, column)| {
            (
                field.name().clone(),
                column.as_primitive::<Int64Type>().value(0),
            )
        })
        .collect()
}

#[rstest]
#[case::declared(Some(ALL_FIELDS))]
#[case::inferred(None)]
fn fields_with_the_name_of_a_record_column_have_a_prefix(#[case] schema: Option<&str>) {
    let expected = [
        ("json_timestamp", 1),
        ("json_key", 2),
        ("json_offset", 3),
        ("json_partition", 4),
        ("json_headers", 5),
        ("json_topic", 6),
        ("json_leader_epoch", 7),
        ("value", 8),
        ("a", 9),
    ]
    .map(|(name, number)| (name.to_owned(), number));
    assert_eq!(fields(unnested(schema)), expected);
    // The names do not depend on the columns that are read, nor on the handling of errors.
    for on_error in [OnError::Raise, OnError::Null, OnError::Skip] {
        let columns = Projection::from_names(&["json_offset", "a"], true).unwrap();
        let options = DecodeOptions {
            columns,
            on_error,
            ..unnested(schema)
        };
        assert_eq!(
            fields(options),
            [("json_offset".to_owned(), 3), ("a".to_owned(), 9)]
        );
    }
}

#[test]
fn narrowed_columns_have_the_same_names() {
    let all = Projection::default();
    let narrowed = all.narrowed(&["offset", "json_offset"], true);
    assert!(narrowed.contains(Column::Offset) && !narrowed.contains(Column::Key));
    let options = DecodeOptions {
        columns: narrowed,
        ..unnested(None)
    };
    assert_eq!(fields(options), [("json_offset".to_owned(), 3)]);
}

#[test]
fn the_prefix_can_be_chosen() {
    let options = DecodeOptions {
        unnest_prefix: "event.".to_owned(),
        ..unnested(Some(r#"{"timestamp": "int64"}"#))
    };
    let schema = Decoder::new(options).unwrap().schema().unwrap();
    assert!(schema.field_with_name("event.timestamp").is_ok());
}

#[rstest]
#[case::no_prefix(r#"{"offset": "int64"}"#, "", "\"offset\"")]
#[case::taken(
    r#"{"offset": "int64", "json_offset": "int64"}"#,
    "json_",
    "\"json_offset\""
)]
fn a_name_that_is_taken_is_refused(#[case] schema: &str, #[case] prefix: &str, #[case] name: &str) {
    let options = DecodeOptions {
        unnest_prefix: prefix.to_owned(),
        ..unnested(Some(schema))
    };
    let message = Decoder::new(options).unwrap_err().to_string();
    assert!(
        message.contains(name) && message.contains("choose another unnest_prefix"),
        "{message}"
    );
    let late = DecodeOptions {
        unnest_prefix: prefix.to_owned(),
        infer: Infer::First(10),
        ..unnested(None)
    };
    let line = r#"{"offset": 1, "json_offset": 2}"#;
    assert!(refusal(late, values(&[line])).contains("choose another unnest_prefix"));
}
