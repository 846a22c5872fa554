//! Configuration layers.

use super::{ConfigError, Definition, Table, Value};
use std::collections::BTreeMap;

/// The source of a value, the strongest first, as in Kafka's `DescribeConfigs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Set on the topic.
    Topic,
    /// Set dynamically on the broker.
    DynamicBroker,
    /// Set dynamically on all brokers.
    DynamicDefaultBroker,
    /// Passed to the broker when it was opened.
    StaticBroker,
    /// Not set.
    Default,
}

/// Values for some keys of one table. All values are valid.
#[derive(Debug, Clone)]
pub struct Layer {
    table: &'static Table,
    values: BTreeMap<&'static str, Value>,
}

impl Layer {
    /// An empty layer.
    pub const fn new(table: &'static Table) -> Self {
        Self {
            table,
            values: BTreeMap::new(),
        }
    }

    /// A layer of `pairs` as users write them, with durations for keys in milliseconds. The first invalid pair is the
    /// error.
    pub fn parse<K: AsRef<str>, V: AsRef<str>>(
        table: &'static Table,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigError> {
        let mut layer = Self::new(table);
        for (name, written) in pairs {
            let definition = table.require(name.as_ref())?;
            let value = definition.parse(&definition.written(written.as_ref())?)?;
            layer.values.insert(definition.name, value);
        }
        Ok(layer)
    }

    /// The table of the layer's keys.
    pub const fn table(&self) -> &'static Table {
        self.table
    }

    /// Sets a key to a value in Kafka's spelling. After an error the layer is unchanged.
    pub fn set(&mut self, name: &str, written: &str) -> Result<(), ConfigError> {
        let definition = self.table.require(name)?;
        self.values
            .insert(definition.name, definition.parse(written)?);
        Ok(())
    }

    /// Sets a key without validation, for values that only the owner of the layer has, such as the listeners of a
    /// broker.
    pub fn state(&mut self, name: &'static str, value: Value) {
        self.values.insert(name, value);
    }

    /// Removes the value of a key. Returns whether it was set.
    pub fn unset(&mut self, name: &str) -> bool {
        self.values.remove(name).is_some()
    }

    /// Sets all keys that `over` sets.
    pub fn overlay(&mut self, over: &Self) {
        debug_assert!(
            std::ptr::eq(self.table, over.table),
            "only layers of the same table can be stacked"
        );
        self.values.extend(
            over.values
                .iter()
                .map(|(name, value)| (*name, value.clone())),
        );
    }

    /// The value of `name` in this layer, without the default.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// The values of this layer, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.values.iter().map(|(name, value)| (*name, value))
    }

    /// Whether the layer is empty.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value of a key: set here, or its default. `None` only for a key without a default.
    ///
    /// # Panics
    /// If the table has no such key. The name is a constant, so tests that read it detect the mistake.
    pub fn value(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.values.get(name) {
            return Some(value.clone());
        }
        default_value(known(self.table, name))
    }

    /// The value of a boolean key.
    ///
    /// If the table has no such key of this type, or the key has neither a value nor a default.
    /// If the table has no such key of that kind, or it has neither a value nor a default.
    pub fn boolean(&self, name: &str) -> bool {
        match self.value(name) {
            Some(Value::Boolean(value)) => value,
            other => unreachable!("{name} is read as a boolean and holds {other:?}"),
        }
    }

    /// The value of an integer key of either width.
    ///
    /// # Panics
    /// Like [`Layer::boolean`].
    pub fn integer(&self, name: &str) -> i64 {
        match self.value(name) {
            Some(Value::Integer(value)) => value,
            other => unreachable!("{name} is read as an integer and holds {other:?}"),
        }
    }

    /// The value of a decimal key.
    ///
    /// # Panics
    /// Like [`Layer::boolean`].
    pub fn double(&self, name: &str) -> f64 {
        match self.value(name) {
            Some(Value::Double(value)) => value,
            other => unreachable!("{name} is read as a number and holds {other:?}"),
        }
    }

    /// The value of a text or choice key.
    ///
    /// # Panics
    /// Like [`Layer::boolean`].
    pub fn text(&self, name: &str) -> String {
        match self.value(name) {
            Some(Value::Text(value)) => value,
            other => unreachable!("{name} is read as text and holds {other:?}"),
        }
    }

    /// The words of a list key.
    ///
    /// # Panics
    /// Like [`Layer::boolean`].
    pub fn list(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(Value::List(words)) => words,
            other => unreachable!("{name} is read as a list and holds {other:?}"),
        }
    }
}

impl PartialEq for Layer {
    /// Layers are equal if they have the same table and the same values.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.table, other.table) && self.values == other.values
    }
}

/// The default of a key as a value.
pub(crate) fn default_value(definition: &Definition) -> Option<Value> {
    let written = definition.default?;
    match definition.parse(written) {
        Ok(value) => Some(value),
        Err(error) => unreachable!("the table has an invalid default: {error}"),
    }
}

fn known(table: &'static Table, name: &str) -> &'static Definition {
    match table.find(name) {
        Some(definition) => definition,
        None => unreachable!("the {} table has no key {name}", table.scope()),
    }
}
