//! A column of JSON values while it is built: one node for each field, straight from text to Arrow's buffers.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, ListArray, NullArray,
    StringArray, UInt64Array,
};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field};

use super::cursor::{Cursor, Fault, Kind};
use super::number;
use super::object::ObjectNode;
use super::temporal::Temporal;
use crate::error::SchemaError;

/// The values of one field. Each kind keeps the widest type of its family; [`Node::finish`] casts to the one that was asked for.
#[derive(Debug)]
pub(crate) enum Node {
    Null(usize),
    Bool(Values<bool>),
    Integer(Values<i64>, (i64, i64)),
    Unsigned(Values<u64>, u64),
    Float(Values<f64>),
    Decimal(Values<i128>, u8, i8),
    Temporal(Values<i64>, Temporal),
    Text(TextNode),
    List(Box<ListNode>),
    Object(ObjectNode),
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

/// Text, with escapes resolved.
#[derive(Debug)]
pub(crate) struct TextNode {
    ends: Vec<i32>,
    data: Vec<u8>,
    nulls: NullBufferBuilder,
    /// Whether values that are no text are taken as they stand.
    any: bool,
}

impl TextNode {
    #[inline]
    fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        match cursor.kind()? {
            Kind::Text => cursor.text()?.append_to(&mut self.data),
            _ if self.any => self.append_raw(cursor)?,
            _ => return Err(cursor.mismatch("a string")),
        }
        self.ends
            .push(i32::try_from(self.data.len()).map_err(|_| Fault::TooLarge)?);
        self.nulls.append_non_null();
        Ok(())
    }

    fn append_raw(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        // Outside strings JSON is ASCII, and strings are checked as they are passed.
        self.data.extend_from_slice(cursor.skip_value()?);
        Ok(())
    }

    fn truncate(&mut self, len: usize) {
        self.ends.truncate(len + 1);
        self.nulls.truncate(len);
        self.data
            .truncate(self.ends.last().map_or(0, |end| *end as usize));
    }
}

/// Lists of one type of item.
#[derive(Debug)]
pub(crate) struct ListNode {
    ends: Vec<i32>,
    items: Node,
    nulls: NullBufferBuilder,
}

impl ListNode {
    fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        if !cursor.take(b'[') {
            return Err(cursor.mismatch("a list"));
        }
        let mut more = cursor.any(b']');
        while more {
            self.items.read(cursor)?;
            more = cursor.more(b']')?;
        }
        self.ends
            .push(i32::try_from(self.items.len()).map_err(|_| Fault::TooLarge)?);
        self.nulls.append_non_null();
        Ok(())
    }
}

impl Node {
    /// A node for that type. `any_text`: text fields take values that are no text as they stand.
    pub(crate) fn new(
        name: &str,
        data_type: &DataType,
        any_text: bool,
        capacity: usize,
    ) -> Result<Self, SchemaError> {
        use DataType as D;
        let unsupported = || SchemaError::Unsupported {
            field: name.to_owned(),
            data_type: data_type.to_string(),
        };
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
            D::Float16 | D::Float32 | D::Float64 => Self::Float(Values::new(capacity)),
            D::Decimal128(precision, scale) => {
                Self::Decimal(Values::new(capacity), *precision, *scale)
            }
            D::Utf8 | D::LargeUtf8 | D::Utf8View => Self::text(any_text, capacity),
            D::Dictionary(_, values) if is_text(values) => Self::text(any_text, capacity),
            D::List(item) | D::LargeList(item) => Self::List(Box::new(ListNode {
                ends: offsets(capacity),
                items: Self::new(name, item.data_type(), any_text, capacity)?,
                nulls: NullBufferBuilder::new(capacity),
            })),
            D::Struct(fields) => Self::Object(ObjectNode::new(fields, any_text, capacity)?),
            _ => match Temporal::new(data_type) {
                Some(temporal) => Self::Temporal(Values::new(capacity), temporal),
                None => return Err(unsupported()),
            },
        })
    }

    fn text(any: bool, capacity: usize) -> Self {
        let nulls = NullBufferBuilder::new(capacity);
        Self::Text(TextNode {
            ends: offsets(capacity),
            data: Vec::with_capacity(capacity * 8),
            nulls,
            any,
        })
    }

    /// Reads one value. After a fault the node may have any length from the one before to one more: truncate it.
    #[inline]
    pub(crate) fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        if cursor.take_null()? {
            self.push_null();
            return Ok(());
        }
        match self {
            Self::Integer(values, (min, max)) => values.push(number::integer(cursor, *min, *max)?),
            Self::Text(text) => text.read(cursor)?,
            Self::Float(values) => values.push(number::float(cursor)?),
            Self::Temporal(values, temporal) => values.push(temporal.read(cursor)?),
            Self::Bool(values) if cursor.kind()? == Kind::Bool => values.push(cursor.boolean()?),
            Self::Bool(_) => return Err(cursor.mismatch("true or false")),
            Self::Unsigned(values, max) => values.push(number::unsigned(cursor, *max)?),
            Self::Decimal(values, precision, scale) => {
                values.push(number::decimal(cursor, *precision, *scale)?);
            }
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
            Self::Float(values) => values.push_null(),
            Self::Decimal(values, ..) => values.push_null(),
            Self::Text(text) => {
                text.ends.push(text.data.len() as i32);
                text.nulls.append_null();
            }
            Self::List(list) => {
                list.ends.push(list.items.len() as i32);
                list.nulls.append_null();
            }
            Self::Object(object) => object.push_null(),
        }
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Null(len) => *len,
            Self::Bool(values) => values.values.len(),
            Self::Integer(values, _) | Self::Temporal(values, _) => values.values.len(),
            Self::Unsigned(values, _) => values.values.len(),
            Self::Float(values) => values.values.len(),
            Self::Decimal(values, ..) => values.values.len(),
            Self::Text(text) => text.ends.len() - 1,
            Self::List(list) => list.ends.len() - 1,
            Self::Object(object) => object.len(),
        }
    }

    /// Forgets all values from the `len`-th on, also half of one.
    pub(crate) fn truncate(&mut self, len: usize) {
        match self {
            Self::Null(old) => *old = len.min(*old),
            Self::Bool(values) => values.truncate(len),
            Self::Integer(values, _) | Self::Temporal(values, _) => values.truncate(len),
            Self::Unsigned(values, _) => values.truncate(len),
            Self::Float(values) => values.truncate(len),
            Self::Decimal(values, ..) => values.truncate(len),
            Self::Text(text) => text.truncate(len),
            Self::List(list) => {
                list.ends.truncate(len + 1);
                list.nulls.truncate(len);
                list.items
                    .truncate(list.ends.last().map_or(0, |end| *end as usize));
            }
            Self::Object(object) => object.truncate(len),
        }
    }

    /// The array, of that type.
    pub(crate) fn finish(self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
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
            Self::Float(mut values) => Arc::new(Float64Array::new(
                values.values.into(),
                values.nulls.finish(),
            )),
            Self::Decimal(mut values, precision, scale) => Arc::new(
                Decimal128Array::new(values.values.into(), values.nulls.finish())
                    .with_precision_and_scale(precision, scale)?,
            ),
            Self::Text(mut text) => {
                let ends = OffsetBuffer::new(ScalarBuffer::from(text.ends));
                Arc::new(StringArray::try_new(
                    ends,
                    text.data.into(),
                    text.nulls.finish(),
                )?)
            }
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

impl ListNode {
    fn finish(mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let (DataType::List(item) | DataType::LargeList(item)) = data_type else {
            return Err(ArrowError::SchemaError(format!("{data_type} is no list")));
        };
        let items = self.items.finish(item.data_type())?;
        let field = Arc::new(Field::clone(item).with_nullable(true));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        Ok(Arc::new(ListArray::try_new(
            field,
            offsets,
            items,
            self.nulls.finish(),
        )?))
    }
}

fn offsets(capacity: usize) -> Vec<i32> {
    let mut offsets = Vec::with_capacity(capacity + 1);
    offsets.push(0);
    offsets
}

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}
