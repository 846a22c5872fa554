//! The column of headers.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder};
use arrow_array::{ArrayRef, ListArray, StructArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields};
use headwater_record::{Headers, RawRecord};

/// `struct<key: utf8, value: binary>`, the item of the list.
pub(crate) fn item_field() -> FieldRef {
    let fields = Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Binary, true),
    ]);
    Arc::new(Field::new("item", DataType::Struct(fields), false))
}

/// Headers row by row.
#[derive(Debug)]
pub(crate) struct HeaderColumn {
    ends: Vec<i32>,
    keys: StringBuilder,
    values: BinaryBuilder,
    count: i32,
    bytes: usize,
}

impl Default for HeaderColumn {
    fn default() -> Self {
        Self {
            ends: vec![0],
            keys: StringBuilder::new(),
            values: BinaryBuilder::new(),
            count: 0,
            bytes: 0,
        }
    }
}

impl HeaderColumn {
    /// Appends the headers of one record.
    #[inline]
    pub(crate) fn push(&mut self, record: &RawRecord, plain: &[u8]) {
        if record.header_count != 0 {
            self.push_all(Headers::of(record, plain));
        }
        self.ends.push(self.count);
    }

    #[inline(never)]
    fn push_all(&mut self, headers: Headers<'_>) {
        for header in headers {
            let key = header.key_text();
            self.bytes += key.len() + header.value.map_or(0, <[u8]>::len) + 1;
            if self.bytes > i32::MAX as usize {
                return; // `finish` reports it.
            }
            self.keys.append_value(key);
            self.values.append_option(header.value);
            self.count += 1;
        }
    }

    /// The column.
    pub(crate) fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        if self.bytes > i32::MAX as usize {
            return Err(ArrowError::OffsetOverflowError(self.bytes));
        }
        let item = item_field();
        let DataType::Struct(fields) = item.data_type().clone() else {
            return Err(ArrowError::SchemaError("headers are structs".to_owned()));
        };
        let structs = StructArray::try_new(
            fields,
            vec![Arc::new(self.keys.finish()), Arc::new(self.values.finish())],
            None,
        )?;
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        Ok(Arc::new(ListArray::try_new(
            item,
            offsets,
            Arc::new(structs),
            None,
        )?))
    }
}
