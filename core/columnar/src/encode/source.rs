//! The source of keys and values: a column of bytes, or columns that are written as JSON chunk by chunk.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, LargeBinaryArray, RecordBatch, StructArray};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field};

use super::bytes_column::BytesColumn;
use super::json::{Quotes, Refusal, UnwritableType, Writer};
use crate::error::EncodeError;

/// Keys or values.
#[derive(Debug)]
pub(super) enum Source {
    /// Unchanged bytes.
    Bytes(BytesColumn),
    /// JSON text; null rows stay null.
    Json(JsonSource),
}

/// A column, or several columns packed as objects, to be written as JSON.
#[derive(Debug)]
pub(super) struct JsonSource {
    /// The column; `None` for several.
    column: Option<String>,
    writer: Writer,
}

impl Source {
    /// A column: bytes and text unchanged, dates and times as their text, other types as JSON.
    pub(super) fn of(
        field: &Field,
        array: &ArrayRef,
        role: &'static str,
    ) -> Result<Self, EncodeError> {
        if let Some(column) = BytesColumn::of(array).map_err(|error| pack_error(&error))? {
            return Ok(Self::Bytes(column));
        }
        JsonSource::new(Some(field.name()), field, array, Quotes::None, role).map(Self::Json)
    }

    /// The other columns of a table, each row as an object.
    pub(super) fn packed(rest: &RecordBatch) -> Result<Self, EncodeError> {
        let fields = rest.schema_ref().fields().clone();
        let field = Field::new("value", DataType::Struct(fields), false);
        let array: ArrayRef = Arc::new(StructArray::from(rest.clone()));
        JsonSource::new(None, &field, &array, Quotes::Json, "value").map(Self::Json)
    }

    pub(super) fn is_json(&self) -> bool {
        matches!(self, Self::Json(_))
    }

    /// Whether a row can be refused when it is written.
    pub(super) fn may_refuse(&self) -> bool {
        match self {
            Self::Bytes(_) => false,
            Self::Json(source) => source.writer.may_refuse(),
        }
    }

    /// An upper bound of the size of a row.
    pub(super) fn longest(&self) -> usize {
        match self {
            Self::Bytes(column) => column.longest(),
            Self::Json(source) => source.writer.longest(),
        }
    }

    /// These rows as bytes.
    pub(super) fn rows(&self, first: usize, rows: usize) -> Result<BytesColumn, EncodeError> {
        match self {
            Self::Bytes(column) => Ok(column.slice(first, rows)),
            Self::Json(source) => source.rows(first, rows).map(BytesColumn::Large),
        }
    }
}

/// The values of a column as JSON texts, one for each row; null where the value is null.
///
/// `name` is the column's name in errors.
///
/// Integers and decimals are written with all their digits, bytes as hexadecimal digits, dates and times in ISO 8601.
pub fn json_texts(name: &str, column: &ArrayRef) -> Result<LargeBinaryArray, EncodeError> {
    let field = Field::new(name, column.data_type().clone(), true);
    let source = JsonSource::new(Some(name), &field, column, Quotes::Json, "text of JSON")?;
    source.rows(0, column.len())
}

impl JsonSource {
    fn new(
        column: Option<&str>,
        field: &Field,
        array: &ArrayRef,
        quotes: Quotes,
        role: &'static str,
    ) -> Result<Self, EncodeError> {
        match Writer::new(field, array, quotes) {
            Ok(writer) => Ok(Self {
                column: column.map(str::to_owned),
                writer,
            }),
            Err(unwritable) => Err(type_error(column, unwritable, role)),
        }
    }

    /// One JSON text a row.
    fn rows(&self, first: usize, rows: usize) -> Result<LargeBinaryArray, EncodeError> {
        let mut data = Vec::new();
        let mut ends = Vec::with_capacity(rows + 1);
        let mut nulls = NullBufferBuilder::new(rows);
        ends.push(0i64);
        for row in first..first + rows {
            let is_null = self.writer.is_null(row);
            if !is_null {
                self.writer
                    .write(row, &mut data)
                    .map_err(|refusal| self.value_error(row, &refusal))?;
            }
            nulls.append(!is_null);
            ends.push(data.len() as i64);
        }
        let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
        LargeBinaryArray::try_new(ends, data.into(), nulls.finish())
            .map_err(|error| pack_error(&error))
    }

    fn value_error(&self, row: usize, refusal: &Refusal) -> EncodeError {
        EncodeError::Value {
            row,
            column: path(self.column.as_deref(), &refusal.path),
            reason: refusal.reason,
        }
    }
}

fn type_error(column: Option<&str>, unwritable: UnwritableType, role: &'static str) -> EncodeError {
    EncodeError::ColumnType {
        name: path(column, &unwritable.path),
        data_type: unwritable.data_type,
        role,
        advice: unwritable.advice,
    }
}

/// The path of a column and fields in it: `origin.airport`.
fn path(column: Option<&str>, fields: &[String]) -> String {
    let names: Vec<&str> = column
        .into_iter()
        .chain(fields.iter().map(String::as_str))
        .collect();
    names.join(".")
}

fn pack_error(error: &ArrowError) -> EncodeError {
    EncodeError::Pack {
        reason: error.to_string(),
    }
}
