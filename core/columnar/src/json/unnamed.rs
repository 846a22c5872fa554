//! Keys of objects that the type of the values does not name.

use super::cursor::Fault;
use super::text::RawText;
use super::text_node::{Content, TextNode};

/// The maximum number of names that one object remembers.
const NAMES_MAX: usize = 100;

/// Which of these keys are kept while values are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExtraKeyPolicy {
    /// They are skipped.
    Nothing,
    /// They are counted, so that the objects that have some are known.
    Counts,
    /// They are counted, and their names are remembered.
    Names,
}

/// The unnamed keys of the objects of one node.
#[derive(Debug)]
pub(crate) struct ExtraKeys {
    /// How many there were.
    count: u64,
    /// Their names, each with the row of its first appearance; `None` if they are not remembered.
    names: Option<Vec<(String, usize)>>,
}

impl ExtraKeys {
    pub(crate) fn new(keep: ExtraKeyPolicy) -> Option<Self> {
        (keep != ExtraKeyPolicy::Nothing).then(|| Self {
            count: 0,
            names: (keep == ExtraKeyPolicy::Names).then(Vec::new),
        })
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Adds an occurrence of a remembered name.
    pub(crate) fn add_known(&mut self) {
        self.count += 1;
    }

    /// Adds an occurrence. Returns the name if it is remembered from now on.
    pub(crate) fn add(&mut self, key: RawText<'_>, row: usize) -> Option<Vec<u8>> {
        self.count += 1;
        let names = self
            .names
            .as_mut()
            .filter(|names| names.len() < NAMES_MAX)?;
        let mut name = Vec::new();
        key.append_to(&mut name);
        names.push((String::from_utf8_lossy(&name).into_owned(), row));
        Some(name)
    }

    pub(crate) fn names(&self) -> &[(String, usize)] {
        self.names.as_deref().unwrap_or_default()
    }
}

/// A column of JSON objects with the keys that the type does not name, as text; null if there are none.
#[derive(Debug)]
pub(crate) struct Rest {
    texts: TextNode,
    /// The text of the current row so far.
    row: Vec<u8>,
}

impl Rest {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            texts: TextNode::new(Content::Text, capacity),
            row: Vec::new(),
        }
    }

    pub(crate) fn start_row(&mut self) {
        self.row.clear();
    }

    /// Adds a key and its value in their original texts.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.row.push(if self.row.is_empty() { b'{' } else { b',' });
        self.row.extend_from_slice(key);
        self.row.push(b':');
        self.row.extend_from_slice(value);
    }

    pub(crate) fn end_row(&mut self) -> Result<(), Fault> {
        if self.row.is_empty() {
            self.texts.push_null();
            return Ok(());
        }
        self.row.push(b'}');
        self.texts.push(&self.row)
    }

    pub(crate) fn push_null(&mut self) {
        self.texts.push_null();
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.texts.truncate(len);
    }

    pub(crate) fn into_texts(self) -> TextNode {
        self.texts
    }
}
