//! The errors of this crate. Every message ends with the remedy.

use std::sync::Arc;

use headwater_record::{AppendError, BatchError, Offset, PartitionId};

use crate::decode::UndecodedRecord;

/// A record or a batch that could not be decoded, and its position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("offset {offset} of {topic}-{partition}: {kind}")]
pub struct DecodeError {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: PartitionId,
    /// The record's offset; for a damaged batch, the first requested offset in it.
    pub offset: Offset,
    /// The error.
    pub kind: DecodeErrorKind,
    /// The original record; `None` for a damaged batch.
    pub record: Option<Box<UndecodedRecord>>,
}

/// The error of a record or a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeErrorKind {
    /// The bytes are not a readable batch: they were damaged in transit or on disk.
    #[error("{source}; read the partition from another copy{}", go_on(next_offset.as_ref()))]
    Damaged {
        /// The damage.
        source: BatchError,
        /// The start of the next intact batch, if the fetched bytes have one.
        next_offset: Option<Offset>,
    },
    /// The bytes are not UTF-8.
    #[error(
        "the {column} is not UTF-8 ({reason}); read it as bytes, or pass on_error=\"null\" or \"skip\""
    )]
    NotText {
        /// `key` or `value`.
        column: &'static str,
        /// The position of the first invalid byte.
        reason: String,
    },
    /// The value is not JSON, or does not fit the schema.
    #[error("the {column} {reason}; {advice}, or pass on_error=\"null\" or \"skip\"")]
    Json {
        /// `key` or `value`.
        column: &'static str,
        /// The problem.
        reason: String,
        /// The remedy.
        advice: &'static str,
    },
    /// The options and the schema are not compatible.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Arrow refused to build a column.
    #[error("the columns could not be built ({reason}); decode fewer records at a time")]
    Build {
        /// The message of Arrow.
        reason: String,
    },
}

impl DecodeErrorKind {
    /// Damage for which the next intact batch is not known yet.
    pub(crate) const fn damaged(source: BatchError) -> Self {
        Self::Damaged {
            source,
            next_offset: None,
        }
    }
}

fn go_on(next_offset: Option<&Offset>) -> String {
    next_offset.map_or_else(String::new, |offset| {
        format!(", or skip the damage by starting at offset {offset}")
    })
}

/// An invalid schema or dtype, or invalid options of decoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// An unknown format.
    #[error("format {name:?} is unknown: use \"bytes\", \"string\" or \"json\"")]
    UnknownFormat {
        /// The given name.
        name: String,
    },
    /// An unknown policy.
    #[error("on_error={name:?} is unknown: use \"raise\", \"null\" or \"skip\"")]
    UnknownOnError {
        /// The given name.
        name: String,
    },
    /// An unknown column.
    #[error(
        "there is no column {name:?}: use partition, offset, timestamp, key, value, headers, topic, timestamp_type or leader_epoch, \
         or fields of the value together with unnest"
    )]
    UnknownColumn {
        /// The given name.
        name: String,
    },
    /// A field that the value's schema does not have.
    #[error("the value has no field {name:?}; its fields are {known}")]
    UnknownField {
        /// The given name.
        name: String,
        /// The existing fields.
        known: String,
    },
    /// An unknown dtype.
    #[error(
        "dtype {dtype:?} is not valid ({reason}): use for example \"int64\", \"float64\", \"bool\", \"string\", \"date\", \
         \"timestamp[ms]\", \"timestamp[us, UTC]\", \"decimal(10, 2)\", \"list<int64>\" or \"struct<a: int64, b: string>\""
    )]
    Dtype {
        /// The given dtype.
        dtype: String,
        /// The position of the error.
        reason: String,
    },
    /// A schema in JSON that is invalid.
    #[error(
        "the schema is not valid ({reason}): pass an object of names and dtypes such as {{\"delay\": \"int64\"}}"
    )]
    Text {
        /// The problem.
        reason: String,
    },
    /// JSON cannot be read as this type.
    #[error(
        "field {field:?} has type {data_type}, which JSON values cannot be read as: use \"string\" and convert it afterwards"
    )]
    Unsupported {
        /// The field.
        field: String,
        /// Its type.
        data_type: String,
    },
    /// With `unnest`, two columns would have the same name.
    #[error(
        "unnest would make two columns {name:?}: choose another unnest_prefix, or read without unnest"
    )]
    NameClash {
        /// The name.
        name: String,
    },
    /// The rest has the name of a field.
    #[error("the value has a field {name:?}: choose another name for rest")]
    RestIsAField {
        /// The name.
        name: String,
    },
    /// The rest has the name of a record column.
    #[error("rest={name:?} is the name of a record column: choose another name for rest")]
    RestIsAColumn {
        /// The name.
        name: String,
    },
    /// A rest of values without fields.
    #[error("rest needs a value with fields: pass value=\"json\"")]
    NoFieldsForRest,
    /// A rest where all values of a table determine its type.
    #[error(
        "rest would always be empty, because every table has all fields of its values: pass a schema, or read with a scan"
    )]
    EmptyRest,
    /// `unnest` without fields.
    #[error("unnest needs a value with fields: pass value=\"json\"")]
    NothingToUnnest,
    /// Two fields with the same name.
    #[error("the schema has two fields {name:?}: rename one of them")]
    Duplicate {
        /// The name.
        name: String,
    },
}

/// A table that could not be encoded. Unless stated otherwise, no batch of the table was returned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// An unknown column.
    #[error("the table has no column {name:?} for the {role}; its columns are {known}")]
    UnknownColumn {
        /// The given name.
        name: String,
        /// `key`, `value`, ...
        role: &'static str,
        /// The existing columns.
        known: String,
    },
    /// The column's type is not possible for its role.
    #[error("column {name:?} has type {data_type}, which cannot be the {role}: {advice}")]
    ColumnType {
        /// The column.
        name: String,
        /// Its type.
        data_type: String,
        /// `key`, `value`, ...
        role: &'static str,
        /// The remedy.
        advice: &'static str,
    },
    /// A row exceeds the maximum size of a record.
    #[error(
        "row {row} needs {size} bytes, more than the maximum of {max}: raise max.request.size (and the topic's max.message.bytes), or split the record"
    )]
    RecordTooLarge {
        /// The row, from 0.
        row: usize,
        /// The size of the row in bytes.
        size: usize,
        /// The maximum size in bytes.
        max: usize,
    },
    /// A row has a partition that does not exist.
    #[error("row {row} has partition {partition}, but the topic has {count}: use 0 to {}", count - 1)]
    UnknownPartition {
        /// The row, from 0.
        row: usize,
        /// The partition.
        partition: i64,
        /// The number of partitions.
        count: i32,
    },
    /// Two columns with the same name, where the name is used or both would be fields of one object.
    #[error("the table has two columns {name:?}: rename one of them")]
    DuplicateColumn {
        /// The name.
        name: String,
    },
    /// A value that cannot be written in its destination.
    #[error("row {row} of column {column:?} {reason}")]
    Value {
        /// The row, from 0.
        row: usize,
        /// The column, and the fields in it: `origin.airport`.
        column: String,
        /// The problem and the remedy.
        reason: &'static str,
    },
    /// A timestamp before 1970.
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
        "the rows could not be packed as JSON ({reason}): choose a value column, or cast the columns to types that JSON can express"
    )]
    Pack {
        /// The message of Arrow.
        reason: String,
    },
    /// The builder refused a row.
    #[error("row {row}: {source}")]
    Append {
        /// The row, from 0.
        row: usize,
        /// The reason.
        source: AppendError,
    },
}

impl EncodeError {
    /// The same error for a table that contains this one from row `first` on.
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
