//! A record as a row of output.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array as _, BinaryArray, RecordBatch, StructArray};
use serde::Serialize;

use crate::cli::output::Row;
use crate::cli::payload::{Payload, PayloadFormat};

#[derive(Debug, Serialize)]
pub(super) struct RecordLine<'a> {
    partition: i32,
    offset: i64,
    timestamp: i64,
    key: Option<Payload>,
    value: Option<Payload>,
    headers: Vec<(String, Option<Payload>)>,
    #[serde(skip)]
    bytes: KeyValue<'a>,
}

#[derive(Debug)]
struct KeyValue<'a> {
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
}

impl<'a> RecordLine<'a> {
    /// The records of a table with the record schema and plain binary arrays.
    pub(super) fn all(
        table: &'a RecordBatch,
        key: PayloadFormat,
        value: PayloadFormat,
    ) -> Vec<Self> {
        let partitions = column(table, "partition").as_primitive::<Int32Type>();
        let offsets = column(table, "offset").as_primitive::<Int64Type>();
        let timestamps = column(table, "timestamp").as_primitive::<TimestampMillisecondType>();
        let keys = column(table, "key").as_binary::<i32>();
        let values = column(table, "value").as_binary::<i32>();
        let headers = column(table, "headers").as_list::<i32>();
        (0..table.num_rows())
            .map(|row| {
                let bytes = KeyValue {
                    key: at(keys, row),
                    value: at(values, row),
                };
                Self {
                    partition: partitions.value(row),
                    offset: offsets.value(row),
                    timestamp: timestamps.value(row),
                    key: bytes.key.map(|bytes| Payload::new(bytes, key)),
                    value: bytes.value.map(|bytes| Payload::new(bytes, value)),
                    headers: pairs(headers.value(row).as_struct()),
                    bytes,
                }
            })
            .collect()
    }
}

fn column<'a>(table: &'a RecordBatch, name: &str) -> &'a arrow_array::ArrayRef {
    table
        .column_by_name(name)
        .expect("nothing was left out of the record schema")
}

fn at(column: &BinaryArray, row: usize) -> Option<&[u8]> {
    column.is_valid(row).then(|| column.value(row))
}

fn pairs(headers: &StructArray) -> Vec<(String, Option<Payload>)> {
    let names = headers.column(0).as_string::<i32>();
    let values = headers.column(1).as_binary::<i32>();
    (0..headers.len())
        .map(|row| {
            let value = at(values, row).map(|bytes| Payload::new(bytes, PayloadFormat::Text));
            (names.value(row).to_owned(), value)
        })
        .collect()
}

impl Row for RecordLine<'_> {
    const HEADINGS: &'static [&'static str] = &["PARTITION", "OFFSET", "TIME", "KEY", "VALUE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.partition.to_string(),
            self.offset.to_string(),
            jiff::Timestamp::from_millisecond(self.timestamp)
                .map_or_else(|_| self.timestamp.to_string(), |time| time.to_string()),
            Payload::text(self.bytes.key),
            Payload::text(self.bytes.value),
        ]
    }
}
