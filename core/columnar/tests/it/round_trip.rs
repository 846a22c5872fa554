//! Records to batches to tables and back: lossless for any records and any ranges.

use crate::support::{Row, log};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMillisecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use headwater_columnar::{
    DecodeOptions, Decoder, EncodeOptions, Encoder, FetchedBatches, KeyValueColumns,
};
use headwater_record::{BatchOptions, Compression};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn any_row() -> impl Strategy<Value = Row> {
    let bytes = || {
        option::of(prop_oneof![
            vec(any::<u8>(), 0..20),
            vec(any::<u8>(), 0..300)
        ])
    };
    let times = prop_oneof![0i64..2_000_000_000_000, 0i64..100];
    (times, bytes(), bytes(), vec(("[a-z]{0,5}", bytes()), 0..3)).prop_map(
        |(timestamp_ms, key, value, headers)| Row {
            timestamp_ms,
            key,
            value,
            headers,
        },
    )
}

fn any_compression() -> impl Strategy<Value = Compression> {
    prop_oneof![3 => Just(Compression::None), 1 => proptest::sample::select(&Compression::ALL[1..])]
}

/// The rows of a table of the record schema.
fn rows(batch: &RecordBatch) -> Vec<Row> {
    let bytes = |name: &str| {
        let column =
            arrow_cast::cast(batch.column_by_name(name).unwrap(), &DataType::Binary).unwrap();
        column
            .as_binary::<i32>()
            .iter()
            .map(|value| value.map(<[u8]>::to_vec))
            .collect::<Vec<_>>()
    };
    let times = batch
        .column_by_name("timestamp")
        .unwrap()
        .as_primitive::<TimestampMillisecondType>();
    let lists = batch.column_by_name("headers").unwrap().as_list::<i32>();
    let headers = |row: usize| {
        let pairs = lists.value(row);
        let (keys, values) = (
            pairs.as_struct().column(0).clone(),
            pairs.as_struct().column(1).clone(),
        );
        let (keys, values) = (keys.as_string::<i32>(), values.as_binary::<i32>());
        (0..pairs.len())
            .map(|at| {
                (
                    keys.value(at).to_owned(),
                    values.is_valid(at).then(|| values.value(at).to_vec()),
                )
            })
            .collect()
    };
    let (keys, values) = (bytes("key"), bytes("value"));
    (0..batch.num_rows())
        .map(|row| Row {
            timestamp_ms: times.value(row),
            key: keys[row].clone(),
            value: values[row].clone(),
            headers: headers(row),
        })
        .collect()
}

fn decode(bytes: &bytes::Bytes, views: bool) -> RecordBatch {
    let options = DecodeOptions {
        views,
        ..DecodeOptions::default()
    };
    Decoder::new(options)
        .unwrap()
        .decode(&[FetchedBatches::new("t", 0, bytes.clone(), 0)])
        .unwrap()
        .batch
}

proptest! {
    #[test]
    fn records_to_batches_to_arrow_are_the_same_records(batches in vec((any_compression(), vec(any_row(), 1..20)), 0..5), views: bool) {
        let parts: Vec<_> = batches.iter().map(|(compression, rows)| (*compression, rows.as_slice())).collect();
        let table = decode(&log(&parts), views);
        let expected: Vec<Row> = batches.iter().flat_map(|(_, rows)| rows.clone()).collect();
        prop_assert_eq!(rows(&table), expected.clone());
        let offsets = table.column_by_name("offset").unwrap().as_primitive::<Int64Type>().values().to_vec();
        prop_assert_eq!(offsets, (0..expected.len() as i64).collect::<Vec<_>>());
        // Run the validation that the unchecked constructors skip.
        for column in table.columns() {
            column.to_data().validate_full().unwrap();
        }
    }

    #[test]
    fn arrow_to_batches_to_arrow_is_the_same_table(
        rows_in in vec(any_row(), 0..60),
        views: bool,
        capacity in 100usize..5000,
        compression in any_compression(),
        cut in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let whole = decode(&log(&if rows_in.is_empty() { vec![] } else { vec![(Compression::None, rows_in.as_slice())] }), views);
        let (a, b) = (cut.0.index(rows_in.len() + 1), cut.1.index(rows_in.len() + 1));
        let (first, last) = (a.min(b), a.max(b));
        let table = whole.slice(first, last - first);
        let batch = BatchOptions { capacity, compression, ..BatchOptions::default() };
        let mut encoder = Encoder::new(EncodeOptions { batch, ..EncodeOptions::default() });
        let name = |name: &str| Some(name.to_owned());
        let columns = KeyValueColumns { key: name("key"), value: name("value"), headers: name("headers"), timestamp: name("timestamp"), partition: None };
        let mut rows_out = Vec::new();
        for batch in encoder.encode(&table, &columns).unwrap() {
            rows_out.extend(rows(&decode(&batch.unwrap().bytes, views)));
        }
        prop_assert_eq!(rows_out, rows_in[first..last].to_vec());
    }

    #[test]
    fn damaged_bytes_are_decoded_or_refused_and_never_more(mut bytes in vec(any_row(), 1..10).prop_map(|rows| log(&[(Compression::None, &rows)]).to_vec()), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let options = DecodeOptions { check_crc: false, ..DecodeOptions::default() };
        let decoded = Decoder::new(options).unwrap().decode(&[FetchedBatches::new("t", 0, bytes::Bytes::from(bytes), 0)]);
        if let Ok(decoded) = decoded {
            for column in decoded.batch.columns() {
                column.to_data().validate_full().unwrap();
            }
        }
    }
}
