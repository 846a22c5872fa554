//! A column of JSON values while it is built: one node for each field, which parses text directly to Arrow's buffers.

use std::sync::Arc;

use arrow_array::types::{Decimal128Type, Decimal256Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, Decimal256Array, Float64Array, Int64Array,
    NullArray, UInt64Array,
};
use arrow_buffer::{NullBufferBuilder, i256};
use arrow_schema::{ArrowError, DataType, Field};

use super::cursor::{Cursor, Fault, Kind};
use super::list::{ListNode, MapNode};
use super::number::{self, FloatWidth};
use super::object::ObjectNode;
use super::temporal::Temporal;
use super::text_node::{Content, TextNode};
use super::unnamed::ExtraKeyPolicy;
use crate::error::SchemaError;

/// The values of one field. Each kind stores the widest type of its family; [`Node::finish`] casts to the requested
/// one.
#[derive(Debug)]
pub(crate) enum Node {
    Null(usize),
    Bool(Values<bool>),
    Integer(Values<i64>, (i64, i64)),
    Unsigned(Values<u64>, u64),
    Float(Values<f64>, FloatWidth),
    Decimal(Values<i128>, u8, i8),
    WideDecimal(Values<i256>, u8, i8),
    Temporal(Values<i64>, Temporal),
    Text(TextNode),
    List(Box<ListNode>),
    Map(Box<MapNode>),
    Object(ObjectNode),
}

/// How nodes read values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeRules {
    /// Whether text fields accept other values as their JSON text.
    pub(crate) any_text: bool,
    /// How keys that the type does not name are kept.
    pub(crate) unnamed: ExtraKeyPolicy,
}

/// Values of a fixed size.
#[derive(Debug)]
pub(crate) struct Values<T> {
    values: Vec<T>,
    nulls: NullBufferBuilder,
}

impl<T: Default> Values<T> {
    fn new(capacity: usize) -> Self {
        Self {
            values: Vec::with_capacity(capacity),
            nulls: NullBufferBuilder::new(capacity),
        }
    }

    #[inline]
    fn push(&mut self, value: T) {
        self.values.push(value);
        self.nulls.append_non_null();
    }

    fn push_null(&mut self) {
        self.values.push(T::default());
        self.nulls.append_null();
    }

    fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.nulls.truncate(len);
    }
}

impl Node {
    /// A node for that type.
    pub(crate) fn new(
        name: &str,
        data_type: &DataType,
        reading: NodeRules,
        capacity: usize,
    ) -> Result<Self, SchemaError> {
        use DataType as D;
        let integer = |min: i64, max: i64| Self::Integer(Values::new(capacity), (min, max));
        Ok(match data_type {
            D::Null => Self::Null(0),
            D::Boolean => Self::Bool(Values::new(capacity)),
            D::Int8 => integer(i8::MIN.into(), i8::MAX.into()),
            D::Int16 => integer(i16::MIN.into(), i16::MAX.into()),
            D::Int32 => integer(i32::MIN.into(), i32::MAX.into()),
            D::Int64 => integer(i64::MIN, i64::MAX),
            D::UInt8 => Self::Unsigned(Values::new(capacity), u8::MAX.into()),
            D::UInt16 => Self::Unsigned(Values::new(capacity), u16::MAX.into()),
            D::UInt32 => Self::Unsigned(Values::new(capacity), u32::MAX.into()),
            D::UInt64 => Self::Unsigned(Values::new(capacity), u64::MAX),
            D::Float16 => Self::Float(Values::new(capacity), FloatWidth::Half),
            D::Float32 => Self::Float(Values::new(capacity), FloatWidth::Single),
            D::Float64 => Self::Float(Values::new(capacity), FloatWidth::Double),
            D::Decimal32(precision, scale)
            | D::Decimal64(precision, scale)
            | D::Decimal128(precision, scale) => {
                Self::Decimal(Values::new(capacity), *precision, *scale)
            }
            D::Decimal256(precision, scale) => {
                Self::WideDecimal(Values::new(capacity), *precision, *scale)
            }
            _ => Self::of_text_or_parts(name, data_type, reading, capacity)?,
        })
    }

    /// A node for text, bytes, times, and nested types.
    fn of_text_or_parts(
        name: &str,
        data_type: &DataType,
        reading: NodeRules,
        capacity: usize,
    ) -> Result<Self, SchemaError> {
        use DataType as D;
        let unsupported = || SchemaError::Unsupported {
            field: name.to_owned(),
            data_type: data_type.to_string(),
        };
        let text = |content| Self::Text(TextNode::new(content, capacity));
        let list = |item: &Field, size| {
            let items = Self::new(name, item.data_type(), reading, capacity)?;
            Ok(Self::List(Box::new(ListNode::new(items, size, capacity))))
        };
        Ok(match data_type {
            D::Utf8 | D::LargeUtf8 | D::Utf8View if reading.any_text => text(Content::AnyText),
            D::Utf8 | D::LargeUtf8 | D::Utf8View => text(Content::Text),
            D::Binary | D::LargeBinary | D::BinaryView => text(Content::Bytes(None)),
            D::FixedSizeBinary(size) => text(Content::Bytes(usize::try_from(*size).ok())),
            // Arrow cannot build dictionaries of the other types.
            D::Dictionary(_, values)
                if !values.is_nested()
                    && !matches!(**values, D::Null | D::Boolean | D::Duration(_)) =>
            {
                Self::new(name, values, reading, capacity)?
            }
            D::List(item) | D::LargeList(item) | D::ListView(item) | D::LargeListView(item) => {
                list(item, None)?
            }
            D::FixedSizeList(item, size) => list(item, usize::try_from(*size).ok())?,
            D::Map(entries, _) => match entries.data_type() {
                D::Struct(fields) if fields.len() == 2 && is_text(fields[0].data_type()) => {
                    let values = Self::new(name, fields[1].data_type(), reading, capacity)?;
                    Self::Map(Box::new(MapNode::new(values, capacity)))
                }
                _ => return Err(unsupported()),
            },
            D::Struct(fields) => Self::Object(ObjectNode::new(fields, reading, capacity)?),
            _ => match Temporal::new(data_type) {
                Some(temporal) => Self::Temporal(Values::new(capacity), temporal),
                None => return Err(unsupported()),
            },
        })
    }

    /// Reads one value. After a fault the node may have one value more than before, or a part of one: truncate it.
    #[inline]
    pub(crate) fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        if cursor.take_null()? {
            self.push_null();
            return Ok(());
        }
        match self {
            Self::Integer(values, (min, max)) => values.push(number::integer(cursor, *min, *max)?),
            Self::Text(text) => text.read(cursor)?,
            Self::Float(values, width) => values.push(number::float(cursor, *width)?),
            Self::Temporal(values, temporal) => values.push(temporal.read(cursor)?),
            Self::Bool(values) if cursor.kind()? == Kind::Bool => values.push(cursor.boolean()?),
            Self::Bool(_) => return Err(cursor.mismatch("true or false")),
            Self::Unsigned(values, max) => values.push(number::unsigned(cursor, *max)?),
            Self::Decimal(values, precision, scale) => {
                values.push(number::decimal::<Decimal128Type>(
                    cursor, *precision, *scale,
                )?);
            }
            Self::WideDecimal(values, precision, scale) => {
                values.push(number::decimal::<Decimal256Type>(
                    cursor, *precision, *scale,
                )?);
            }
            Self::Map(map) => map.read(cursor)?,
            Self::List(list) => list.read(cursor)?,
            Self::Object(object) => object.read(cursor)?,
            Self::Null(_) => return Err(cursor.mismatch("null")),
        }
        Ok(())
    }

    /// Appends null.
    pub(crate) fn push_null(&mut self) {
        match self {
            Self::Null(len) => *len += 1,
            Self::Bool(values) => values.push_null(),
            Self::Integer(values, _) | Self::Temporal(values, _) => values.push_null(),
            Self::Unsigned(values, _) => values.push_null(),
            Self::Float(values, _) => values.push_null(),
            Self::Decimal(values, ..) => values.push_null(),
            Self::WideDecimal(values, ..) => values.push_null(),
            Self::Text(text) => text.push_null(),
            Self::List(list) => list.push_null(),
            Self::Map(map) => map.push_null(),
            Self::Object(object) => object.push_null(),
        }
    }

    /// The number of values.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Null(len) => *len,
            Self::Bool(values) => values.values.len(),
            Self::Integer(values, _) | Self::Temporal(values, _) => values.values.len(),
            Self::Unsigned(values, _) => values.values.len(),
            Self::Float(values, _) => values.values.len(),
            Self::Decimal(values, ..) => values.values.len(),
            Self::WideDecimal(values, ..) => values.values.len(),
            Self::Text(text) => text.len(),
            Self::List(list) => list.len(),
            Self::Map(map) => map.len(),
            Self::Object(object) => object.len(),
        }
    }

    /// Whether values can contain objects.
    #[inline]
    pub(crate) fn is_nested(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map(_) | Self::Object(_))
    }

    /// The number of unnamed keys so far, in objects at any depth.
    pub(crate) fn unnamed_count(&self) -> u64 {
        match self {
            Self::List(list) => list.items().unnamed_count(),
            Self::Map(map) => map.values().unnamed_count(),
            Self::Object(object) => object.unnamed_count(),
            _ => 0,
        }
    }

    /// Adds the remembered unnamed keys, each with the row of its first appearance. `path` is the name of this field.
    pub(crate) fn add_unnamed_names(&self, path: &str, out: &mut Vec<(String, usize)>) {
        match self {
            Self::List(list) => list.add_unnamed_names(path, out),
            Self::Map(map) => map.add_unnamed_names(path, out),
            Self::Object(object) => object.add_unnamed_names(path, out),
            _ => {}
        }
    }

    /// Removes all values from the `len`-th on, including a partial one.
    pub(crate) fn truncate(&mut self, len: usize) {
        match self {
            Self::Null(old) => *old = len.min(*old),
            Self::Bool(values) => values.truncate(len),
            Self::Integer(values, _) | Self::Temporal(values, _) => values.truncate(len),
            Self::Unsigned(values, _) => values.truncate(len),
            Self::Float(values, _) => values.truncate(len),
            Self::Decimal(values, ..) => values.truncate(len),
            Self::WideDecimal(values, ..) => values.truncate(len),
            Self::Text(text) => text.truncate(len),
            Self::List(list) => list.truncate(len),
            Self::Map(map) => map.truncate(len),
            Self::Object(object) => object.truncate(len),
        }
    }

    /// The array, of that type.
    pub(crate) fn finish(self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        if let DataType::Dictionary(_, values) = data_type {
            return arrow_cast::cast(&self.finish(values)?, data_type);
        }
        let array: ArrayRef = match self {
            Self::Null(len) => Arc::new(NullArray::new(len)),
            Self::Bool(mut values) => Arc::new(BooleanArray::new(
                values.values.into(),
                values.nulls.finish(),
            )),
            Self::Integer(mut values, _) => {
                Arc::new(Int64Array::new(values.values.into(), values.nulls.finish()))
            }
            Self::Temporal(mut values, _) => {
                let array = Int64Array::new(values.values.into(), values.nulls.finish());
                return Temporal::finish(array, data_type);
            }
            Self::Unsigned(mut values, _) => Arc::new(UInt64Array::new(
                values.values.into(),
                values.nulls.finish(),
            )),
            Self::Float(mut values, _) => Arc::new(Float64Array::new(
                values.values.into(),
                values.nulls.finish(),
            )),
            Self::Decimal(mut values, precision, scale) => Arc::new(
                Decimal128Array::new(values.values.into(), values.nulls.finish())
                    .with_precision_and_scale(precision, scale)?,
            ),
            Self::WideDecimal(mut values, precision, scale) => Arc::new(
                Decimal256Array::new(values.values.into(), values.nulls.finish())
                    .with_precision_and_scale(precision, scale)?,
            ),
            Self::Text(text) => text.finish()?,
            Self::Map(map) => map.finish(data_type)?,
            Self::List(list) => list.finish(data_type)?,
            Self::Object(object) => object.finish(data_type)?,
        };
        if array.data_type() == data_type {
            Ok(array)
        } else {
            arrow_cast::cast(&array, data_type)
        }
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}
