//! The definition of a configuration key.

use super::{ConfigError, Value, duration_ms};
use std::borrow::Cow;

/// The type of a value, with its bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A 32-bit integer, both bounds inclusive.
    Int {
        /// The smallest value allowed.
        min: i32,
        /// The largest value allowed.
        max: i32,
    },
    /// A 64-bit integer, both bounds inclusive.
    Long {
        /// The smallest value allowed.
        min: i64,
        /// The largest value allowed.
        max: i64,
    },
    /// A decimal number, both bounds inclusive.
    Double {
        /// The smallest value allowed.
        min: f64,
        /// The largest value allowed.
        max: f64,
    },
    /// Any text.
    Text,
    /// One of the words, ignoring case.
    Choice {
        /// The words allowed.
        allowed: &'static [&'static str],
    },
    /// Words separated by commas. An empty `allowed` allows any word.
    List {
        /// The words allowed.
        allowed: &'static [&'static str],
    },
}

/// The unit of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// Not a quantity.
    #[default]
    None,
    /// A count: messages, partitions, threads.
    Count,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Milliseconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
}

/// A configuration key: its name, type, default and documentation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Definition {
    /// Kafka's spelling, with dots.
    pub name: &'static str,
    /// The type, with its bounds.
    pub kind: Kind,
    /// The written default; `None` if the key has no value by default.
    pub default: Option<&'static str>,
    /// The unit of a number.
    pub unit: Unit,
    /// The keys of the layer below that are the default of this key, the strongest first, each with a factor.
    pub synonyms: &'static [(&'static str, i64)],
    /// Whether the key can be changed while the broker runs.
    pub dynamic: bool,
    /// Why the key only accepts its default, or cannot be set if it has none. `None` if the key has an effect.
    pub fixed: Option<&'static str>,
    /// A number between the bounds that is not allowed.
    pub hole: Option<i64>,
    /// One or two sentences for the user.
    pub doc: &'static str,
}

impl Definition {
    /// A key of any type; the other constructors are shorter.
    pub const fn new(
        name: &'static str,
        kind: Kind,
        default: Option<&'static str>,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            default,
            unit: Unit::None,
            synonyms: &[],
            dynamic: false,
            fixed: None,
            hole: None,
            doc,
        }
    }

    /// A key with the values `true` and `false`.
    pub const fn boolean(name: &'static str, default: &'static str, doc: &'static str) -> Self {
        Self::new(name, Kind::Boolean, Some(default), doc)
    }

    /// A 32-bit integer from `min` to `max`.
    pub const fn int(
        name: &'static str,
        default: &'static str,
        min: i32,
        max: i32,
        doc: &'static str,
    ) -> Self {
        Self::new(name, Kind::Int { min, max }, Some(default), doc)
    }

    /// A 64-bit integer of at least `min`.
    pub const fn long(
        name: &'static str,
        default: &'static str,
        min: i64,
        doc: &'static str,
    ) -> Self {
        Self::new(name, Kind::Long { min, max: i64::MAX }, Some(default), doc)
    }

    /// A decimal number from `min` to `max`.
    pub const fn double(
        name: &'static str,
        default: &'static str,
        min: f64,
        max: f64,
        doc: &'static str,
    ) -> Self {
        Self::new(name, Kind::Double { min, max }, Some(default), doc)
    }

    /// Any text.
    pub const fn text(name: &'static str, default: &'static str, doc: &'static str) -> Self {
        Self::new(name, Kind::Text, Some(default), doc)
    }

    /// One of `allowed`.
    pub const fn choice(
        name: &'static str,
        default: &'static str,
        allowed: &'static [&'static str],
        doc: &'static str,
    ) -> Self {
        Self::new(name, Kind::Choice { allowed }, Some(default), doc)
    }

    /// Words of `allowed`, separated by commas.
    pub const fn list(
        name: &'static str,
        default: &'static str,
        allowed: &'static [&'static str],
        doc: &'static str,
    ) -> Self {
        Self::new(name, Kind::List { allowed }, Some(default), doc)
    }

    /// Sets the unit.
    #[must_use]
    pub const fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// Removes the default.
    #[must_use]
    pub const fn without_default(mut self) -> Self {
        self.default = None;
        self
    }

    /// Sets the keys of the layer below that are the default of this key.
    #[must_use]
    pub const fn synonyms(mut self, synonyms: &'static [(&'static str, i64)]) -> Self {
        self.synonyms = synonyms;
        self
    }

    /// Marks the key as dynamic.
    #[must_use]
    pub const fn dynamic(mut self) -> Self {
        self.dynamic = true;
        self
    }

    /// Marks a key of Kafka that has no effect here, with the reason. It only accepts Kafka's default.
    #[must_use]
    pub const fn fixed(mut self, reason: &'static str) -> Self {
        self.fixed = Some(reason);
        self
    }

    /// Excludes a number.
    #[must_use]
    pub const fn hole(mut self, number: i64) -> Self {
        self.hole = Some(number);
        self
    }

    /// Parses and validates `written`.
    pub fn parse(&self, written: &str) -> Result<Value, ConfigError> {
        let value = Value::parse(self, written)?;
        match self.fixed {
            Some(reason) if !self.is_default(&value) => Err(ConfigError::Fixed {
                name: self.name,
                default: self.default,
                reason,
            }),
            _ => Ok(value),
        }
    }

    /// The value in Kafka's spelling: a duration such as `7d` of a key in milliseconds becomes its milliseconds. Other
    /// values are not changed; neither a duration nor a number for such a key is an error.
    pub fn written<'a>(&self, given: &'a str) -> Result<Cow<'a, str>, ConfigError> {
        if self.unit != Unit::Milliseconds || given.trim().parse::<i64>().is_ok() {
            return Ok(Cow::Borrowed(given));
        }
        match duration_ms(given) {
            Some(milliseconds) => Ok(Cow::Owned(milliseconds.to_string())),
            None => Err(ConfigError::InvalidValue {
                name: self.name,
                value: given.to_owned(),
                expected: format!(
                    "{} (milliseconds), or a duration such as \"7d\" or \"1h30m\"",
                    self.expected()
                ),
            }),
        }
    }

    fn is_default(&self, value: &Value) -> bool {
        let default = self.default.map(|written| Value::parse(self, written));
        default.is_some_and(|default| default.as_ref() == Ok(value))
    }

    /// The allowed values, as the end of the sentence "it takes ...".
    pub fn expected(&self) -> String {
        let kind = self.expected_kind();
        match self.hole {
            Some(number) => format!("{kind} that is not {number}"),
            None => kind,
        }
    }

    fn expected_kind(&self) -> String {
        match self.kind {
            Kind::Boolean => "true or false".to_owned(),
            Kind::Int { min, max } => integers(i64::from(min), i64::from(max), i64::from(i32::MAX)),
            Kind::Long { min, max } => integers(min, max, i64::MAX),
            Kind::Double { min, max } if max >= f64::MAX => format!("a number of at least {min}"),
            Kind::Double { min, max } => format!("a number from {min} to {max}"),
            Kind::Text => "text".to_owned(),
            Kind::Choice { allowed } => alternatives(allowed),
            Kind::List { allowed: &[] } => "words separated by commas".to_owned(),
            Kind::List { allowed } => {
                format!("one or more of {}, separated by commas", allowed.join(", "))
            }
        }
    }
}

/// "lz4", "lz4 or zstd", "none, lz4 or zstd".
fn alternatives(words: &[&str]) -> String {
    let shown = |word: &&str| match *word {
        "" => "an empty text".to_owned(),
        word => word.to_owned(),
    };
    let words: Vec<_> = words.iter().map(shown).collect();
    match words.as_slice() {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        words => words.concat(),
    }
}

fn integers(min: i64, max: i64, unbounded: i64) -> String {
    if max == unbounded {
        format!("an integer of at least {min}")
    } else {
        format!("an integer from {min} to {max}")
    }
}
