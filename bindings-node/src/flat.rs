//! Writes records into one buffer that JavaScript reads without a parser: typed arrays of numbers, and the bytes of
//! keys, values and headers.
//!
//! ```text
//!   header      u32 * 20: rows, columns (bits), then the position of each section in bytes
//!   sections    aligned to 8 bytes, in the order of `Section`
//! ```
//! Numbers are little-endian. A section `...Ends` has one number more than rows: bytes `ends[i]..ends[i + 1]` belong to
//! row `i`. A section `...Nulls` has a byte for each row, 1 for null. Columns that were not read have no bit, and their
//! sections are empty.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, RecordBatch};
use arrow_buffer::{Buffer, ScalarBuffer};
use arrow_schema::DataType;
use headwater::columnar::Column;
use headwater::{Batch, Error, ErrorKind, Result};

/// The number of integers in the header: rows, columns, and the positions of the sections.
const HEADER: usize = 20;

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
}

/// Writes the rows of a batch. `topic` is the topic of all rows if the table has no column of topics.
pub(crate) fn write(
    batch: &Batch,
    rows: Range<usize>,
    topic: Option<&Arc<str>>,
) -> Result<Vec<u8>> {
    let slice = |table: &RecordBatch| table.slice(rows.start, rows.len());
    let json = batch.json.as_ref().map(slice);
    let mut writer = Writer::new(rows.len(), batch.records.get_array_memory_size());
    writer.table(&slice(&batch.records), json.as_ref(), topic);
    writer.finish()
}

struct Writer {
    bytes: Vec<u8>,
    header: [usize; HEADER],
    rows: usize,
}

impl Writer {
    fn new(rows: usize, size: usize) -> Self {
        let mut bytes = Vec::with_capacity(size.min(rows * 64 + (64 << 20)));
        bytes.resize(HEADER * 4, 0);
        Self {
            bytes,
            header: [0; HEADER],
            rows,
        }
    }

    fn table(&mut self, table: &RecordBatch, json: Option<&RecordBatch>, topic: Option<&Arc<str>>) {
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
        self.cells(Section::KeyEnds, text(Column::Key));
        self.cells(Section::ValueEnds, text(Column::Value));
        self.headers(column(Column::Headers));
        self.topics(column(Column::Topic), topic);
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

    /// Three sections: ends, nulls, bytes.
    fn cells(&mut self, first: Section, column: Option<&Arc<dyn Array>>) {
        let Some(column) = column else { return };
        match column.data_type() {
            DataType::BinaryView => {
                let column = column.as_binary_view();
                self.bytes_column(
                    first,
                    column.len(),
                    |row| column.is_null(row),
                    |row| column.value(row),
                );
            }
            DataType::Utf8View => {
                let column = column.as_string_view();
                let value = |row| column.value(row).as_bytes();
                self.bytes_column(first, column.len(), |row| column.is_null(row), value);
            }
            DataType::Binary => {
                let column = column.as_binary::<i32>();
                self.bytes_column(
                    first,
                    column.len(),
                    |row| column.is_null(row),
                    |row| column.value(row),
                );
            }
            DataType::Utf8 => {
                let column = column.as_string::<i32>();
                let value = |row| column.value(row).as_bytes();
                self.bytes_column(first, column.len(), |row| column.is_null(row), value);
            }
            // A type that JavaScript reads only from Arrow.
            _ => {}
        }
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
