//! Columns of Arrow types as JSON texts that `JSON.parse` reads without loss.
//!
//! JavaScript's numbers hold integers up to 2^53. Wider integers and decimals are written as text; bytes are
//! hexadecimal digits in JSON. A conversion has the places of such integers and bytes in a value; decimals stay text.
//!
//! ```text
//! conversion  = "integer" | "bytes" | {"items": conversion} | {"values": conversion}
//!             | {"fields": [[name, conversion], ...]}
//! ```

use std::sync::Arc;

use arrow_array::{ArrayRef, LargeBinaryArray};
use arrow_schema::{ArrowError, DataType, Field, FieldRef};
use headwater::columnar::json_texts;
use headwater::{Error, ErrorKind, Result};

/// A column as JSON.
pub(crate) struct JsonValues {
    /// The text of each value; null where the value is null.
    pub(crate) texts: LargeBinaryArray,
    /// The conversion of each value as JSON, if there is one.
    pub(crate) conversion: Option<String>,
}

impl JsonValues {
    /// The values of the column `value`.
    pub(crate) fn of(column: &ArrayRef) -> Result<Self> {
        let safe = arrow_cast::cast(column, &text_for_wide_numbers(column.data_type()));
        let safe = safe.map_err(|error: ArrowError| unreadable(&error.to_string()))?;
        let texts = json_texts("value", &safe);
        Ok(Self {
            texts: texts.map_err(|error| unreadable(&error.to_string()))?,
            conversion: conversion(column.data_type()),
        })
    }
}

fn unreadable(reason: &str) -> Error {
    let message = format!("The values cannot be read as messages ({reason}): use toArrow().");
    Error::new(ErrorKind::InvalidArgument, message)
}

/// The type with text in the place of numbers that JavaScript would round.
fn text_for_wide_numbers(data_type: &DataType) -> DataType {
    use DataType as D;
    let with_item = |item: &FieldRef| {
        let data_type = text_for_wide_numbers(item.data_type());
        Arc::new(Field::clone(item).with_data_type(data_type))
    };
    match data_type {
        D::Int64
        | D::UInt64
        | D::Decimal32(..)
        | D::Decimal64(..)
        | D::Decimal128(..)
        | D::Decimal256(..) => D::Utf8,
        D::Dictionary(_, values) => match text_for_wide_numbers(values) {
            same if same == **values => data_type.clone(),
            text => text,
        },
        D::List(item) => D::List(with_item(item)),
        D::LargeList(item) => D::LargeList(with_item(item)),
        D::FixedSizeList(item, size) => D::FixedSizeList(with_item(item), *size),
        D::Struct(fields) => D::Struct(fields.iter().map(with_item).collect()),
        D::Map(entries, sorted) => D::Map(with_item(entries), *sorted),
        _ => data_type.clone(),
    }
}

fn conversion(data_type: &DataType) -> Option<String> {
    use DataType as D;
    match data_type {
        D::Int64 | D::UInt64 => Some("\"integer\"".to_owned()),
        D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => {
            Some("\"bytes\"".to_owned())
        }
        D::Dictionary(_, values) => conversion(values),
        D::List(item) | D::LargeList(item) | D::FixedSizeList(item, _) => {
            conversion(item.data_type()).map(|of| format!("{{\"items\":{of}}}"))
        }
        D::Map(entries, _) => match entries.data_type() {
            D::Struct(entry) => {
                conversion(entry[1].data_type()).map(|of| format!("{{\"values\":{of}}}"))
            }
            _ => None,
        },
        D::Struct(fields) => {
            let fields: Vec<String> = fields.iter().filter_map(field_conversion).collect();
            (!fields.is_empty()).then(|| format!("{{\"fields\":[{}]}}", fields.join(",")))
        }
        _ => None,
    }
}

fn field_conversion(field: &FieldRef) -> Option<String> {
    let of = conversion(field.data_type())?;
    let name = serde_json::Value::from(field.name().as_str());
    Some(format!("[{name},{of}]"))
}
