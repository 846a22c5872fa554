//! Infers the types of JSON values from the values.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields};

use super::cursor::{Cursor, Fault, Kind, MAX_DEPTH};

/// The type that all values so far have in common. It only widens, so the order of records determines the order of
/// fields and nothing else.
#[derive(Clone, Debug, Default)]
pub(crate) enum Guess {
    /// Only null so far.
    #[default]
    Null,
    Bool,
    /// Integers that a float represents exactly too.
    Integer,
    /// Integers that a float may not represent exactly.
    LargeInteger,
    Float,
    List(Box<Guess>),
    Object(Object),
    /// Text, or values without a common type.
    Text,
}

/// Fields in the order of their first appearance.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object {
    fields: Vec<(String, Guess)>,
    index: HashMap<String, usize>,
}

impl Guess {
    /// Widens the type for one value. After a fault the result is not reliable.
    pub(crate) fn learn(&mut self, cursor: &mut Cursor<'_>, depth: u32) -> Result<(), Fault> {
        let kind = cursor.kind()?;
        if depth >= MAX_DEPTH && matches!(kind, Kind::List | Kind::Object) {
            return Err(cursor.syntax("less nesting"));
        }
        match kind {
            Kind::Null => cursor.skip_value().map(drop),
            Kind::Bool => cursor.boolean().map(|_| self.widen(Self::Bool)),
            Kind::Text => cursor.text().map(|_| self.widen(Self::Text)),
            Kind::Number => cursor.number().map(|text| self.widen(of_number(text))),
            Kind::List => {
                self.widen(Self::List(Box::default()));
                let mut ignored = Self::Null;
                let item = if let Self::List(item) = self {
                    &mut **item
                } else {
                    &mut ignored
                };
                cursor.take(b'[');
                let mut more = cursor.any(b']');
                while more {
                    item.learn(cursor, depth + 1)?;
                    more = cursor.more(b']')?;
                }
                Ok(())
            }
            Kind::Object => {
                self.widen(Self::Object(Object::default()));
                let mut ignored = Object::default();
                let object = if let Self::Object(object) = self {
                    object
                } else {
                    &mut ignored
                };
                object.learn(cursor, depth)
            }
        }
    }

    /// The Arrow type of whole keys or values; `None` before the first value.
    pub(crate) fn top_type(&self, text: &DataType) -> Option<DataType> {
        match self {
            Self::Null => None,
            Self::Object(object) => Some(DataType::Struct(object.fields(text))),
            other => Some(other.data_type(text)),
        }
    }

    fn widen(&mut self, other: Self) {
        *self = match (std::mem::take(self), other) {
            (Self::Null, other) => other,
            (Self::Bool, Self::Bool) => Self::Bool,
            (Self::Integer, Self::Integer) => Self::Integer,
            (Self::Integer | Self::LargeInteger, Self::Integer | Self::LargeInteger) => {
                Self::LargeInteger
            }
            (Self::Integer | Self::Float, Self::Integer | Self::Float) => Self::Float,
            (Self::List(item), Self::List(_)) => Self::List(item),
            (Self::Object(object), Self::Object(_)) => Self::Object(object),
            _ => Self::Text,
        };
    }

    /// The Arrow type. Fields that were only null, and objects without fields, are text, which can represent anything
    /// later.
    pub(crate) fn data_type(&self, text: &DataType) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Integer | Self::LargeInteger => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::List(item) => {
                DataType::List(Arc::new(Field::new("item", item.data_type(text), true)))
            }
            Self::Object(object) if !object.fields.is_empty() => {
                DataType::Struct(object.fields(text))
            }
            Self::Null | Self::Text | Self::Object(_) => text.clone(),
        }
    }
}

impl Object {
    /// Widens the type for one object. The cursor must be at its `{`.
    pub(crate) fn learn(&mut self, cursor: &mut Cursor<'_>, depth: u32) -> Result<(), Fault> {
        cursor.expect(b'{', "'{'")?;
        let mut more = cursor.any(b'}');
        let mut next = 0;
        while more {
            cursor.skip_space();
            let mut name = Vec::new();
            cursor.text()?.append_to(&mut name);
            cursor.colon()?;
            let field = self.position(&name, next);
            self.fields[field].1.learn(cursor, depth + 1)?;
            next = field + 1;
            more = cursor.more(b'}')?;
        }
        Ok(())
    }

    fn position(&mut self, name: &[u8], expected: usize) -> usize {
        if self
            .fields
            .get(expected)
            .is_some_and(|field| field.0.as_bytes() == name)
        {
            return expected;
        }
        let name = String::from_utf8_lossy(name).into_owned();
        *self.index.entry(name).or_insert_with_key(|name| {
            self.fields.push((name.clone(), Guess::Null));
            self.fields.len() - 1
        })
    }

    /// The Arrow fields.
    pub(crate) fn fields(&self, text: &DataType) -> Fields {
        self.fields
            .iter()
            .map(|(name, guess)| Field::new(name, guess.data_type(text), true))
            .collect()
    }
}

/// An `f64` represents every integer from its negative up to this one exactly.
const FLOAT_INTEGER_MAX: u64 = 1 << f64::MANTISSA_DIGITS;

/// Integers that an `i64` represents; larger ones are text, which is lossless. For the same reason large integers
/// combined with floats are text.
fn of_number(text: &[u8]) -> Guess {
    if text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        return Guess::Float;
    }
    let integer = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse::<i64>().ok());
    match integer {
        Some(integer) if integer.unsigned_abs() <= FLOAT_INTEGER_MAX => Guess::Integer,
        Some(_) => Guess::LargeInteger,
        None => Guess::Text,
    }
}
