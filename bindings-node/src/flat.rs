//! Writes records into one buffer that JavaScript reads without a parser: typed arrays of numbers, and the bytes of
//! keys, values and headers.
//!
//! ```text
//! header      u32 * 21: rows, columns (bits), then the position of each section in bytes
//! sections    aligned to 8 bytes, in the order of `Section`
//! ```
//! Numbers are little-endian. A section `...Ends` has one number more than rows: bytes `ends[i]..ends[i + 1]` belong to row `i`. A section
//! `...Nulls` has a byte for each row, 1 for null. Columns that were not read have no bit, and their sections are empty.
//! Values that are neither bytes nor text are JSON with the conversion of `json_values`, if they need one.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_buffer::{Buffer, ScalarBuffer};
use arrow_schema::DataType;
use headwater::columnar::Column;
use headwater::{Batch, Error, ErrorKind, Result};

use crate::external_memory::table_bytes;
use crate::json_values::JsonValues;

/// Numbers in the header: rows, columns, and the positions of the sections.
const HEADER: usize = 21;

/// A section of the buffer, by its index in the header.
#[derive(Debug, Clone, Copy)]
enum Section {
    Partitions = 2,
    Offsets,
    Timestamps,
    KeyEnds,
    KeyNulls,
    KeyBytes,
    ValueEnds,
    ValueNulls,
    ValueBytes,
    /// The number of headers before each row.
    HeaderEnds,
    HeaderNameEnds,
    HeaderNameBytes,
    HeaderValueEnds,
    HeaderValueNulls,
    HeaderValueBytes,
    /// The index of each row's topic.
    TopicIndexes,
    TopicEnds,
    TopicBytes,
    /// JSON, up to the end of the buffer.
    ValueConversion,
}

/// Writes the rows of a batch. `topic` is the topic of all rows if the table has no column of topics.
pub(crate) fn write(
    batch: &Batch,
    rows: Range<usize>,
    topic: Option<&Arc<str>>,
) -> Result<Vec<u8>> {
    let slice = |table: &RecordBatch| table.slice(rows.start, rows.len());
    let (records, json) = (slice(&batch.records), batch.json.as_ref().map(slice));
    let size = table_bytes(&records) + json.as_ref().map_or(0, table_bytes);
    let mut writer = Writer::new(rows.len(), size);
    writer.table(&records, json.as_ref(), topic)?;
    writer.finish()
}

struct Writer {
    bytes: Vec<u8>,
    header: [usize; HEADER],
    rows: usize,
    value_conversion: Option<String>,
}

impl Writer {
    fn new(rows: usize, size: usize) -> Self {
        let mut bytes = Vec::with_capacity(size + HEADER * 4);
        bytes.resize(HEADER * 4, 0);
        Self {
            bytes,
            header: [0; HEADER],
            rows,
            value_conversion: None,
        }
    }

    fn table(
        &mut self,
        table: &RecordBatch,
        json: Option<&RecordBatch>,
        topic: Option<&Arc<str>>,
    ) -> Result<()> {
        let column = |column: Column| table.column_by_name(column.name());
        // For JSON without a schema, write the original text.
        let text = |column: Column| {
            let text = json.and_then(|json| json.column_by_name(column.name()));
            text.or_else(|| table.column_by_name(column.name()))
        };
        if let Some(partitions) =
            column(Column::Partition).and_then(|c| c.as_primitive_opt::<Int32Type>())
        {
            self.numbers(Section::Partitions, partitions.values().inner());
        }
        if let Some(offsets) =
            column(Column::Offset).and_then(|c| c.as_primitive_opt::<Int64Type>())
        {
            self.numbers(Section::Offsets, offsets.values().inner());
        }
        let timestamps = column(Column::Timestamp);
        if let Some(timestamps) =
            timestamps.and_then(|c| c.as_primitive_opt::<TimestampMillisecondType>())
        {
            let numbers = timestamps.values().iter().map(|ms| *ms as f64);
            let numbers: ScalarBuffer<f64> = numbers.collect();
            self.numbers(Section::Timestamps, numbers.inner());
        }
        if let Some(keys) = text(Column::Key) {
            self.cells(Section::KeyEnds, keys);
        }
        match text(Column::Value) {
            Some(values) => self.values(values)?,
            None => {
                if let Some(fields) = unnested(table) {
                    self.values(&fields)?;
                }
            }
        }
        self.headers(column(Column::Headers));
        self.topics(column(Column::Topic), topic);
        if let Some(conversion) = self.value_conversion.take() {
            self.begin(Section::ValueConversion);
            self.bytes.extend_from_slice(conversion.as_bytes());
        }
        Ok(())
    }

    /// Values of any type.
    fn values(&mut self, column: &ArrayRef) -> Result<()> {
        if self.cells(Section::ValueEnds, column) {
            return Ok(());
        }
        let values = JsonValues::of(column)?;
        self.value_conversion = values.conversion;
        let texts: ArrayRef = Arc::new(values.texts);
        self.cells(Section::ValueEnds, &texts);
        Ok(())
    }

    /// Starts a section, and marks its column as read.
    fn begin(&mut self, section: Section) {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        self.header[section as usize] = self.bytes.len();
        self.header[1] |= 1 << section as usize;
    }

    fn numbers(&mut self, section: Section, numbers: &Buffer) {
        self.begin(section);
        self.bytes.extend_from_slice(numbers.as_slice());
    }

    /// Three sections: ends, nulls, bytes. False for a column that is neither bytes nor text.
    fn cells(&mut self, first: Section, column: &ArrayRef) -> bool {
        match column.data_type() {
            DataType::BinaryView => {
                let bytes = column.as_binary_view();
                self.column(first, column, |row| bytes.value(row));
            }
            DataType::Utf8View => {
                let texts = column.as_string_view();
                self.column(first, column, |row| texts.value(row).as_bytes());
            }
            DataType::Binary => {
                let bytes = column.as_binary::<i32>();
                self.column(first, column, |row| bytes.value(row));
            }
            DataType::LargeBinary => {
                let bytes = column.as_binary::<i64>();
                self.column(first, column, |row| bytes.value(row));
            }
            DataType::Utf8 => {
                let texts = column.as_string::<i32>();
                self.column(first, column, |row| texts.value(row).as_bytes());
            }
            _ => return false,
        }
        true
    }

    fn column<'a>(&mut self, first: Section, column: &ArrayRef, value: impl Fn(usize) -> &'a [u8]) {
        self.bytes_column(first, column.len(), |row| column.is_null(row), value);
    }

    fn bytes_column<'a>(
        &mut self,
        first: Section,
        rows: usize,
        is_null: impl Fn(usize) -> bool,
        value: impl Fn(usize) -> &'a [u8],
    ) {
        let (ends, nulls, bytes) = sections(first);
        let length = |row| if is_null(row) { 0 } else { value(row).len() };
        self.ends(ends, rows, length);
        self.begin(nulls);
        self.bytes
            .extend((0..rows).map(|row| u8::from(is_null(row))));
        self.begin(bytes);
        for row in 0..rows {
            if !is_null(row) {
                self.bytes.extend_from_slice(value(row));
            }
        }
    }

    /// Writes the ends of rows with these lengths. `finish` detects an overflow, because the bytes are in the buffer
    /// too.
    fn ends(&mut self, section: Section, rows: usize, length: impl Fn(usize) -> usize) {
        let mut end = 0_u32;
        let ends = (0..rows).map(|row| {
            end = end.wrapping_add(length(row) as u32);
            end
        });
        let ends: ScalarBuffer<u32> = std::iter::once(0).chain(ends).collect();
        self.numbers(section, ends.inner());
    }

    fn headers(&mut self, column: Option<&Arc<dyn Array>>) {
        let Some(lists) = column.and_then(|column| column.as_list_opt::<i32>()) else {
            return;
        };
        let offsets = lists.value_offsets();
        let (first, last) = (offsets[0], offsets[self.rows]);
        self.ends(Section::HeaderEnds, self.rows, |row| {
            (offsets[row + 1] - offsets[row]) as usize
        });
        let pairs = lists
            .values()
            .slice(first as usize, (last - first) as usize);
        let pairs = pairs.as_struct();
        let (names, values) = (
            pairs.column(0).as_string::<i32>(),
            pairs.column(1).as_binary::<i32>(),
        );
        let name = |row| names.value(row).as_bytes();
        self.texts(
            Section::HeaderNameEnds,
            Section::HeaderNameBytes,
            names.len(),
            name,
        );
        let is_null = |row| values.is_null(row);
        self.bytes_column(Section::HeaderValueEnds, values.len(), is_null, |row| {
            values.value(row)
        });
    }

    /// Two sections: ends, bytes.
    fn texts<'a>(
        &mut self,
        ends: Section,
        bytes: Section,
        rows: usize,
        value: impl Fn(usize) -> &'a [u8],
    ) {
        self.ends(ends, rows, |row| value(row).len());
        self.begin(bytes);
        for row in 0..rows {
            self.bytes.extend_from_slice(value(row));
        }
    }

    fn topics(&mut self, column: Option<&Arc<dyn Array>>, topic: Option<&Arc<str>>) {
        let dictionary = column.and_then(|column| column.as_dictionary_opt::<Int32Type>());
        if let Some(dictionary) = dictionary {
            self.numbers(Section::TopicIndexes, dictionary.keys().values().inner());
            let names = dictionary.values().as_string::<i32>();
            let name = |row| names.value(row).as_bytes();
            self.texts(Section::TopicEnds, Section::TopicBytes, names.len(), name);
        } else if let Some(topic) = topic {
            self.texts(Section::TopicEnds, Section::TopicBytes, 1, |_| {
                topic.as_bytes()
            });
        }
    }

    fn finish(mut self) -> Result<Vec<u8>> {
        if u32::try_from(self.bytes.len()).is_err() {
            let message = "The batch has more than 4 GiB: read fewer records at once.";
            return Err(Error::new(ErrorKind::RecordTooLarge, message));
        }
        self.header[0] = self.rows;
        for (place, number) in self.bytes.chunks_exact_mut(4).zip(self.header) {
            place.copy_from_slice(&(number as u32).to_le_bytes());
        }
        Ok(self.bytes)
    }
}

/// The fields of the value, which `unnest` has made columns of the table.
fn unnested(table: &RecordBatch) -> Option<ArrayRef> {
    let schema = table.schema();
    let fields = schema.fields().iter().zip(table.columns());
    let (fields, columns): (Vec<_>, Vec<_>) = fields
        .filter(|(field, _)| Column::from_name(field.name()).is_none())
        .map(|(field, column)| (Arc::clone(field), Arc::clone(column)))
        .unzip();
    if columns.is_empty() {
        return None;
    }
    Some(Arc::new(StructArray::new(fields.into(), columns, None)))
}

fn sections(first: Section) -> (Section, Section, Section) {
    match first {
        Section::KeyEnds => (Section::KeyEnds, Section::KeyNulls, Section::KeyBytes),
        Section::ValueEnds => (Section::ValueEnds, Section::ValueNulls, Section::ValueBytes),
        _ => (
            Section::HeaderValueEnds,
            Section::HeaderValueNulls,
            Section::HeaderValueBytes,
        ),
    }
}
