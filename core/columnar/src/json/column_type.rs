//! The type of a JSON column: the whole type, the part that is read, and the part that the table shows.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields};

use super::node::{Node, NodeRules};
use super::object::ObjectNode;
use super::unnamed::ExtraKeyPolicy;
use crate::error::SchemaError;
use crate::options::DecodeOptions;
use crate::projection::Column;

const TOP: &str = "value";

/// The fields that the table shows.
#[derive(Debug)]
pub(super) struct ShownFields {
    /// Their names in the table; `None`: all.
    names: Option<Vec<String>>,
    /// The prefix of fields that become columns and have the name of a record column; `None`: they stay in the value.
    prefix: Option<String>,
    /// The name of the rest, if it is read.
    rest: Option<String>,
}

impl ShownFields {
    pub(super) fn new(options: &DecodeOptions, column: Column) -> Self {
        let is_value = column == Column::Value;
        let is_shown = options.columns.contains(column);
        let names = options
            .columns
            .value_fields()
            .filter(|_| is_value && is_shown)
            .map(<[String]>::to_vec);
        let is_wanted = |rest: &String| names.as_ref().is_none_or(|names| names.contains(rest));
        Self {
            rest: options
                .rest
                .clone()
                .filter(|rest| is_value && is_shown && is_wanted(rest)),
            prefix: (is_value && options.unnest).then(|| options.unnest_prefix.clone()),
            names,
        }
    }

    pub(super) fn are_all(&self) -> bool {
        self.names.is_none()
    }

    pub(super) fn have_rest(&self) -> bool {
        self.rest.is_some()
    }

    fn name<'a>(&self, field: &'a str) -> Cow<'a, str> {
        match &self.prefix {
            Some(prefix) => lifted_name(field, prefix),
            None => Cow::Borrowed(field),
        }
    }

    /// These fields of a type, in its order, and then the rest.
    fn of(&self, fields: &Fields) -> Result<Fields, SchemaError> {
        let Some(names) = &self.names else {
            return Ok(self.with_rest(fields));
        };
        let is_known = |name: &str| {
            self.rest.as_deref() == Some(name)
                || fields.iter().any(|field| self.name(field.name()) == name)
        };
        if let Some(name) = names.iter().find(|name| !is_known(name)) {
            let known: Vec<_> = fields.iter().map(|field| self.name(field.name())).collect();
            return Err(SchemaError::UnknownField {
                name: name.clone(),
                known: known.join(", "),
            });
        }
        let is_shown = |field: &str| names.iter().any(|name| *name == self.name(field));
        let chosen: Fields = fields
            .iter()
            .filter(|field| is_shown(field.name()))
            .cloned()
            .collect();
        Ok(self.with_rest(&chosen))
    }

    fn with_rest(&self, fields: &Fields) -> Fields {
        let rest = self
            .rest
            .iter()
            .map(|name| Arc::new(Field::new(name, DataType::Utf8, true)));
        fields.iter().cloned().chain(rest).collect()
    }
}

/// The name of the column of an unnested field.
pub(crate) fn lifted_name<'a>(field: &'a str, prefix: &str) -> Cow<'a, str> {
    match Column::from_name(field) {
        Some(column) if column != Column::Value => Cow::Owned(format!("{prefix}{field}")),
        _ => Cow::Borrowed(field),
    }
}

/// The known type of a JSON column.
#[derive(Debug)]
pub(super) struct ColumnType {
    /// The whole type, without the rest.
    pub(super) whole: DataType,
    /// The type that values are read as, with the rest.
    read: DataType,
    /// The part of it that the table shows.
    pub(super) shown: DataType,
    reading: NodeRules,
    has_rest: bool,
}

impl ColumnType {
    /// Refuses unsupported types and names now rather than at the first record. `reads_whole`: values must fit the
    /// whole type, even if the table shows only some fields.
    pub(super) fn new(
        whole: DataType,
        shown_fields: &ShownFields,
        reads_whole: bool,
        reading: NodeRules,
    ) -> Result<Self, SchemaError> {
        Node::new(TOP, &whole, reading, 0)?;
        let DataType::Struct(fields) = &whole else {
            return Ok(Self {
                read: whole.clone(),
                shown: whole.clone(),
                whole,
                reading,
                has_rest: false,
            });
        };
        if let Some(name) = &shown_fields.rest
            && fields.find(name).is_some()
        {
            return Err(SchemaError::RestIsAField { name: name.clone() });
        }
        let shown = DataType::Struct(shown_fields.of(fields)?);
        Ok(Self {
            read: if reads_whole {
                DataType::Struct(shown_fields.with_rest(fields))
            } else {
                shown.clone()
            },
            shown,
            whole,
            reading,
            has_rest: shown_fields.have_rest(),
        })
    }

    /// The type that values are read as, with the rest.
    pub(super) fn read(&self) -> &DataType {
        &self.read
    }

    /// A node for the type that values are read as.
    pub(super) fn node(&self, capacity: usize) -> Result<Node, SchemaError> {
        let (DataType::Struct(read), DataType::Struct(whole)) = (&self.read, &self.whole) else {
            return Node::new(TOP, &self.read, self.reading, capacity);
        };
        let rest = usize::from(self.has_rest);
        let fields: Fields = read.iter().take(read.len() - rest).cloned().collect();
        let mut object = ObjectNode::new(&fields, self.reading, capacity)?;
        if self.reading.unnamed != ExtraKeyPolicy::Nothing {
            object = object.without(whole.iter().map(|field| field.name().as_str()));
        }
        if self.has_rest {
            object = object.with_rest(capacity);
        }
        Ok(Node::Object(object))
    }
}
