//! Batches and tables for tests.

use bytes::{Bytes, BytesMut};
use headwater_columnar::{DecodeError, DecodeOptions, Decoded, Decoder, Fetched};
use headwater_record::{BatchBuilder, BatchOptions, Compression};

/// A record to be encoded.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Row {
    pub(crate) timestamp_ms: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Row {
    pub(crate) fn new(key: &str, value: &str) -> Self {
        Self {
            timestamp_ms: 1000,
            key: Some(key.into()),
            value: Some(value.into()),
            headers: Vec::new(),
        }
    }

    pub(crate) fn of_value(value: impl Into<Vec<u8>>) -> Self {
        Self {
            timestamp_ms: 1000,
            value: Some(value.into()),
            ..Self::default()
        }
    }
}

/// One batch of these rows, at that base offset.
pub(crate) fn batch_at(base_offset: i64, compression: Compression, rows: &[Row]) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions {
        compression,
        capacity: 1 << 20,
        ..BatchOptions::default()
    });
    for row in rows {
        let headers: Vec<_> = row
            .headers
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_deref()))
            .collect();
        builder
            .try_append(
                row.timestamp_ms,
                row.key.as_deref(),
                row.value.as_deref(),
                &headers,
            )
            .unwrap();
    }
    let mut bytes = BytesMut::from(builder.finish().unwrap().as_ref());
    bytes[..8].copy_from_slice(&base_offset.to_be_bytes());
    bytes.freeze()
}

/// Batches one after the other, each where the one before ends.
pub(crate) fn log(batches: &[(Compression, &[Row])]) -> Bytes {
    let mut bytes = BytesMut::new();
    let mut offset = 0;
    for (compression, rows) in batches {
        bytes.extend_from_slice(&batch_at(offset, *compression, rows));
        offset += rows.len() as i64;
    }
    bytes.freeze()
}

/// One plain batch of these values from offset 0.
pub(crate) fn values(values: &[&str]) -> Bytes {
    let rows: Vec<Row> = values.iter().map(|value| Row::of_value(*value)).collect();
    batch_at(0, Compression::None, &rows)
}

/// All records of these bytes, in partition 0 of topic `t`.
pub(crate) fn decode(options: DecodeOptions, bytes: Bytes) -> Decoded {
    Decoder::new(options)
        .unwrap()
        .decode(&[Fetched::new("t", 0, bytes, 0)])
        .unwrap()
}

/// The message of the error that decoding gives.
pub(crate) fn refusal(options: DecodeOptions, bytes: Bytes) -> String {
    failure(options, bytes).1.to_string()
}

/// What was decoded before the error, and the error.
pub(crate) fn failure(options: DecodeOptions, bytes: Bytes) -> (Vec<Decoded>, DecodeError) {
    let mut decoder = Decoder::new(options).unwrap();
    let mut fetched = Fetched::new("t", 0, bytes, 0);
    let mut tables = Vec::new();
    loop {
        match decoder.decode(std::slice::from_ref(&fetched)) {
            Ok(table) => {
                assert!(!table.complete && table.next_offsets[0] > fetched.from);
                fetched.from = table.next_offsets[0];
                tables.push(table);
            }
            Err(error) => return (tables, error),
        }
    }
}
