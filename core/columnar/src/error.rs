//! What can go wrong. Every message says what to do.

use std::sync::Arc;

use headwater_record::{AppendError, BatchError, Offset, PartitionId};

use crate::decode::UndecodedRecord;

/// A record or a batch that could not be decoded, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("offset {offset} of {topic}-{partition}: {kind}")]
pub struct DecodeError {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: PartitionId,
    /// The record's offset; for a damaged batch, the first offset of it that was wanted.
    pub offset: Offset,
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// The record as it was written; `None` where a batch is damaged.
    pub record: Option<Box<UndecodedRecord>>,
}

/// What is wrong with a record or a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeErrorKind {
    /// The bytes are no readable batch: they were damaged on the way or on the disk.
    #[error("{source}; read the partition from another copy{}", go_on(next_offset.as_ref()))]
    Damaged {
        /// What is wrong with them.
        source: BatchError,
        /// Where the next batch starts, if the header tells.
        next_offset: Option<Offset>,
    },
    /// Not UTF-8.
    #[error(
        "the {column} is not UTF-8 ({reason}); read it as bytes, or pass on_error=\"null\" or \"skip\""
    )]
    NotText {
        /// `key` or `value`.
        column: &'static str,
        /// Where it stops to be.
        reason: String,
    },
    /// Not JSON, or not as the schema says.
    #[error("the {column} {reason}; {advice}, or pass on_error=\"null\" or \"skip\"")]
    Json {
        /// `key` or `value`.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        advice: &'static str,
    },
    /// The options and the schema do not go together.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Arrow refused to build a column.
    #[error("the columns could not be built ({reason}); decode fewer records at a time")]
    Build {
        /// What Arrow says.
        reason: String,
    },
}

fn go_on(next_offset: Option<&Offset>) -> String {
    next_offset.map_or_else(String::new, |offset| {
        format!(", or go on behind the damage by starting at offset {offset}")
    })
}

/// A schema, a dtype, or options of decoding that make no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// No such format.
    #[error("format {name:?} is unknown: use \"bytes\", \"string\" or \"json\"")]
    UnknownFormat {
        /// What was given.
        name: String,
    },
    /// No such policy.
    #[error("on_error={name:?} is unknown: use \"raise\", \"null\" or \"skip\"")]
    UnknownOnError {
        /// What was given.
        name: String,
    },
    /// No such column.
    #[error(
        "there is no column {name:?}: use partition, offset, timestamp, key, value, headers, topic, timestamp_type or leader_epoch, \
         or fields of the value together with unnest"
    )]
    UnknownColumn {
        /// What was given.
        name: String,
    },
    /// No such field in the value's schema.
    #[error("the value has no field {name:?}; its fields are {known}")]
    UnknownField {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// No such dtype.
    #[error(
        "dtype {dtype:?} is not understood ({reason}): use for example \"int64\", \"float64\", \"bool\", \"string\", \"date\", \
         \"timestamp[ms]\", \"timestamp[us, UTC]\", \"decimal(10, 2)\", \"list<int64>\" or \"struct<a: int64, b: string>\""
    )]
    Dtype {
        /// What was given.
        dtype: String,
        /// Where it stops to make sense.
        reason: String,
    },
    /// A schema in JSON that is none.
    #[error(
        "the schema is not understood ({reason}): pass an object of names and dtypes such as {{\"delay\": \"int64\"}}"
    )]
    Text {
        /// What is wrong.
        reason: String,
    },
    /// JSON cannot be read as that type.
    #[error(
        "field {field:?} has type {data_type}, which JSON cannot be read as: use \"string\" and convert it afterwards"
    )]
    Unsupported {
        /// The field.
        field: String,
        /// Its type.
        data_type: String,
    },
    /// A field of the value has the name of another column.
    #[error(
        "the value's field {name:?} has the name of a record column: read without unnest, or leave that record column out"
    )]
    NameClash {
        /// The name.
        name: String,
    },
    /// `unnest` without fields.
    #[error("unnest needs a value with fields: pass value=\"json\"")]
    NothingToUnnest,
    /// Two fields with one name.
    #[error("the schema has two fields {name:?}: rename one of them")]
    Duplicate {
        /// The name.
        name: String,
    },
}

/// A table that could not be encoded. Unless it says otherwise nothing of the table was handed out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// No such column.
    #[error("the table has no column {name:?} for the {role}; its columns are {known}")]
    UnknownColumn {
        /// What was asked for.
        name: String,
        /// `key`, `value`, ...
        role: &'static str,
        /// What there is.
        known: String,
    },
    /// The column's type is not one for its role.
    #[error("column {name:?} has type {data_type}, which cannot be the {role}: {advice}")]
    ColumnType {
        /// The column.
        name: String,
        /// Its type.
        data_type: String,
        /// `key`, `value`, ...
        role: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A row is larger than a record may be.
    #[error(
        "row {row} needs {size} bytes and a record may have {max}: raise max.request.size (and the topic's max.message.bytes), or split it"
    )]
    RecordTooLarge {
        /// The row, from 0.
        row: usize,
        /// The bytes it needs.
        size: usize,
        /// The bytes it may have.
        max: usize,
    },
    /// A row names a partition that does not exist.
    #[error("row {row} goes to partition {partition} and the topic has {count}: use 0 to {}", count - 1)]
    UnknownPartition {
        /// The row, from 0.
        row: usize,
        /// The partition.
        partition: i64,
        /// How many there are.
        count: i32,
    },
    /// Two columns with one name, where one of them is meant or both would be fields of one object.
    #[error("the table has two columns {name:?}: rename one of them")]
    DuplicateColumn {
        /// The name.
        name: String,
    },
    /// A value that has no form where it goes.
    #[error("row {row} of column {column:?} {reason}")]
    Value {
        /// The row, from 0.
        row: usize,
        /// The column, and the fields in it: `origin.airport`.
        column: String,
        /// What is wrong with the value, and what to do.
        reason: &'static str,
    },
    /// A time before 1970.
    #[error("the timestamp of row {row} is negative: Kafka counts milliseconds from 1970 on")]
    NegativeTimestamp {
        /// The row, from 0.
        row: usize,
    },
    /// A header without a name.
    #[error("row {row} has a header whose key is null: give each header a key")]
    NullHeaderKey {
        /// The row, from 0.
        row: usize,
    },
    /// Rows could not be written as JSON.
    #[error(
        "the rows could not be packed as JSON ({reason}): choose a value column, or cast the columns to types that JSON has"
    )]
    Pack {
        /// What Arrow says.
        reason: String,
    },
    /// The builder refused a row.
    #[error("row {row}: {source}")]
    Append {
        /// The row, from 0.
        row: usize,
        /// Why.
        source: AppendError,
    },
}

impl EncodeError {
    /// The same about a table that is a part of a larger one and starts at row `first` of it.
    #[must_use]
    pub fn behind(mut self, first: usize) -> Self {
        if let Some(row) = self.row_mut() {
            *row += first;
        }
        self
    }

    fn row_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::RecordTooLarge { row, .. }
            | Self::UnknownPartition { row, .. }
            | Self::Value { row, .. }
            | Self::NegativeTimestamp { row }
            | Self::NullHeaderKey { row }
            | Self::Append { row, .. } => Some(row),
            Self::UnknownColumn { .. }
            | Self::ColumnType { .. }
            | Self::DuplicateColumn { .. }
            | Self::Pack { .. } => None,
        }
    }
}
