//! Collects rows into a table of keys, values, headers, timestamps and partitions.

use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BinaryBuilder, Int32Builder, ListBuilder, StringBuilder, StructBuilder,
    TimestampMillisecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Fields, Schema};
use headwater_record::PartitionId;

use super::KeyValueColumns;

const KEY: &str = "key";
const VALUE: &str = "value";
const HEADERS: &str = "headers";
const TIMESTAMP: &str = "timestamp";
const PARTITION: &str = "partition";

/// A table that is built row by row, for an [`Encoder`](super::Encoder). Each part of a row is set at most once before
/// [`RowTable::end_row`]; missing parts are null.
#[derive(Debug)]
pub struct RowTable {
    rows: usize,
    key: BinaryBuilder,
    value: BinaryBuilder,
    timestamp: TimestampMillisecondBuilder,
    partition: Int32Builder,
    headers: ListBuilder<StructBuilder>,
}

impl Default for RowTable {
    fn default() -> Self {
        let header: Vec<Box<dyn ArrayBuilder>> = vec![
            Box::new(StringBuilder::new()),
            Box::new(BinaryBuilder::new()),
        ];
        Self {
            rows: 0,
            key: BinaryBuilder::new(),
            value: BinaryBuilder::new(),
            timestamp: TimestampMillisecondBuilder::new().with_timezone("UTC"),
            partition: Int32Builder::new(),
            headers: ListBuilder::new(StructBuilder::new(header_fields(), header)),
        }
    }
}

fn header_fields() -> Fields {
    Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Binary, true),
    ])
}

impl RowTable {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Sets the key of the row.
    pub fn key(&mut self, key: impl AsRef<[u8]>) {
        self.key.append_value(key);
    }

    /// Sets the value of the row.
    pub fn value(&mut self, value: impl AsRef<[u8]>) {
        self.value.append_value(value);
    }

    /// Sets the timestamp of the row, in milliseconds since 1970.
    pub fn timestamp_ms(&mut self, timestamp: i64) {
        self.timestamp.append_value(timestamp);
    }

    /// Sets the partition of the row.
    pub fn partition(&mut self, partition: PartitionId) {
        self.partition.append_value(partition.get());
    }

    /// Adds a header to the row.
    pub fn header(&mut self, name: &str, value: Option<&[u8]>) {
        let header = self.headers.values();
        if let Some(names) = header.field_builder::<StringBuilder>(0) {
            names.append_value(name);
        }
        if let Some(values) = header.field_builder::<BinaryBuilder>(1) {
            values.append_option(value);
        }
        header.append(true);
    }

    /// Ends the row.
    pub fn end_row(&mut self) {
        self.rows += 1;
        self.headers.append(true);
        if self.key.len() < self.rows {
            self.key.append_null();
        }
        if self.value.len() < self.rows {
            self.value.append_null();
        }
        if self.timestamp.len() < self.rows {
            self.timestamp.append_null();
        }
        if self.partition.len() < self.rows {
            self.partition.append_null();
        }
    }

    /// The table.
    ///
    /// # Panics
    ///
    /// If a part of a row was set twice, or the last row was not ended.
    pub fn finish(mut self) -> RecordBatch {
        let columns: [(&str, ArrayRef); 5] = [
            (KEY, Arc::new(self.key.finish())),
            (VALUE, Arc::new(self.value.finish())),
            (HEADERS, Arc::new(self.headers.finish())),
            (TIMESTAMP, Arc::new(self.timestamp.finish())),
            (PARTITION, Arc::new(self.partition.finish())),
        ];
        let fields: Vec<_> = columns
            .iter()
            .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
            .collect();
        let columns = columns.into_iter().map(|(_, column)| column).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .expect("each row has one value in each column")
    }

    /// The roles of its columns.
    pub fn columns() -> KeyValueColumns {
        KeyValueColumns {
            key: Some(KEY.to_owned()),
            value: Some(VALUE.to_owned()),
            headers: Some(HEADERS.to_owned()),
            timestamp: Some(TIMESTAMP.to_owned()),
            partition: Some(PARTITION.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;

    use super::*;

    #[test]
    fn missing_parts_are_null() {
        let mut table = RowTable::default();
        table.value("only a value");
        table.end_row();
        table.key("k");
        table.timestamp_ms(7);
        table.partition(PartitionId::new(2));
        table.header("gate", Some(b"B7"));
        table.header("gate", None);
        table.end_row();
        table.end_row();
        assert_eq!((table.len(), table.is_empty()), (3, false));
        let table = table.finish();
        let nulls: Vec<_> = table.columns().iter().map(Array::null_count).collect();
        // A row without headers has an empty list.
        assert_eq!(nulls, [2, 2, 0, 2, 2]);
        let headers = table.column(2).as_list::<i32>();
        assert_eq!((headers.value(0).len(), headers.value(1).len()), (0, 2));
    }

    #[test]
    fn its_columns_match_their_roles() {
        let table = RowTable::default().finish();
        let columns = RowTable::columns();
        let names = [
            columns.key,
            columns.value,
            columns.headers,
            columns.timestamp,
            columns.partition,
        ];
        let schema = table.schema();
        let fields = schema
            .fields()
            .iter()
            .map(|field| Some(field.name().clone()));
        assert!(fields.eq(names));
    }
}
