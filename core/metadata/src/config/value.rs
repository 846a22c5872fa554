//! A validated configuration value.

use super::{ConfigError, Definition, Kind};
use std::fmt;

/// A value that is valid for its [`Definition`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Boolean(bool),
    /// An integer; values of 32-bit keys are checked to fit.
    Integer(i64),
    /// A decimal number.
    Double(f64),
    /// Text, or a word of a choice in the table's spelling.
    Text(String),
    /// Words, in their original order.
    List(Vec<String>),
}

impl Value {
    /// Parses `written` according to `definition`. Surrounding white space is ignored.
    pub fn parse(definition: &Definition, written: &str) -> Result<Self, ConfigError> {
        let text = written.trim();
        let is_allowed = |value: &Self| match (value, definition.hole) {
            (Self::Integer(number), Some(hole)) => *number != hole,
            _ => true,
        };
        let value = parse(definition.kind, text).filter(is_allowed);
        value.ok_or_else(|| ConfigError::InvalidValue {
            name: definition.name,
            value: written.to_owned(),
            expected: definition.expected(),
        })
    }
}

fn parse(kind: Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Boolean if text.eq_ignore_ascii_case("true") => Some(Value::Boolean(true)),
        Kind::Boolean if text.eq_ignore_ascii_case("false") => Some(Value::Boolean(false)),
        Kind::Boolean => None,
        Kind::Int { min, max } => {
            let number: i32 = text.parse().ok()?;
            (min..=max)
                .contains(&number)
                .then_some(Value::Integer(i64::from(number)))
        }
        Kind::Long { min, max } => {
            let number: i64 = text.parse().ok()?;
            (min..=max)
                .contains(&number)
                .then_some(Value::Integer(number))
        }
        Kind::Double { min, max } => {
            let number: f64 = text.parse().ok()?;
            (min..=max)
                .contains(&number)
                .then_some(Value::Double(number))
        }
        Kind::Text => Some(Value::Text(text.to_owned())),
        Kind::Choice { allowed } => Some(Value::Text(spelled(allowed, text)?.to_owned())),
        Kind::List { allowed } => list(allowed, text),
    }
}

/// The word of `allowed` that equals `text`, ignoring case.
fn spelled(allowed: &'static [&'static str], text: &str) -> Option<&'static str> {
    allowed
        .iter()
        .copied()
        .find(|word| word.eq_ignore_ascii_case(text))
}

fn list(allowed: &'static [&'static str], text: &str) -> Option<Value> {
    let mut words = Vec::new();
    for word in text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
    {
        let word = if allowed.is_empty() {
            word
        } else {
            spelled(allowed, word)?
        };
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    (allowed.is_empty() || !words.is_empty()).then_some(Value::List(words))
}

impl fmt::Display for Value {
    /// The written form; parsing it gives the same value.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(out),
            Self::Integer(value) => value.fmt(out),
            Self::Double(value) => write!(out, "{value:?}"),
            Self::Text(value) => out.write_str(value),
            Self::List(words) => out.write_str(&words.join(",")),
        }
    }
}
