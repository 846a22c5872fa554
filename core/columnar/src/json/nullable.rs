//! Makes every field of a type nullable.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields};

/// The same fields, all nullable: in JSON any field may be missing, and the record of a deleted key has no value.
pub(super) fn nullable(fields: &Fields) -> Fields {
    fields
        .iter()
        .map(|field| {
            Field::clone(field)
                .with_nullable(true)
                .with_data_type(nullable_type(field.data_type()))
        })
        .collect()
}

fn nullable_type(data_type: &DataType) -> DataType {
    let item = |field: &Field| {
        Arc::new(
            field
                .clone()
                .with_nullable(true)
                .with_data_type(nullable_type(field.data_type())),
        )
    };
    match data_type {
        DataType::Struct(fields) => DataType::Struct(nullable(fields)),
        DataType::List(field) => DataType::List(item(field)),
        DataType::LargeList(field) => DataType::LargeList(item(field)),
        DataType::ListView(field) => DataType::ListView(item(field)),
        DataType::LargeListView(field) => DataType::LargeListView(item(field)),
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(item(field), *size),
        DataType::Map(entries, ordered) => DataType::Map(nullable_values(entries), *ordered),
        other => other.clone(),
    }
}

/// The entries of a map: values may be null, keys may not.
fn nullable_values(entries: &FieldRef) -> FieldRef {
    let DataType::Struct(fields) = entries.data_type() else {
        return entries.clone();
    };
    let keys = fields.iter().take(1).cloned();
    let values = nullable(fields).iter().skip(1).cloned().collect::<Vec<_>>();
    let fields = DataType::Struct(keys.chain(values).collect());
    Arc::new(Field::clone(entries).with_data_type(fields))
}
