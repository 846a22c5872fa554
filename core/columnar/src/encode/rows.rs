//! The rows of a table in a batch.

use std::ops::Range;

/// The rows of a batch, in the order of its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchRows {
    /// Consecutive rows.
    Run(Range<usize>),
    /// Rows of one of several partitions.
    List(Vec<usize>),
}

impl Default for BatchRows {
    fn default() -> Self {
        Self::Run(0..0)
    }
}

impl BatchRows {
    /// The row of a record.
    pub fn row(&self, record: usize) -> Option<usize> {
        match self {
            Self::Run(rows) => Some(rows.start + record).filter(|row| *row < rows.end),
            Self::List(rows) => rows.get(record).copied(),
        }
    }

    pub(super) fn push_run(&mut self, first: usize, count: usize) {
        match self {
            Self::Run(rows) if rows.start == rows.end => *rows = first..first + count,
            Self::Run(rows) if rows.end == first => rows.end += count,
            Self::Run(rows) => {
                *self = Self::List(rows.clone().chain(first..first + count).collect());
            }
            Self::List(rows) => rows.extend(first..first + count),
        }
    }

    /// Appends rows that are relative to `first`.
    pub(super) fn push_list(&mut self, first: usize, more: &[u32]) {
        let more = more.iter().map(|row| first + *row as usize);
        match self {
            Self::Run(rows) => *self = Self::List(rows.clone().chain(more).collect()),
            Self::List(rows) => rows.extend(more),
        }
    }
}
