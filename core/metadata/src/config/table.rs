//! The keys of one scope.

use super::{ConfigError, Definition, Value};
use crate::nearest;

/// All keys of one scope: of a topic, a broker, a producer or a consumer.
#[derive(Debug)]
pub struct Table {
    scope: &'static str,
    definitions: &'static [Definition],
}

impl Table {
    /// The table of `scope`, a word for error messages ("topic", "producer").
    pub const fn new(scope: &'static str, definitions: &'static [Definition]) -> Self {
        Self { scope, definitions }
    }

    /// The scope.
    pub const fn scope(&self) -> &'static str {
        self.scope
    }

    /// Every key, in the order of the table.
    pub const fn definitions(&self) -> &'static [Definition] {
        self.definitions
    }

    /// The key with exactly this name.
    pub fn find(&self, name: &str) -> Option<&'static Definition> {
        self.definitions
            .iter()
            .find(|definition| definition.name == name)
    }

    /// The key with this name, or an error with the most similar one.
    pub fn require(&self, name: &str) -> Result<&'static Definition, ConfigError> {
        self.find(name).ok_or_else(|| ConfigError::UnknownKey {
            scope: self.scope,
            name: name.to_owned(),
            nearest: self.nearest(name),
        })
    }

    /// Parses and validates the value of a key.
    pub fn parse(&self, name: &str, written: &str) -> Result<Value, ConfigError> {
        self.require(name)?.parse(written)
    }

    /// The key with the most similar name, if one is similar, or the shortest one that has `name` between two dots:
    /// `log.retention.ms` for `retention`.
    pub fn nearest(&self, name: &str) -> Option<&'static str> {
        let name = canonical_key(name);
        let names = || self.definitions.iter().map(|definition| definition.name);
        nearest(&name, names()).or_else(|| {
            let part = format!(".{name}.");
            names()
                .filter(|known| known.contains(&part))
                .min_by_key(|known| known.len())
        })
    }
}

/// Kafka's spelling of `auto_offset_reset` or `autoOffsetReset`: `auto.offset.reset`.
pub fn canonical_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        match letter {
            '_' => key.push('.'),
            'A'..='Z' => {
                if !key.is_empty() && !key.ends_with('.') {
                    key.push('.');
                }
                key.push(letter.to_ascii_lowercase());
            }
            _ => key.push(letter),
        }
    }
    key
}
