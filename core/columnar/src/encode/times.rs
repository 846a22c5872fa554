//! Combines rows and timestamps to records.

use arrow_array::{Array, Int64Array};
use arrow_buffer::NullBuffer;
use headwater_record::PlainRecord;

use super::bytes_column::Reader;
use crate::trusted::prefetch;

/// The prefetch distance: far enough for memory, near enough for the second-level cache.
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
        // Values are mostly consecutive in memory.
        prefetch(value.unwrap_or_default(), AHEAD);
        PlainRecord {
            timestamp_ms,
            key: key.get(row),
            value,
        }
    }
}
