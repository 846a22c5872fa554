//! Rows as records, with their timestamps.

use arrow_array::{Array, Int64Array};
use arrow_buffer::NullBuffer;
use headwater_record::PlainRecord;

use super::bytes_column::Reader;
use crate::trusted::prefetch;

/// How far ahead of a value the bytes are asked for: far enough for memory, near enough for the second cache.
const AHEAD: usize = 16 << 10;

/// The timestamps of a chunk's rows.
#[derive(Clone, Copy)]
pub(super) struct Times<'a> {
    values: &'a [i64],
    nulls: Option<&'a NullBuffer>,
    first: usize,
    now_ms: i64,
}

impl<'a> Times<'a> {
    pub(super) fn new(column: Option<&'a Int64Array>, first: usize, now_ms: i64) -> Self {
        Self {
            values: column.map_or(&[], |column| column.values()),
            nulls: column.and_then(|column| column.nulls()),
            first,
            now_ms,
        }
    }

    /// A row of the chunk as a record.
    #[inline(always)]
    pub(super) fn record(
        self,
        row: usize,
        key: impl Reader<'a>,
        value: impl Reader<'a>,
    ) -> PlainRecord<'a> {
        let at = self.first + row;
        let timestamp_ms = match self.values.get(at) {
            Some(time) if self.nulls.is_none_or(|nulls| nulls.is_valid(at)) => *time,
            _ => self.now_ms,
        };
        let value = value.get(row);
        // Values mostly lie one after the other.
        prefetch(value.unwrap_or_default(), AHEAD);
        PlainRecord {
            timestamp_ms,
            key: key.get(row),
            value,
        }
    }
}
