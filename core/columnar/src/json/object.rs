//! Parses JSON objects to structs.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, StructArray};
use arrow_buffer::NullBufferBuilder;
use arrow_schema::{ArrowError, DataType, Fields};

use super::cursor::{Cursor, Fault};
use super::node::{Node, NodeRules};
use super::text::RawText;
use super::unnamed::{ExtraKeys, Rest};
use crate::error::SchemaError;

/// Structs, field by field. Keys are expected in the order of the fields, as writers write them; another order costs a
/// look-up.
#[derive(Debug)]
pub(crate) struct ObjectNode {
    fields: Vec<FieldNode>,
    index: HashMap<Vec<u8>, Key>,
    /// The keys that the type does not name; `None` if they are skipped.
    unnamed: Option<ExtraKeys>,
    rest: Option<Rest>,
    nulls: NullBufferBuilder,
    len: usize,
}

/// A key that is in the index of an object.
#[derive(Clone, Copy, Debug)]
enum Key {
    /// The key of a field.
    Field(usize),
    /// The key of a field that the type has, but that is not read.
    NotRead,
    /// A key that the type does not name, and that is remembered.
    Unnamed,
}

/// A key of a value.
enum FoundKey<'a> {
    /// That of a field.
    Field(usize),
    /// Another one.
    Other(Option<Key>, RawText<'a>),
}

#[derive(Debug)]
struct FieldNode {
    name: String,
    /// The key with its quotes; empty if it contains characters that must be escaped.
    quoted: Vec<u8>,
    node: Node,
}

impl ObjectNode {
    pub(crate) fn new(
        fields: &Fields,
        reading: NodeRules,
        capacity: usize,
    ) -> Result<Self, SchemaError> {
        let mut nodes = Vec::with_capacity(fields.len());
        let mut index = HashMap::new();
        for field in fields {
            let name = field.name();
            if index
                .insert(name.as_bytes().to_vec(), Key::Field(nodes.len()))
                .is_some()
            {
                return Err(SchemaError::Duplicate { name: name.clone() });
            }
            let node = Node::new(name, field.data_type(), reading, capacity)?;
            let plain = !name
                .bytes()
                .any(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            let quoted = if plain {
                format!("\"{name}\"").into_bytes()
            } else {
                Vec::new()
            };
            nodes.push(FieldNode {
                name: name.clone(),
                quoted,
                node,
            });
        }
        Ok(Self {
            fields: nodes,
            index,
            unnamed: ExtraKeys::new(reading.unnamed),
            rest: None,
            nulls: NullBufferBuilder::new(capacity),
            len: 0,
        })
    }

    /// Keeps keys that the type does not name in a text, as a last column.
    #[must_use]
    pub(crate) fn with_rest(mut self, capacity: usize) -> Self {
        self.rest = Some(Rest::new(capacity));
        self
    }

    /// Skips other keys that the type names.
    #[must_use]
    pub(crate) fn without<'a>(mut self, names: impl Iterator<Item = &'a str>) -> Self {
        for name in names {
            self.index
                .entry(name.as_bytes().to_vec())
                .or_insert(Key::NotRead);
        }
        self
    }

    /// See [`Node::unnamed_count`].
    pub(crate) fn unnamed_count(&self) -> u64 {
        let of_fields = self.fields.iter().map(|field| field.node.unnamed_count());
        self.unnamed.as_ref().map_or(0, ExtraKeys::count) + of_fields.sum::<u64>()
    }

    /// See [`Node::add_unnamed_names`].
    pub(crate) fn add_unnamed_names(&self, path: &str, out: &mut Vec<(String, usize)>) {
        let join = |name: &str| match path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        let own = self.unnamed.iter().flat_map(ExtraKeys::names);
        out.extend(own.map(|(name, row)| (join(name), *row)));
        for field in &self.fields {
            if field.node.is_nested() {
                field.node.add_unnamed_names(&join(&field.name), out);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Reads one object. For a repeated key the last value counts; unknown keys are skipped, or kept in the rest.
    pub(crate) fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        if !cursor.take(b'{') {
            return Err(cursor.mismatch("an object"));
        }
        let row = self.len;
        if let Some(rest) = &mut self.rest {
            rest.start_row();
        }
        let (mut expected, mut found) = (0, 0);
        let mut more = cursor.any(b'}');
        while more {
            cursor.skip_space();
            let start = *cursor;
            let key = self.key(cursor, expected)?;
            let key_text = cursor.text_since(start);
            cursor.colon()?;
            match key {
                FoundKey::Field(index) => {
                    let node = &mut self.fields[index].node;
                    if node.len() > row {
                        node.truncate(row);
                    } else {
                        found += 1;
                    }
                    if self.rest.is_some() && node.is_nested() {
                        self.read_with_rest(index, key_text, cursor)?;
                    } else {
                        node.read(cursor)?;
                    }
                    expected = index + 1;
                }
                FoundKey::Other(known, key) => {
                    let value = cursor.skip_value()?;
                    self.keep(known, key, key_text, value);
                }
            }
            more = cursor.more(b'}')?;
        }
        if found < self.fields.len() {
            for field in &mut self.fields {
                if field.node.len() == row {
                    field.node.push_null();
                }
            }
        }
        if let Some(rest) = &mut self.rest {
            rest.end_row()?;
        }
        self.nulls.append_non_null();
        self.len += 1;
        Ok(())
    }

    /// Reads a value that can contain objects. If these have unnamed keys, the rest gets the whole value.
    fn read_with_rest(
        &mut self,
        index: usize,
        key_text: &[u8],
        cursor: &mut Cursor<'_>,
    ) -> Result<(), Fault> {
        cursor.skip_space();
        let field = &mut self.fields[index];
        let (start, before) = (*cursor, field.node.unnamed_count());
        field.node.read(cursor)?;
        if let Some(rest) = &mut self.rest
            && field.node.unnamed_count() > before
        {
            rest.add(key_text, cursor.text_since(start));
        }
        Ok(())
    }

    /// Keeps a key, its text with quotes, and the text of its value, as far as that is requested.
    #[inline]
    fn keep(&mut self, known: Option<Key>, key: RawText<'_>, key_text: &[u8], value: &[u8]) {
        let Some(unnamed) = &mut self.unnamed else {
            return;
        };
        match known {
            Some(Key::Field(_) | Key::NotRead) => return,
            Some(Key::Unnamed) => unnamed.add_known(),
            None => {
                if let Some(name) = unnamed.add(key, self.len) {
                    self.index.insert(name, Key::Unnamed);
                }
            }
        }
        if let Some(rest) = &mut self.rest {
            rest.add(key_text, value);
        }
    }

    /// Reads a key.
    #[inline]
    fn key<'a>(&self, cursor: &mut Cursor<'a>, expected: usize) -> Result<FoundKey<'a>, Fault> {
        if let Some(field) = self.fields.get(expected)
            && !field.quoted.is_empty()
            && cursor.take_all(&field.quoted)
        {
            return Ok(FoundKey::Field(expected));
        }
        let key = cursor.text()?;
        let known = if key.escaped {
            let mut plain = Vec::new();
            key.append_to(&mut plain);
            self.index.get(&plain)
        } else {
            self.index.get(key.bytes)
        };
        Ok(match known {
            Some(Key::Field(index)) => FoundKey::Field(*index),
            other => FoundKey::Other(other.copied(), key),
        })
    }

    pub(crate) fn push_null(&mut self) {
        for field in &mut self.fields {
            field.node.push_null();
        }
        if let Some(rest) = &mut self.rest {
            rest.push_null();
        }
        self.nulls.append_null();
        self.len += 1;
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        for field in &mut self.fields {
            field.node.truncate(len);
        }
        if let Some(rest) = &mut self.rest {
            rest.truncate(len);
        }
        self.nulls.truncate(len);
        self.len = self.len.min(len);
    }

    /// The array of that type, whose last field is the rest, if it is kept.
    pub(crate) fn finish(mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let DataType::Struct(fields) = data_type else {
            return Err(ArrowError::SchemaError(format!(
                "{data_type} is not a struct"
            )));
        };
        let arrays = self
            .fields
            .into_iter()
            .zip(fields)
            .map(|(field, to)| field.node.finish(to.data_type()));
        let rest = self.rest.map(|rest| rest.into_texts().finish());
        let arrays: Result<Vec<_>, _> = arrays.chain(rest).collect();
        let nulls = self.nulls.finish();
        Ok(Arc::new(StructArray::try_new_with_length(
            fields.clone(),
            arrays?,
            nulls,
            self.len,
        )?))
    }
}
