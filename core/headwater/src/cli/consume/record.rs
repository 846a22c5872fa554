//! The records of a table, one by one.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{self as arrow, Array as _, ArrayRef, BinaryArray};

/// A record, whose bytes are those of the table.
#[derive(Debug)]
pub(super) struct TableRecord<'a> {
    pub(super) partition: i32,
    pub(super) offset: i64,
    /// In milliseconds since the Unix epoch.
    pub(super) timestamp: i64,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: Vec<(&'a str, Option<&'a [u8]>)>,
}

impl<'a> TableRecord<'a> {
    /// The records of a table with the record schema and plain binary arrays.
    pub(super) fn all(table: &'a arrow::RecordBatch) -> impl Iterator<Item = Self> {
        let partitions = column(table, "partition").as_primitive::<Int32Type>();
        let offsets = column(table, "offset").as_primitive::<Int64Type>();
        let timestamps = column(table, "timestamp").as_primitive::<TimestampMillisecondType>();
        let keys = column(table, "key").as_binary::<i32>();
        let values = column(table, "value").as_binary::<i32>();
        let headers = column(table, "headers").as_list::<i32>();
        let pairs = headers.values().as_struct();
        let names = pairs.column(0).as_string::<i32>();
        let header_values = pairs.column(1).as_binary::<i32>();
        (0..table.num_rows()).map(move |row| {
            let range = headers.value_offsets()[row]..headers.value_offsets()[row + 1];
            let header = |index: i32| {
                let index = index as usize;
                (names.value(index), at(header_values, index))
            };
            Self {
                partition: partitions.value(row),
                offset: offsets.value(row),
                timestamp: timestamps.value(row),
                key: at(keys, row),
                value: at(values, row),
                headers: range.map(header).collect(),
            }
        })
    }

    /// The timestamp in ISO 8601, or the number if it has no date.
    pub(super) fn time(&self) -> String {
        jiff::Timestamp::from_millisecond(self.timestamp)
            .map_or_else(|_| self.timestamp.to_string(), |time| time.to_string())
    }
}

fn column<'a>(table: &'a arrow::RecordBatch, name: &str) -> &'a ArrayRef {
    table
        .column_by_name(name)
        .expect("nothing was left out of the record schema")
}

fn at(column: &BinaryArray, row: usize) -> Option<&[u8]> {
    column.is_valid(row).then(|| column.value(row))
}
