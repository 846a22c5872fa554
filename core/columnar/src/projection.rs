//! Selects the columns to build.

use crate::error::SchemaError;

/// A column of the record schema, in schema order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// `partition int32`
    Partition,
    /// `offset int64`
    Offset,
    /// `timestamp timestamp[ms, UTC]`
    Timestamp,
    /// `key`
    Key,
    /// `value`
    Value,
    /// `headers list<struct<key: utf8, value: binary>>`
    Headers,
    /// `topic dictionary<int32, utf8>`
    Topic,
    /// `timestamp_type int8`: 0 create time, 1 log append time
    TimestampType,
    /// `leader_epoch int32`
    LeaderEpoch,
}

impl Column {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Partition,
        Self::Offset,
        Self::Timestamp,
        Self::Key,
        Self::Value,
        Self::Headers,
        Self::Topic,
        Self::TimestampType,
        Self::LeaderEpoch,
    ];

    /// Its name in the schema.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Partition => "partition",
            Self::Offset => "offset",
            Self::Timestamp => "timestamp",
            Self::Key => "key",
            Self::Value => "value",
            Self::Headers => "headers",
            Self::Topic => "topic",
            Self::TimestampType => "timestamp_type",
            Self::LeaderEpoch => "leader_epoch",
        }
    }

    /// The column with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// A set of columns, and of the fields of the value if not all are requested. The order is always the schema's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection {
    columns: u16,
    value_fields: Option<Vec<String>>,
}

impl Default for Projection {
    /// From `partition` to `headers`.
    fn default() -> Self {
        Self::of(&Column::ALL[..=Column::Headers as usize])
    }
}

impl Projection {
    /// No columns: only counts records.
    pub const fn none() -> Self {
        Self {
            columns: 0,
            value_fields: None,
        }
    }

    /// These columns.
    pub fn of(columns: &[Column]) -> Self {
        Self {
            columns: columns.iter().fold(0, |bits, column| bits | column.bit()),
            value_fields: None,
        }
    }

    /// The columns with these names. With `unnest`, other names are columns of fields of the JSON value, and only these
    /// fields are read.
    pub fn from_names<S: AsRef<str>>(names: &[S], unnest: bool) -> Result<Self, SchemaError> {
        let mut projection = Self::none();
        let mut fields = Vec::new();
        for name in names.iter().map(AsRef::as_ref) {
            match Column::from_name(name) {
                Some(column) => projection = projection.with(column),
                None if unnest => fields.push(name.to_owned()),
                None => {
                    return Err(SchemaError::UnknownColumn {
                        name: name.to_owned(),
                    });
                }
            }
        }
        if fields.is_empty() {
            Ok(projection)
        } else {
            Ok(projection.with_value_fields(fields))
        }
    }

    /// The columns of this projection with these names. With `unnest`, other names are columns of fields of the JSON
    /// value.
    #[must_use]
    pub fn narrowed<S: AsRef<str>>(&self, names: &[S], unnest: bool) -> Self {
        let mut narrowed = Self::none();
        let mut fields = Vec::new();
        for name in names.iter().map(AsRef::as_ref) {
            match Column::from_name(name).filter(|column| self.contains(*column)) {
                Some(column) if !(unnest && column == Column::Value) => {
                    narrowed = narrowed.with(column);
                }
                _ => fields.push(name.to_owned()),
            }
        }
        if fields.is_empty() {
            narrowed
        } else {
            narrowed.with_value_fields(fields)
        }
    }

    /// Adds this column.
    #[must_use]
    pub fn with(mut self, column: Column) -> Self {
        self.columns |= column.bit();
        self
    }

    /// Removes this column.
    #[must_use]
    pub fn without(mut self, column: Column) -> Self {
        self.columns &= !column.bit();
        self
    }

    /// Adds the value with only these fields of its JSON, by the names of their columns with `unnest`.
    #[must_use]
    pub fn with_value_fields(mut self, fields: Vec<String>) -> Self {
        self.value_fields = Some(fields);
        self.with(Column::Value)
    }

    /// Whether it has the column.
    pub const fn contains(&self, column: Column) -> bool {
        self.columns & column.bit() != 0
    }

    /// Whether it has no column.
    pub const fn is_empty(&self) -> bool {
        self.columns == 0
    }

    /// The requested fields of the value; `None`: all.
    pub fn value_fields(&self) -> Option<&[String]> {
        self.value_fields.as_deref()
    }
}
