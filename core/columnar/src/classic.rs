//! Converts view types to classic types.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema, SchemaRef};

use crate::projection::Column;

/// The schema with `Binary` and `Utf8` in place of the view types of keys and values. Fields of a JSON value keep the
/// types of their schema.
pub fn classic_schema(schema: &SchemaRef) -> SchemaRef {
    let classic = |field: &FieldRef| match Column::from_name(field.name()) {
        Some(Column::Key | Column::Value) => match field.data_type() {
            DataType::BinaryView => with_type(field, DataType::Binary),
            DataType::Utf8View => with_type(field, DataType::Utf8),
            _ => field.clone(),
        },
        _ => field.clone(),
    };
    let fields: Vec<FieldRef> = schema.fields().iter().map(classic).collect();
    let same = |(new, old): (&FieldRef, &FieldRef)| Arc::ptr_eq(new, old);
    if fields.iter().zip(schema.fields()).all(same) {
        return schema.clone();
    }
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// The fields with `Binary` and `Utf8` in place of view types, also in nested fields: for libraries without view types.
pub fn fields_without_views(fields: &Fields) -> Fields {
    fields.iter().map(field_without_views).collect()
}

fn field_without_views(field: &FieldRef) -> FieldRef {
    with_type(field, type_without_views(field.data_type()))
}

fn type_without_views(data_type: &DataType) -> DataType {
    match data_type {
        DataType::BinaryView => DataType::Binary,
        DataType::Utf8View => DataType::Utf8,
        DataType::Struct(fields) => DataType::Struct(fields_without_views(fields)),
        DataType::List(item) => DataType::List(field_without_views(item)),
        DataType::LargeList(item) => DataType::LargeList(field_without_views(item)),
        DataType::FixedSizeList(item, size) => {
            DataType::FixedSizeList(field_without_views(item), *size)
        }
        DataType::Dictionary(key, value) => {
            DataType::Dictionary(key.clone(), Box::new(type_without_views(value)))
        }
        other => other.clone(),
    }
}

fn with_type(field: &FieldRef, data_type: DataType) -> FieldRef {
    Arc::new(Field::clone(field).with_data_type(data_type))
}

/// The table with classic types in place of the view types of keys and values. Copies their bytes. Fails if a column
/// would exceed 2 GiB: slice the table first.
pub fn to_classic(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = classic_schema(batch.schema_ref());
    if Arc::ptr_eq(&schema, batch.schema_ref()) {
        return Ok(batch.clone());
    }
    let cast =
        |(column, field): (&ArrayRef, &FieldRef)| arrow_cast::cast(column, field.data_type());
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(cast)
        .collect::<Result<Vec<_>, _>>()?;
    with_rows(schema, columns, batch.num_rows())
}

/// The table with the bytes of its view columns copied to new buffers: for a small result that outlives a large fetch,
/// which its views would keep in memory. Strings inside structs never share fetched bytes and are not copied.
pub fn compact(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let compacted = |column: &ArrayRef| -> ArrayRef {
        match column.data_type() {
            DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
            DataType::Utf8View => Arc::new(column.as_string_view().gc()),
            _ => column.clone(),
        }
    };
    with_rows(
        batch.schema(),
        batch.columns().iter().map(compacted).collect(),
        batch.num_rows(),
    )
}

fn with_rows(
    schema: SchemaRef,
    columns: Vec<ArrayRef>,
    rows: usize,
) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_new_with_options(
        schema,
        columns,
        &RecordBatchOptions::new().with_row_count(Some(rows)),
    )
}
