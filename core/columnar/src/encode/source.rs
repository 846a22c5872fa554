//! Where keys and values come from: a column of bytes, or columns that are written as JSON chunk by chunk.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryArray, RecordBatch, StructArray};
use arrow_buffer::{NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_json::EncoderOptions;
use arrow_json::writer::make_encoder;
use arrow_schema::{ArrowError, DataType, Field, FieldRef};

use super::bytes_column::BytesColumn;
use crate::error::EncodeError;

/// Keys or values.
#[derive(Debug)]
pub(super) enum Source {
    /// As they are.
    Bytes(BytesColumn),
    /// As JSON text; null rows stay null.
    Json { field: FieldRef, array: ArrayRef },
}

impl Source {
    /// A column: bytes and text as they are, other types as JSON.
    pub(super) fn of(field: &FieldRef, array: &ArrayRef) -> Result<Self, EncodeError> {
        Ok(
            match BytesColumn::of(array).map_err(|error| pack_error(&error))? {
                Some(column) => Self::Bytes(column),
                None => Self::json(field, array)?,
            },
        )
    }

    /// The rest of a table, each row as an object.
    pub(super) fn packed(rest: &RecordBatch) -> Result<Self, EncodeError> {
        let array: ArrayRef = Arc::new(StructArray::from(rest.clone()));
        Self::json(
            &Arc::new(Field::new("value", array.data_type().clone(), false)),
            &array,
        )
    }

    fn json(field: &FieldRef, array: &ArrayRef) -> Result<Self, EncodeError> {
        let data_type = with_utc(array.data_type());
        if data_type == *array.data_type() {
            return Ok(Self::Json {
                field: field.clone(),
                array: array.clone(),
            });
        }
        let array = arrow_cast::cast(array, &data_type).map_err(|error| pack_error(&error))?;
        Ok(Self::Json {
            field: Arc::new(Field::clone(field).with_data_type(data_type)),
            array,
        })
    }

    /// Checks that the types can be written, so that it does not show only after some batches are out.
    pub(super) fn check(&self) -> Result<(), EncodeError> {
        match self {
            Self::Bytes(_) => Ok(()),
            Self::Json { .. } => self.rows(0, 0).map(drop),
        }
    }

    pub(super) fn is_json(&self) -> bool {
        matches!(self, Self::Json { .. })
    }

    /// These rows as bytes.
    pub(super) fn rows(&self, first: usize, rows: usize) -> Result<BytesColumn, EncodeError> {
        match self {
            Self::Bytes(column) => Ok(column.slice(first, rows)),
            Self::Json { field, array } => {
                let written = write_json(field, array.slice(first, rows).as_ref())
                    .map_err(|error| pack_error(&error))?;
                Ok(BytesColumn::Small(written))
            }
        }
    }
}

/// One JSON text a row. Null fields are written, so that every object has all fields and their order.
fn write_json(field: &FieldRef, array: &dyn Array) -> Result<BinaryArray, ArrowError> {
    let options = EncoderOptions::default().with_explicit_nulls(true);
    let mut encoder = make_encoder(field, array, &options)?;
    let mut data = Vec::new();
    let mut ends = Vec::with_capacity(array.len() + 1);
    let mut nulls = NullBufferBuilder::new(array.len());
    ends.push(0i32);
    for row in 0..array.len() {
        let is_null = encoder.is_null(row);
        if !is_null {
            encoder.encode(row, &mut data);
        }
        nulls.append(!is_null);
        ends.push(
            i32::try_from(data.len()).map_err(|_| ArrowError::OffsetOverflowError(data.len()))?,
        );
    }
    let nulls: Option<NullBuffer> = nulls.finish();
    BinaryArray::try_new(
        OffsetBuffer::new(ScalarBuffer::from(ends)),
        data.into(),
        nulls,
    )
}

/// The type with times of any zone in UTC: the same instants, written with a `Z`. Zones by name would need a database of them.
fn with_utc(data_type: &DataType) -> DataType {
    let inner = |field: &FieldRef| {
        Arc::new(Field::clone(field).with_data_type(with_utc(field.data_type())))
    };
    match data_type {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("+00:00".into())),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::List(item) => DataType::List(inner(item)),
        DataType::LargeList(item) => DataType::LargeList(inner(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(inner(item), *size),
        other => other.clone(),
    }
}

fn pack_error(error: &ArrowError) -> EncodeError {
    EncodeError::Pack {
        reason: error.to_string(),
    }
}
