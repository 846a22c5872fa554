//! Parses JSON objects to structs.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, StructArray};
use arrow_buffer::NullBufferBuilder;
use arrow_schema::{ArrowError, DataType, Fields};

use super::cursor::{Cursor, Fault};
use super::node::Node;
use crate::error::SchemaError;

/// Structs, field by field. Keys are expected in the order of the fields, as writers write them; another order costs a
/// look-up.
#[derive(Debug)]
pub(crate) struct ObjectNode {
    fields: Vec<FieldNode>,
    index: HashMap<Vec<u8>, usize>,
    nulls: NullBufferBuilder,
    len: usize,
}

#[derive(Debug)]
struct FieldNode {
    /// The key with its quotes; empty if it contains characters that must be escaped.
    quoted: Vec<u8>,
    node: Node,
}

impl ObjectNode {
    pub(crate) fn new(
        fields: &Fields,
        any_text: bool,
        capacity: usize,
    ) -> Result<Self, SchemaError> {
        let mut nodes = Vec::with_capacity(fields.len());
        let mut index = HashMap::new();
        for field in fields {
            let name = field.name();
            if index
                .insert(name.as_bytes().to_vec(), nodes.len())
                .is_some()
            {
                return Err(SchemaError::Duplicate { name: name.clone() });
            }
            let node = Node::new(name, field.data_type(), any_text, capacity)?;
            let plain = !name
                .bytes()
                .any(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            let quoted = if plain {
                format!("\"{name}\"").into_bytes()
            } else {
                Vec::new()
            };
            nodes.push(FieldNode { quoted, node });
        }
        Ok(Self {
            fields: nodes,
            index,
            nulls: NullBufferBuilder::new(capacity),
            len: 0,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Reads one object. For a repeated key the last value counts; unknown keys are skipped.
    pub(crate) fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        if !cursor.take(b'{') {
            return Err(cursor.mismatch("an object"));
        }
        let row = self.len;
        let (mut expected, mut found) = (0, 0);
        let mut more = cursor.any(b'}');
        while more {
            cursor.skip_space();
            if let Some(index) = self.field(cursor, expected)? {
                cursor.colon()?;
                let node = &mut self.fields[index].node;
                if node.len() > row {
                    node.truncate(row);
                } else {
                    found += 1;
                }
                node.read(cursor)?;
                expected = index + 1;
            } else {
                cursor.colon()?;
                cursor.skip_value()?;
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
        self.nulls.append_non_null();
        self.len += 1;
        Ok(())
    }

    /// Reads a key and returns its field.
    #[inline]
    fn field(&self, cursor: &mut Cursor<'_>, expected: usize) -> Result<Option<usize>, Fault> {
        if let Some(field) = self.fields.get(expected)
            && !field.quoted.is_empty()
            && cursor.take_all(&field.quoted)
        {
            return Ok(Some(expected));
        }
        let key = cursor.text()?;
        if !key.escaped {
            return Ok(self.index.get(key.bytes).copied());
        }
        let mut plain = Vec::new();
        key.append_to(&mut plain);
        Ok(self.index.get(&plain).copied())
    }

    pub(crate) fn push_null(&mut self) {
        for field in &mut self.fields {
            field.node.push_null();
        }
        self.nulls.append_null();
        self.len += 1;
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        for field in &mut self.fields {
            field.node.truncate(len);
        }
        self.nulls.truncate(len);
        self.len = self.len.min(len);
    }

    pub(crate) fn finish(mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let DataType::Struct(fields) = data_type else {
            return Err(ArrowError::SchemaError(format!(
                "{data_type} is not a struct"
            )));
        };
        let arrays: Result<Vec<_>, _> = self
            .fields
            .into_iter()
            .zip(fields)
            .map(|(field, to)| field.node.finish(to.data_type()))
            .collect();
        let nulls = self.nulls.finish();
        Ok(Arc::new(StructArray::try_new_with_length(
            fields.clone(),
            arrays?,
            nulls,
            self.len,
        )?))
    }
}
