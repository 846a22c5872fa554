//! Reads the tables of tests.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use headwater::{Batch, DecodeOptions, Format};

/// Values as text, and all other columns.
pub(crate) fn text() -> DecodeOptions {
    DecodeOptions {
        value: Format::String,
        ..DecodeOptions::default()
    }
}

/// Column `value` of a table decoded with [`text`].
pub(crate) fn values(batch: &Batch) -> Vec<String> {
    let column = batch.records.column_by_name("value").unwrap();
    column
        .as_string_view()
        .iter()
        .map(|value| value.unwrap_or("null").to_owned())
        .collect()
}

/// Column `key`, as bytes.
pub(crate) fn keys(batch: &Batch) -> Vec<Option<Vec<u8>>> {
    let column = batch.records.column_by_name("key").unwrap();
    column
        .as_binary_view()
        .iter()
        .map(|key| key.map(<[u8]>::to_vec))
        .collect()
}

/// Column `offset`.
pub(crate) fn offsets(batch: &Batch) -> Vec<i64> {
    batch
        .records
        .column_by_name("offset")
        .unwrap()
        .as_primitive::<Int64Type>()
        .values()
        .to_vec()
}

/// Column `partition`.
pub(crate) fn partitions(batch: &Batch) -> Vec<i32> {
    batch
        .records
        .column_by_name("partition")
        .unwrap()
        .as_primitive::<Int32Type>()
        .values()
        .to_vec()
}

/// Column `timestamp`.
pub(crate) fn timestamps(batch: &Batch) -> Vec<i64> {
    batch
        .records
        .column_by_name("timestamp")
        .unwrap()
        .as_primitive::<TimestampMillisecondType>()
        .values()
        .to_vec()
}
