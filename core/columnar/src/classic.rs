//! View types to classic ones.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema, SchemaRef};

/// The schema with `Binary` and `Utf8` in the place of the view types, in nested fields too.
pub fn classic_schema(schema: &SchemaRef) -> SchemaRef {
    let fields: Vec<FieldRef> = schema.fields().iter().map(classic_field).collect();
    if fields
        .iter()
        .zip(schema.fields())
        .all(|(new, old)| Arc::ptr_eq(new, old))
    {
        return schema.clone();
    }
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn classic_fields(fields: &Fields) -> Fields {
    fields.iter().map(classic_field).collect()
}

fn classic_field(field: &FieldRef) -> FieldRef {
    let data_type = classic_type(field.data_type());
    if data_type == *field.data_type() {
        field.clone()
    } else {
        Arc::new(Field::clone(field).with_data_type(data_type))
    }
}

/// The type with classic types in the place of view types.
pub(crate) fn classic_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::BinaryView => DataType::Binary,
        DataType::Utf8View => DataType::Utf8,
        DataType::Struct(fields) => DataType::Struct(classic_fields(fields)),
        DataType::List(item) => DataType::List(classic_field(item)),
        DataType::LargeList(item) => DataType::LargeList(classic_field(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(classic_field(item), *size),
        other => other.clone(),
    }
}

/// The table with classic types in the place of view types, in nested columns too: the bytes of these columns are copied. Fails where a
/// column would have more than 2 GiB: slice the table first.
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

/// The table with the bytes of its view columns copied into buffers of their own: for a small result that outlives a large fetch, which
/// its views would keep alive. Strings inside structs never share fetched bytes and stay as they are.
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
