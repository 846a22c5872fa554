//! A table of records, and the positions after it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow_array::RecordBatch;
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
