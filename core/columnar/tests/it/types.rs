//! Every Arrow type round trips to the same values, or is refused with the column and the row.

use std::sync::Arc;

use arrow_array::builder::{
    FixedSizeBinaryBuilder, Int64Builder, ListBuilder, MapBuilder, NullBuilder, StringBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Decimal256Array, DictionaryArray,
    DurationSecondArray, FixedSizeListArray, Float32Array, Float64Array, Int32Array, Int64Array,
    IntervalYearMonthArray, NullArray, RecordBatch, RunArray, StringArray, StructArray,
    UInt64Array, new_null_array,
};
use arrow_buffer::i256;
use arrow_schema::{DataType, Field, IntervalUnit, Schema, TimeUnit};
use headwater_columnar::{
    DecodeOptions, Decoder, EncodeError, EncodeOptions, Encoder, FetchedBatches, Format,
    KeyValueColumns,
};

use crate::support::decode;

const NAME: &str = "c";

fn cast(array: &dyn Array, data_type: &DataType) -> ArrayRef {
    arrow_cast::cast(array, data_type).unwrap()
}

fn table(array: ArrayRef) -> RecordBatch {
    let field = Field::new(NAME, array.data_type().clone(), true);
    RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![array]).unwrap()
}

fn encode(array: ArrayRef, columns: &KeyValueColumns) -> Result<bytes::Bytes, EncodeError> {
    let mut encoder = Encoder::new(EncodeOptions::default());
    let mut bytes = Vec::new();
    for batch in encoder.encode(&table(array), columns)? {
        bytes.extend_from_slice(&batch?.bytes);
    }
    Ok(bytes.into())
}

/// The column after it was packed as JSON and read with its own type as the schema.
fn through_json(array: &ArrayRef) -> ArrayRef {
    let bytes = encode(array.clone(), &KeyValueColumns::default()).unwrap();
    let field = Field::new(NAME, array.data_type().clone(), true);
    let options = DecodeOptions {
        value: Format::Json(Some(Arc::new(Schema::new(vec![field])))),
        unnest: true,
        ..DecodeOptions::default()
    };
    let batch = decode(options, bytes).batch;
    batch.column_by_name(NAME).unwrap().clone()
}

/// The keys from the column, as text.
fn as_keys(array: &ArrayRef) -> Vec<Option<String>> {
    let columns = KeyValueColumns {
        key: Some(NAME.into()),
        ..KeyValueColumns::default()
    };
    let options = DecodeOptions {
        key: Format::Bytes,
        ..DecodeOptions::default()
    };
    let batch = decode(options, encode(array.clone(), &columns).unwrap()).batch;
    let keys = cast(batch.column_by_name("key").unwrap(), &DataType::Binary);
    let text = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
    keys.as_binary::<i32>()
        .iter()
        .map(|key| key.map(text))
        .collect()
}

/// A column of each type with some of its extreme values and a null in the middle, with the expected keys.
fn all_types() -> Vec<(ArrayRef, [Option<&'static str>; 3])> {
    let mut all = integers_and_floats();
    all.extend(decimals());
    all.extend(times());
    all.extend(text_and_bytes());
    all.extend(nested());
    all
}

type Case = (ArrayRef, [Option<&'static str>; 3]);

fn integers_and_floats() -> Vec<Case> {
    use DataType as D;
    let mut cases: Vec<Case> = vec![
        (Arc::new(NullArray::new(3)), [None, None, None]),
        (
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
            [Some("true"), None, Some("false")],
        ),
        (
            Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)])),
            [
                Some("-9223372036854775808"),
                None,
                Some("9223372036854775807"),
            ],
        ),
        (
            Arc::new(UInt64Array::from(vec![Some(0), None, Some(u64::MAX)])),
            [Some("0"), None, Some("18446744073709551615")],
        ),
        (
            Arc::new(Float64Array::from(vec![Some(-0.1), None, Some(f64::MAX)])),
            [Some("-0.1"), None, Some("1.7976931348623157e308")],
        ),
        (
            Arc::new(Float32Array::from(vec![
                Some(0.1),
                None,
                Some(f32::MIN_POSITIVE),
            ])),
            [Some("0.1"), None, Some("1.1754944e-38")],
        ),
    ];
    let small = Int64Array::from(vec![Some(7), None, Some(100)]);
    for data_type in [D::Int8, D::Int16, D::Int32, D::UInt8, D::UInt16, D::UInt32] {
        cases.push((cast(&small, &data_type), [Some("7"), None, Some("100")]));
    }
    cases.push((
        cast(&small, &D::Float16),
        [Some("7.0"), None, Some("100.0")],
    ));
    cases
}

fn decimals() -> Vec<Case> {
    let decimal = Decimal128Array::from(vec![Some(-1_250), None, Some(5)])
        .with_precision_and_scale(9, 3)
        .unwrap();
    let text = [Some("-1.250"), None, Some("0.005")];
    let wide = Decimal256Array::from(vec![
        Some(i256::MAX / i256::from(10)),
        None,
        Some(i256::ONE),
    ])
    .with_precision_and_scale(76, 0)
    .unwrap();
    let digits = "5789604461865809771178549250434395392663499233282028201972879200395656481996";
    vec![
        (cast(&decimal, &DataType::Decimal32(9, 3)), text),
        (cast(&decimal, &DataType::Decimal64(9, 3)), text),
        (Arc::new(decimal), text),
        (Arc::new(wide), [Some(digits), None, Some("1")]),
    ]
}

fn times() -> Vec<Case> {
    use DataType as D;
    let integers = |first, last| Int64Array::from(vec![Some(first), None, Some(last)]);
    let days = cast(
        &Int32Array::from(vec![Some(-719_162), None, Some(2_932_896)]),
        &D::Date32,
    );
    let mut cases: Vec<Case> = vec![
        (
            cast(&days, &D::Date64),
            [Some("0001-01-01"), None, Some("9999-12-31")],
        ),
        (days, [Some("0001-01-01"), None, Some("9999-12-31")]),
        (
            cast(
                &integers(0, 86_399_999_999_999),
                &D::Time64(TimeUnit::Nanosecond),
            ),
            [Some("00:00:00"), None, Some("23:59:59.999999999")],
        ),
        (
            cast(
                &integers(1, 86_399_999_999),
                &D::Time64(TimeUnit::Microsecond),
            ),
            [Some("00:00:00.000001"), None, Some("23:59:59.999999")],
        ),
    ];
    let seconds = cast(&integers(0, 86_399), &D::Int32);
    let day = [Some("00:00:00"), None, Some("23:59:59")];
    cases.push((cast(&seconds, &D::Time32(TimeUnit::Second)), day));
    cases.push((
        cast(
            &cast(&seconds, &D::Time32(TimeUnit::Second)),
            &D::Time32(TimeUnit::Millisecond),
        ),
        day,
    ));
    for (unit, per) in [
        (TimeUnit::Second, 1),
        (TimeUnit::Millisecond, 1_000),
        (TimeUnit::Microsecond, 1_000_000),
        (TimeUnit::Nanosecond, 1_000_000_000),
    ] {
        let plain = cast(&integers(-per, 5 * per), &D::Timestamp(unit, None));
        cases.push((
            plain,
            [
                Some("1969-12-31T23:59:59"),
                None,
                Some("1970-01-01T00:00:05"),
            ],
        ));
        let zoned = D::Timestamp(unit, Some("+02:00".into()));
        let utc = [
            Some("1969-12-31T23:59:59Z"),
            None,
            Some("1970-01-01T00:00:05Z"),
        ];
        cases.push((
            cast(
                &cast(
                    &integers(-per, 5 * per),
                    &D::Timestamp(unit, Some("UTC".into())),
                ),
                &zoned,
            ),
            utc,
        ));
        let durations = cast(&integers(-per, 100_000 * per), &D::Duration(unit));
        cases.push((durations, [Some("-PT1S"), None, Some("PT100000S")]));
    }
    cases
}

fn text_and_bytes() -> Vec<Case> {
    use DataType as D;
    let text = StringArray::from(vec![Some("é\"\\\n\u{1}"), None, Some("")]);
    let keys = [Some("é\"\\\n\u{1}"), None, Some("")];
    let mut cases: Vec<Case> = Vec::new();
    for data_type in [
        D::Utf8,
        D::LargeUtf8,
        D::Utf8View,
        D::Binary,
        D::LargeBinary,
        D::BinaryView,
        D::Dictionary(Box::new(D::UInt32), Box::new(D::Utf8View)),
        D::Dictionary(Box::new(D::Int8), Box::new(D::Binary)),
    ] {
        cases.push((cast(&text, &data_type), keys));
    }
    let mut fixed = FixedSizeBinaryBuilder::new(2);
    fixed.append_value(b"ab").unwrap();
    fixed.append_null();
    fixed.append_value(b"cd").unwrap();
    cases.push((Arc::new(fixed.finish()), [Some("ab"), None, Some("cd")]));
    let numbers = Int64Array::from(vec![Some(5), None, Some(5)]);
    let dictionary = D::Dictionary(Box::new(D::Int16), Box::new(D::Int64));
    cases.push((cast(&numbers, &dictionary), [Some("5"), None, Some("5")]));
    cases
}

fn nested() -> Vec<Case> {
    use DataType as D;
    let mut lists = ListBuilder::new(Int64Builder::new());
    lists.append_value([Some(1), None]);
    lists.append_null();
    lists.append_value([]);
    let lists = lists.finish();
    let keys = [Some("[1,null]"), None, Some("[]")];
    let item = || Arc::new(Field::new("item", D::Int64, true));
    let mut cases: Vec<Case> = vec![(Arc::new(lists.clone()), keys)];
    for data_type in [
        D::LargeList(item()),
        D::ListView(item()),
        D::LargeListView(item()),
    ] {
        cases.push((cast(&lists, &data_type), keys));
    }
    let pairs = vec![
        Some(vec![Some(1), None]),
        None,
        Some(vec![Some(2), Some(3)]),
    ];
    cases.push((
        Arc::new(FixedSizeListArray::from_iter_primitive::<Int64Type, _, _>(
            pairs, 2,
        )),
        [Some("[1,null]"), None, Some("[2,3]")],
    ));
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    maps.keys().append_value("a\"");
    maps.values().append_value(1);
    maps.append(true).unwrap();
    maps.append(false).unwrap();
    maps.append(true).unwrap();
    cases.push((
        Arc::new(maps.finish()),
        [Some("{\"a\\\"\":1}"), None, Some("{}")],
    ));
    let fields = vec![
        Field::new("when", D::Date32, true),
        Field::new("none", D::Null, true),
    ];
    let days = cast(&Int32Array::from(vec![Some(0), None, None]), &D::Date32);
    let structs = StructArray::new(
        fields.into(),
        vec![days, Arc::new(NullArray::new(3))],
        Some(vec![true, false, true].into()),
    );
    cases.push((
        Arc::new(structs),
        [
            Some("{\"when\":\"1970-01-01\",\"none\":null}"),
            None,
            Some("{\"when\":null,\"none\":null}"),
        ],
    ));
    let nothing = D::List(Arc::new(Field::new("item", D::Null, true)));
    let mut empty = ListBuilder::new(NullBuilder::new());
    empty.append(true);
    empty.append_null();
    empty.append(true);
    let empty: ArrayRef = Arc::new(empty.finish());
    assert_eq!(empty.data_type(), &nothing);
    cases.push((empty, [Some("[]"), None, Some("[]")]));
    cases
}

#[test]
fn every_type_is_read_back_exactly() {
    for (array, _) in all_types() {
        let read = through_json(&array);
        assert_eq!(read.data_type(), array.data_type());
        assert_eq!(&read, &array, "{}", array.data_type());
        let part = array.slice(1, 2);
        assert_eq!(
            &through_json(&part),
            &part,
            "{} from row 1",
            array.data_type()
        );
        let nothing = new_null_array(array.data_type(), 3);
        assert_eq!(
            &through_json(&nothing),
            &nothing,
            "{}, all null",
            array.data_type()
        );
    }
}

#[test]
fn every_type_is_a_key_with_its_text() {
    for (array, keys) in all_types() {
        assert_eq!(
            as_keys(&array),
            keys.map(|key| key.map(str::to_owned)),
            "{}",
            array.data_type()
        );
    }
}

#[test]
fn runs_and_nulls_in_dictionaries_encode_their_values() {
    let runs: RunArray<arrow_array::types::Int32Type> =
        vec![Some("a"), Some("a"), None].into_iter().collect();
    let runs: ArrayRef = Arc::new(runs);
    assert_eq!(
        as_keys(&runs),
        [Some("a".to_owned()), Some("a".to_owned()), None]
    );
    let values: ArrayRef = Arc::new(Int64Array::from(vec![Some(5), None]));
    let keys = arrow_array::Int8Array::from(vec![Some(0), Some(1), None]);
    let dictionary: ArrayRef =
        Arc::new(DictionaryArray::<Int8Type>::try_new(keys, values).unwrap());
    assert_eq!(as_keys(&dictionary), [Some("5".to_owned()), None, None]);
    let plain = through_json(&cast(&dictionary, &DataType::Int64));
    assert_eq!(
        plain.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(),
        [Some(5), None, None]
    );
}

#[test]
fn values_without_text_are_refused_with_column_and_row() {
    use DataType as D;
    let integers = |bad| Int64Array::from(vec![Some(0), None, Some(bad)]);
    let days = |bad| {
        cast(
            &Int32Array::from(vec![Some(0), None, Some(bad)]),
            &D::Date32,
        )
    };
    let cases: Vec<(ArrayRef, &str)> = vec![
        (
            Arc::new(Float64Array::from(vec![Some(0.0), None, Some(f64::NAN)])),
            "not a finite number",
        ),
        (
            Arc::new(Float32Array::from(vec![
                Some(0.0),
                None,
                Some(f32::INFINITY),
            ])),
            "not a finite number",
        ),
        (days(-719_163), "not a date"),
        (days(i32::MAX), "not a date"),
        (cast(&integers(1), &D::Date64), "not a whole day"),
        (
            cast(&integers(86_400_000_000), &D::Time64(TimeUnit::Microsecond)),
            "below 24 hours",
        ),
        (
            cast(&integers(-1), &D::Time64(TimeUnit::Nanosecond)),
            "below 24 hours",
        ),
        (
            cast(
                &integers(i64::MAX),
                &D::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            ),
            "years 1 to 9999",
        ),
        (
            cast(&integers(i64::MIN), &D::Timestamp(TimeUnit::Second, None)),
            "years 1 to 9999",
        ),
        (
            Arc::new(DurationSecondArray::from(vec![
                Some(0),
                None,
                Some(i64::MAX),
            ])),
            "longer than",
        ),
    ];
    for (array, reason) in cases {
        let key = KeyValueColumns {
            key: Some(NAME.into()),
            ..KeyValueColumns::default()
        };
        for columns in [KeyValueColumns::default(), key] {
            let error = encode(array.clone(), &columns).unwrap_err();
            assert!(
                matches!(&error, EncodeError::Value { row: 2, column, .. } if column == NAME),
                "{error}"
            );
            assert!(error.to_string().contains(reason), "{error}");
        }
        assert!(
            encode(array.slice(0, 2), &KeyValueColumns::default()).is_ok(),
            "only the sent rows count"
        );
    }
}

#[test]
fn the_error_of_a_bad_nested_value_has_its_path() {
    let floats = Float64Array::from(vec![0.5, f64::NAN]);
    let lists = arrow_array::ListArray::new(
        Arc::new(Field::new("item", DataType::Float64, true)),
        arrow_buffer::OffsetBuffer::new(vec![0, 1, 1, 2].into()),
        Arc::new(floats),
        None,
    );
    let field = Field::new("rates", lists.data_type().clone(), true);
    let structs: ArrayRef = Arc::new(StructArray::new(
        vec![field].into(),
        vec![Arc::new(lists)],
        None,
    ));
    let error = encode(structs, &KeyValueColumns::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("row 2 of column \"c.rates\" is not a finite number"),
        "{error}"
    );
}

#[test]
fn types_without_json_and_repeated_names_are_refused() {
    let interval: ArrayRef = Arc::new(IntervalYearMonthArray::from(vec![1]));
    assert_eq!(
        interval.data_type(),
        &DataType::Interval(IntervalUnit::YearMonth)
    );
    let error = encode(interval, &KeyValueColumns::default()).unwrap_err();
    assert!(
        matches!(&error, EncodeError::ColumnType { name, .. } if name == NAME),
        "{error}"
    );

    let number: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let field = || Field::new("x", DataType::Int64, true);
    let twice = StructArray::new(
        vec![field(), field()].into(),
        vec![number.clone(), number.clone()],
        None,
    );
    let error = encode(Arc::new(twice), &KeyValueColumns::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("\"c.x\"") && error.contains("rename"),
        "{error}"
    );

    let schema = Arc::new(Schema::new(vec![
        field(),
        field(),
        Field::new("y", DataType::Int64, true),
    ]));
    let table = RecordBatch::try_new(schema, vec![number.clone(), number.clone(), number]).unwrap();
    let refusal = |key: Option<&str>, value: Option<&str>| {
        let columns = KeyValueColumns {
            key: key.map(str::to_owned),
            value: value.map(str::to_owned),
            ..KeyValueColumns::default()
        };
        let refused = Encoder::new(EncodeOptions::default())
            .encode(&table, &columns)
            .err();
        refused.map(|error| error.to_string())
    };
    for refused in [
        refusal(None, None),
        refusal(Some("x"), None),
        refusal(Some("y"), None),
        refusal(None, Some("x")),
    ] {
        assert_eq!(
            refused.unwrap(),
            "the table has two columns \"x\": rename one of them"
        );
    }
    assert_eq!(
        refusal(None, Some("y")),
        None,
        "columns that are not sent may have any name"
    );
}

#[test]
fn values_outside_of_a_type_do_not_fit_the_schema() {
    use DataType as D;
    let utc = |unit| D::Timestamp(unit, Some("UTC".into()));
    let cases = [
        (D::Float32, "1e39"),
        (D::Float16, "65520"),
        (D::Float64, "1e400"),
        (D::Int64, "1.5"),
        (D::Int64, "1.00000000000000000001"),
        (D::UInt64, "4503599627370497.5"),
        (D::Int64, "9223372036854775808"),
        (D::Decimal128(4, 2), "1000"),
        (D::Time64(TimeUnit::Nanosecond), "86400000000000"),
        (D::Time32(TimeUnit::Second), "-1"),
        (D::Time32(TimeUnit::Second), "\"24:00:00\""),
        (D::Time32(TimeUnit::Millisecond), "\"10:00:00.0001\""),
        (D::Date32, "\"2013-01-31T23:00:00-05:00\""),
        (D::Date32, "\"2013-01-31T10:00:00Z\""),
        (D::Date32, "\"+12000-01-01\""),
        (D::Date32, "2932897"),
        (D::Date64, "1"),
        (utc(TimeUnit::Millisecond), "\"2013-01-31T10:00:00.0005Z\""),
        (utc(TimeUnit::Nanosecond), "\"1500-01-31T10:00:00Z\""),
        (utc(TimeUnit::Microsecond), "9223372036854775807"),
        (D::Duration(TimeUnit::Second), "\"PT0.5S\""),
        (D::Duration(TimeUnit::Second), "9223372036854775807"),
        (D::Binary, "\"0\""),
        (D::FixedSizeBinary(2), "\"00\""),
        (
            D::FixedSizeList(Arc::new(Field::new("item", D::Int64, true)), 2),
            "[1]",
        ),
    ];
    for (data_type, value) in cases {
        let schema = Schema::new(vec![Field::new(NAME, data_type.clone(), true)]);
        let options = DecodeOptions {
            value: Format::Json(Some(Arc::new(schema))),
            ..DecodeOptions::default()
        };
        let bytes = crate::support::values(&[&format!("{{\"{NAME}\":{value}}}")]);
        let refused = Decoder::new(options)
            .unwrap()
            .decode(&[FetchedBatches::new("t", 0, bytes, 0)]);
        let error = refused
            .map(|decoded| decoded.batch)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("does not fit the schema"),
            "{data_type} {value}: {error}"
        );
    }
}

#[test]
fn values_of_a_type_are_accepted_in_every_form() {
    use DataType as D;
    let cases: Vec<(ArrayRef, &str)> = vec![
        (
            Arc::new(Int64Array::from(vec![i64::MAX])),
            "9223372036854775807.0",
        ),
        (
            Arc::new(Int64Array::from(vec![1_000_000_000_000_000_000])),
            "1e18",
        ),
        (
            cast(&Int32Array::from(vec![15_736]), &D::Date32),
            "\"2013-01-31T00:00:00\"",
        ),
        (cast(&Int32Array::from(vec![15_736]), &D::Date32), "15736"),
        (Arc::new(DurationSecondArray::from(vec![90])), "\"PT1M30S\""),
        (Arc::new(DurationSecondArray::from(vec![90])), "90"),
        (
            Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..]])),
            "\"00FF\"",
        ),
        (
            Arc::new(
                Decimal128Array::from(vec![101])
                    .with_precision_and_scale(5, 2)
                    .unwrap(),
            ),
            "1.005",
        ),
    ];
    for (expected, value) in cases {
        let schema = Schema::new(vec![Field::new(NAME, expected.data_type().clone(), true)]);
        let options = DecodeOptions {
            value: Format::Json(Some(Arc::new(schema))),
            unnest: true,
            ..DecodeOptions::default()
        };
        let bytes = crate::support::values(&[&format!("{{\"{NAME}\":{value}}}")]);
        let batch = decode(options, bytes).batch;
        assert_eq!(batch.column_by_name(NAME).unwrap(), &expected, "{value}");
    }
}
