//! A table of records, and the positions after it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_schema::SchemaRef;
use headwater_columnar::{FetchedBatches, NewField};
use headwater_record::{Offset, PartitionId};

use crate::error::{Error, ErrorKind, Result};

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition's number.
    pub partition: PartitionId,
}

impl TopicPartition {
    /// Partition `partition` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, partition: impl Into<PartitionId>) -> Self {
        Self {
            topic: topic.into(),
            partition: partition.into(),
        }
    }
}

impl From<&FetchedBatches> for TopicPartition {
    fn from(fetched: &FetchedBatches) -> Self {
        Self::new(Arc::clone(&fetched.topic), fetched.partition)
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition.get())
    }
}

/// Records as an Arrow table, sorted by partition and offset, with the next offset of each partition in it.
///
/// Keys and values are views into the fetched bytes, or plain arrays if the decode options request them.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The table.
    pub records: RecordBatch,
    /// The next offset of each partition whose position moved.
    pub next_offsets: BTreeMap<TopicPartition, Offset>,
    /// The original text of JSON without a schema, in columns `key` and `value`, if the table has these columns
    /// completely. Single messages are decoded from it, independently of the type inferred for the column.
    pub json: Option<RecordBatch>,
    /// The number of records that `on_error="skip"` has skipped since the previous table.
    pub skipped: u64,
    /// Fields of JSON that first appear here, after the records from which a scan has inferred the types.
    pub new_fields: Vec<NewField>,
}

impl Batch {
    /// The number of records.
    pub fn len(&self) -> usize {
        self.records.num_rows()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The table's schema.
    pub fn schema(&self) -> SchemaRef {
        self.records.schema()
    }

    /// `len` rows from row `start`, with these next offsets.
    #[must_use]
    pub fn slice(
        &self,
        start: usize,
        len: usize,
        next_offsets: BTreeMap<TopicPartition, Offset>,
    ) -> Self {
        Self {
            records: self.records.slice(start, len),
            json: self.json.as_ref().map(|json| json.slice(start, len)),
            next_offsets,
            skipped: 0,
            new_fields: Vec::new(),
        }
    }

    /// The rows of a range, with the next offsets after them. Without the columns of partitions and offsets there are
    /// none, unless the range is the whole table.
    #[must_use]
    pub fn rows(&self, rows: Range<usize>) -> Self {
        let next_offsets = if rows == (0..self.len()) {
            self.next_offsets.clone()
        } else {
            self.next_offsets_after(rows.clone()).unwrap_or_default()
        };
        self.slice(rows.start, rows.len(), next_offsets)
    }

    fn next_offsets_after(&self, rows: Range<usize>) -> Option<BTreeMap<TopicPartition, Offset>> {
        let column = |name| self.records.column_by_name(name);
        let partitions = column("partition")?.as_primitive_opt::<Int32Type>()?;
        let offsets = column("offset")?.as_primitive_opt::<Int64Type>()?;
        let topics = column("topic").and_then(|topics| topics.as_dictionary_opt::<Int32Type>());
        let place = |row: usize| {
            let topic = topics.map(|topics| topics.keys().value(row));
            (topic, partitions.value(row))
        };
        let mut next_offsets = BTreeMap::new();
        for row in rows.clone() {
            let next = row + 1;
            if next < rows.end && place(next) == place(row) {
                continue;
            }
            let topic = match topics {
                Some(topics) => {
                    let name = topics.values().as_string_opt::<i32>()?;
                    Arc::from(name.value(topics.keys().value(row) as usize))
                }
                None => Arc::clone(&self.next_offsets.keys().next()?.topic),
            };
            let partition = TopicPartition::new(topic, partitions.value(row));
            let is_last = next == self.len() || place(next) != place(row);
            let known = self.next_offsets.get(&partition).filter(|_| is_last);
            let after = Offset::new(offsets.value(row) + 1);
            next_offsets.insert(partition, known.copied().unwrap_or(after));
        }
        Some(next_offsets)
    }

    /// Concatenates tables that have this schema. The later of two next offsets counts.
    pub fn concat(schema: &SchemaRef, batches: Vec<Self>) -> Result<Self> {
        let mut next_offsets = BTreeMap::new();
        let mut tables = Vec::with_capacity(batches.len());
        let mut texts = Vec::new();
        let (mut skipped, mut new_fields) = (0, Vec::new());
        for batch in batches {
            skipped += batch.skipped;
            new_fields.extend(batch.new_fields);
            next_offsets.extend(batch.next_offsets);
            tables.push(batch.records);
            texts.extend(batch.json);
        }
        let json = match texts.first().map(RecordBatch::schema) {
            Some(schema) => Some(concat_tables(&schema, texts)?),
            None => None,
        };
        Ok(Self {
            records: concat_tables(schema, tables)?,
            next_offsets,
            json,
            skipped,
            new_fields,
        })
    }
}

fn concat_tables(schema: &SchemaRef, mut tables: Vec<RecordBatch>) -> Result<RecordBatch> {
    if tables.len() == 1 {
        return Ok(tables.remove(0));
    }
    arrow_select::concat::concat_batches(schema, &tables).map_err(|error| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("The records do not fit into one table ({error}): read them batch by batch."),
        )
        .caused_by(error)
    })
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Int32Array, Int64Array};

    use super::*;

    fn batch() -> Batch {
        let columns: [(&str, ArrayRef); 2] = [
            ("partition", Arc::new(Int32Array::from(vec![0, 0, 1, 1]))),
            ("offset", Arc::new(Int64Array::from(vec![5, 6, 3, 8]))),
        ];
        let next = |partition: i32, offset| {
            let partition = TopicPartition::new("t", partition);
            (partition, Offset::new(offset))
        };
        Batch {
            records: RecordBatch::try_from_iter(columns).unwrap(),
            next_offsets: [next(0, 7), next(1, 12)].into(),
            json: None,
            skipped: 0,
            new_fields: Vec::new(),
        }
    }

    fn numbers(batch: &Batch) -> Vec<(i32, i64)> {
        let next = batch.next_offsets.iter();
        next.map(|(partition, offset)| (partition.partition.get(), offset.get()))
            .collect()
    }

    #[test]
    fn rows_have_the_next_offsets_after_them() {
        let next_offsets = |rows| numbers(&batch().rows(rows));
        assert_eq!(next_offsets(0..4), [(0, 7), (1, 12)]);
        assert_eq!(next_offsets(0..1), [(0, 6)]);
        assert_eq!(next_offsets(1..3), [(0, 7), (1, 4)]);
        assert_eq!(next_offsets(3..4), [(1, 12)]);
        assert_eq!(next_offsets(2..2), []);
    }

    #[test]
    fn rows_without_offsets_have_no_next_offsets() {
        let mut batch = batch();
        batch.records = batch.records.project(&[0]).unwrap();
        assert_eq!(numbers(&batch.rows(1..3)), []);
        assert_eq!(numbers(&batch.rows(0..4)), [(0, 7), (1, 12)]);
    }
}
