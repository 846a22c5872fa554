//! A key or value column while its rows are collected.

use super::classic_column::ClassicColumn;
use crate::trusted::{Buffers, ViewColumn};

/// How values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// As views.
    Views,
    /// Copied batch by batch, while the bytes are still in the processor's cache.
    Classic,
}

/// The format of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadAs {
    Bytes,
    /// Checked batch by batch.
    Text,
    /// Parsed when all rows are collected.
    Json,
}

/// A value that is not UTF-8.
#[derive(Debug)]
pub(crate) struct NotText {
    pub(crate) row: usize,
    pub(crate) reason: String,
}

/// The values of a column.
#[derive(Debug)]
pub(crate) struct ByteColumn {
    views: ViewColumn,
    classic: Option<ClassicColumn>,
    /// The number of rows moved from `views` to `classic`.
    moved: usize,
    read_as: ReadAs,
    /// The refused values, in row order.
    pub(crate) bad: Vec<NotText>,
}

impl ByteColumn {
    pub(crate) fn new(keep: Keep, read_as: ReadAs) -> Self {
        let classic = (keep == Keep::Classic).then(ClassicColumn::default);
        Self {
            views: ViewColumn::default(),
            classic,
            moved: 0,
            read_as,
            bad: Vec::new(),
        }
    }

    /// Whether a value can be refused.
    pub(crate) fn can_be_wrong(&self) -> bool {
        self.read_as != ReadAs::Bytes
    }

    /// The destination for values of the current batch.
    pub(crate) fn views(&mut self) -> &mut ViewColumn {
        &mut self.views
    }

    /// Checks and copies the values of the batch, if required. `None` if classic data would exceed 2 GiB.
    pub(crate) fn end_batch(&mut self, buffers: &Buffers) -> Option<()> {
        if self.read_as == ReadAs::Text {
            let (bad, moved) = (&mut self.bad, self.moved);
            self.views.check_text(buffers, |row, error| {
                bad.push(NotText {
                    row: moved + row,
                    reason: error.to_string(),
                });
            });
        }
        if let Some(classic) = &mut self.classic {
            classic.append(&self.views, buffers)?;
            self.moved += self.views.len();
            self.views.clear();
        }
        Some(())
    }

    /// The values as views (empty if they were copied), and as classic data if they were copied.
    pub(crate) fn into_parts(self) -> (ViewColumn, Option<ClassicColumn>) {
        (self.views, self.classic)
    }
}
