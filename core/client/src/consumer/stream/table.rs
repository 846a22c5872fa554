//! A decoded table that is being handed out. No I/O.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use headwater_record::Offset;

use super::messages::MessageRow;
use crate::batch::{Batch, TopicPartition};
use crate::mutants::{self, Mutant};

/// A decoded table, and which of its rows were handed out, as a whole or message by message.
///
/// ```text
/// rows    0 ........ settled ........ in_hand ........ next ........ rows
///         positions  | handed out,    | the last       | not handed
///         are past   | and finished   | hand-out       | out
/// ```
#[derive(Debug)]
pub(in crate::consumer) struct DecodedTable {
    batch: Arc<Batch>,
    rows: usize,
    settled: usize,
    in_hand: usize,
    next: usize,
}

impl DecodedTable {
    pub(in crate::consumer) fn new(batch: Batch) -> Self {
        Self {
            rows: batch.len(),
            batch: Arc::new(batch),
            settled: 0,
            in_hand: 0,
            next: 0,
        }
    }

    /// The next offset of each partition after the whole table.
    pub(in crate::consumer) fn next_offsets(&self) -> &BTreeMap<TopicPartition, Offset> {
        &self.batch.next_offsets
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether the partition and the offset of each row are known.
    pub(super) fn has_places(&self) -> bool {
        self.batch.places().is_some()
    }

    /// The number of rows that were not handed out.
    pub(in crate::consumer) fn left(&self) -> usize {
        self.rows - self.next
    }

    /// Hands out at most `max_records` rows as a table. `None` if the columns that are needed for a position in the
    /// middle were not read: then the rows must be decoded again, up to the limit.
    pub(super) fn take(&mut self, max_records: usize) -> Option<Batch> {
        let start = if mutants::is_active(Mutant::RepeatRecords) {
            self.next.saturating_sub(1)
        } else {
            self.next
        };
        let rows = start..self.next + self.left().min(max_records);
        let batch = if rows.len() == self.rows {
            (*self.batch).clone()
        } else {
            let next_offsets = if rows.end == self.rows {
                self.batch.next_offsets.clone()
            } else {
                self.batch.places()?.next_offsets(rows.clone())
            };
            let mut part = self.batch.slice(rows.start, rows.len(), next_offsets);
            if rows.start == 0 {
                part.skipped = self.batch.skipped;
            }
            part
        };
        self.in_hand = rows.start;
        self.next = rows.end;
        Some(batch)
    }

    /// Hands out one row.
    #[inline]
    pub(super) fn take_message(&mut self) -> Option<MessageRow<'_>> {
        if self.next == self.rows {
            return None;
        }
        self.in_hand = self.next;
        self.next += 1;
        Some(MessageRow {
            batch: &self.batch,
            row: self.in_hand,
        })
    }

    /// The table, and its rows that were not handed out.
    pub(super) fn not_handed_out(&self) -> (Arc<Batch>, Range<usize>) {
        (Arc::clone(&self.batch), self.next..self.rows)
    }

    /// Hands out rows one by one: the last of them is the last hand-out.
    pub(super) fn take_messages(&mut self, count: usize) {
        let count = count.min(self.left());
        if count > 0 {
            self.next += count;
            self.in_hand = self.next - 1;
        }
    }

    /// Takes back the last hand-out, which did not reach the caller: its rows are handed out again.
    pub(super) fn take_back(&mut self) {
        self.next = if mutants::is_active(Mutant::TakeBackTwice) {
            self.in_hand.saturating_sub(1)
        } else {
            self.in_hand
        };
        self.in_hand = self.in_hand.min(self.next);
    }

    /// The next offsets after the rows that were handed out since the last [`DecodedTable::settle`].
    pub(in crate::consumer) fn handed_out(&self) -> BTreeMap<TopicPartition, Offset> {
        if self.next == self.rows {
            return self.batch.next_offsets.clone();
        }
        self.next_offsets_after(self.settled..self.next)
    }

    /// [`DecodedTable::handed_out`] without the last hand-out.
    pub(in crate::consumer) fn before_last(&self) -> BTreeMap<TopicPartition, Offset> {
        self.next_offsets_after(self.settled..self.in_hand)
    }

    /// The offsets to which positions move, after all rows that were handed out. These can no longer be taken back.
    pub(in crate::consumer) fn settle(&mut self) -> BTreeMap<TopicPartition, Offset> {
        let handed_out = self.handed_out();
        self.settled = self.next;
        self.in_hand = self.next;
        handed_out
    }

    fn next_offsets_after(&self, rows: Range<usize>) -> BTreeMap<TopicPartition, Offset> {
        if rows.is_empty() {
            return BTreeMap::new();
        }
        let places = self.batch.places();
        places.map_or_else(BTreeMap::new, |places| places.next_offsets(rows))
    }
}
