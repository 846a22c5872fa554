//! Lists and maps while they are built.

use std::sync::Arc;

use arrow_array::{ArrayRef, FixedSizeListArray, ListArray, MapArray, StructArray};
use arrow_buffer::{NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, FieldRef};

use super::cursor::{Cursor, Fault};
use super::node::Node;
use super::text_node::{Content, TextNode, offsets};

/// The end of each row among the entries of all rows, and the null rows.
#[derive(Debug)]
struct Rows {
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Rows {
    fn new(capacity: usize) -> Self {
        Self {
            ends: offsets(capacity),
            nulls: NullBufferBuilder::new(capacity),
        }
    }

    fn len(&self) -> usize {
        self.ends.len() - 1
    }

    /// Ends a row at this number of entries.
    fn push(&mut self, entries: usize) -> Result<(), Fault> {
        self.ends
            .push(i32::try_from(entries).map_err(|_| Fault::TooLarge)?);
        self.nulls.append_non_null();
        Ok(())
    }

    fn push_null(&mut self, entries: usize) {
        self.ends.push(entries as i32);
        self.nulls.append_null();
    }

    /// Keeps the first `len` rows; returns the number of their entries.
    fn truncate(&mut self, len: usize) -> usize {
        self.ends.truncate(len + 1);
        self.nulls.truncate(len);
        self.ends.last().map_or(0, |end| *end as usize)
    }

    /// The row of an entry.
    fn of_entry(&self, entry: usize) -> usize {
        self.ends[1..].partition_point(|end| *end as usize <= entry)
    }

    /// Adds the unnamed keys of the entries, with their rows.
    fn add_unnamed_names(&self, entries: &Node, path: &str, out: &mut Vec<(String, usize)>) {
        let first = out.len();
        entries.add_unnamed_names(path, out);
        for (_, row) in &mut out[first..] {
            *row = self.of_entry(*row);
        }
    }

    fn finish(mut self) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        (offsets, self.nulls.finish())
    }
}

/// Lists of one item type.
#[derive(Debug)]
pub(crate) struct ListNode {
    rows: Rows,
    items: Node,
    /// The number of items in each list, if the type fixes it.
    size: Option<usize>,
}

impl ListNode {
    pub(crate) fn new(items: Node, size: Option<usize>, capacity: usize) -> Self {
        Self {
            rows: Rows::new(capacity),
            items,
            size,
        }
    }

    pub(crate) fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let start = *cursor;
        if !cursor.take(b'[') {
            return Err(cursor.mismatch("a list"));
        }
        let first = self.items.len();
        let mut more = cursor.any(b']');
        while more {
            self.items.read(cursor)?;
            more = cursor.more(b']')?;
        }
        if let Some(size) = self.size.filter(|size| self.items.len() - first != *size) {
            return Err(start.mismatch(format_args!("a list of {size} items")));
        }
        self.rows.push(self.items.len())
    }

    pub(crate) fn items(&self) -> &Node {
        &self.items
    }

    pub(crate) fn add_unnamed_names(&self, path: &str, out: &mut Vec<(String, usize)>) {
        self.rows.add_unnamed_names(&self.items, path, out);
    }

    pub(crate) fn push_null(&mut self) {
        for _ in 0..self.size.unwrap_or(0) {
            self.items.push_null();
        }
        self.rows.push_null(self.items.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.items.truncate(self.rows.truncate(len));
    }

    pub(crate) fn finish(self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let (DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)) = data_type
        else {
            return Err(ArrowError::SchemaError(format!(
                "{data_type} is not a list"
            )));
        };
        let items = self.items.finish(item.data_type())?;
        let field: FieldRef = Arc::new(Field::clone(item).with_nullable(true));
        let rows = self.rows.len();
        let (offsets, nulls) = self.rows.finish();
        if let DataType::FixedSizeList(_, size) = data_type {
            let lists = FixedSizeListArray::try_new_with_length(field, *size, items, nulls, rows)?;
            return Ok(Arc::new(lists));
        }
        Ok(Arc::new(ListArray::try_new(field, offsets, items, nulls)?))
    }
}

/// Objects with arbitrary keys.
#[derive(Debug)]
pub(crate) struct MapNode {
    rows: Rows,
    keys: TextNode,
    values: Node,
}

impl MapNode {
    pub(crate) fn new(values: Node, capacity: usize) -> Self {
        Self {
            rows: Rows::new(capacity),
            keys: TextNode::new(Content::Text, capacity),
            values,
        }
    }

    pub(crate) fn read(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let start = *cursor;
        if !cursor.take(b'{') {
            return Err(cursor.mismatch("an object"));
        }
        let first = self.keys.len();
        let mut more = cursor.any(b'}');
        while more {
            cursor.skip_space();
            self.keys.read(cursor)?;
            cursor.colon()?;
            self.values.read(cursor)?;
            more = cursor.more(b'}')?;
        }
        let mut keys = std::collections::HashSet::new();
        if !(first..self.keys.len()).all(|at| keys.insert(self.keys.value(at))) {
            return Err(start.mismatch("an object without repeated keys"));
        }
        self.rows.push(self.keys.len())
    }

    pub(crate) fn values(&self) -> &Node {
        &self.values
    }

    pub(crate) fn add_unnamed_names(&self, path: &str, out: &mut Vec<(String, usize)>) {
        self.rows.add_unnamed_names(&self.values, path, out);
    }

    pub(crate) fn push_null(&mut self) {
        self.rows.push_null(self.keys.len());
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        let entries = self.rows.truncate(len);
        self.keys.truncate(entries);
        self.values.truncate(entries);
    }

    pub(crate) fn finish(self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let no_map = || ArrowError::SchemaError(format!("{data_type} is not a map"));
        let DataType::Map(entries, ordered) = data_type else {
            return Err(no_map());
        };
        let DataType::Struct(fields) = entries.data_type() else {
            return Err(no_map());
        };
        let [key, value] = &fields[..] else {
            return Err(no_map());
        };
        let keys = arrow_cast::cast(&self.keys.finish()?, key.data_type())?;
        let values = self.values.finish(value.data_type())?;
        let structs = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
        let (offsets, nulls) = self.rows.finish();
        Ok(Arc::new(MapArray::try_new(
            entries.clone(),
            offsets,
            structs,
            nulls,
            *ordered,
        )?))
    }
}
