//! The column of record headers.

use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, BinaryBuilder, StringBuilder};
use arrow_array::{ArrayRef, ListArray, StructArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields};
use headwater_record::{Headers, RawRecord};

/// `struct<key: utf8, value: binary>`, the item type of the list.
pub(crate) fn item_field() -> FieldRef {
    let fields = Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Binary, true),
    ]);
    Arc::new(Field::new("item", DataType::Struct(fields), false))
}

/// Collects headers row by row. Most records have none, so only rows with headers are stored.
#[derive(Debug, Default)]
pub(crate) struct HeaderColumn {
    /// Rows with headers, and the number of headers up to and including each.
    ends: Vec<(usize, i32)>,
    keys: StringBuilder,
    values: BinaryBuilder,
    bytes: usize,
}

impl HeaderColumn {
    /// Adds the headers of one record; rows must ascend. The record is passed by value, so that the caller's copy stays
    /// in registers.
    #[inline(always)]
    pub(crate) fn push(&mut self, row: usize, record: RawRecord, plain: &[u8]) {
        if record.header_count != 0 {
            self.push_all(row, record, plain);
        }
    }

    #[inline(never)]
    fn push_all(&mut self, row: usize, record: RawRecord, plain: &[u8]) {
        for header in Headers::of(&record, plain) {
            let key = header.key_text();
            self.bytes += key.len() + header.value.map_or(0, <[u8]>::len) + 1;
            if self.bytes > i32::MAX as usize {
                return; // `finish` reports it.
            }
            self.keys.append_value(key);
            self.values.append_option(header.value);
        }
        self.ends.push((row, self.keys.len() as i32));
    }

    /// The column with this number of rows.
    pub(crate) fn finish(mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        if self.bytes > i32::MAX as usize {
            return Err(ArrowError::OffsetOverflowError(self.bytes));
        }
        let item = item_field();
        let DataType::Struct(fields) = item.data_type().clone() else {
            return Err(ArrowError::SchemaError(
                "the items of headers must be structs".to_owned(),
            ));
        };
        let structs = StructArray::try_new(
            fields,
            vec![Arc::new(self.keys.finish()), Arc::new(self.values.finish())],
            None,
        )?;
        let offsets = if self.ends.is_empty() {
            OffsetBuffer::new_zeroed(rows)
        } else {
            let (mut offsets, mut end) = (Vec::with_capacity(rows + 1), 0);
            for (row, next) in self.ends {
                offsets.resize(row + 1, end);
                end = next;
            }
            offsets.resize(rows + 1, end);
            OffsetBuffer::new(ScalarBuffer::from(offsets))
        };
        Ok(Arc::new(ListArray::try_new(
            item,
            offsets,
            Arc::new(structs),
            None,
        )?))
    }
}
