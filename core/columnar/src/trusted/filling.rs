//! Writes the rows of one batch to the spare capacity of the columns, without zeroing it first.

use std::mem::MaybeUninit;

use headwater_record::Span;

use super::buffers::Block;
use super::prefetch;
use super::view_column::{BlockWriter, ViewColumn};
use crate::decode::{Places, short_record};

/// The destination of a batch's rows. A column that is not requested is `None`.
#[derive(Debug)]
pub(crate) struct Columns<'a> {
    pub(crate) offsets: Option<&'a mut Vec<i64>>,
    pub(crate) timestamps: Option<&'a mut Vec<i64>>,
    pub(crate) key: Option<&'a mut ViewColumn>,
    pub(crate) value: Option<&'a mut ViewColumn>,
}

/// Writes the rows of one batch to the columns: one row index for all columns, and no space in columns that are not
/// requested.
#[derive(Debug)]
pub(crate) struct RowWriter<'a> {
    rows: usize,
    room: usize,
    offsets: &'a mut [MaybeUninit<i64>],
    timestamps: &'a mut [MaybeUninit<i64>],
    key: BlockWriter<'a>,
    value: BlockWriter<'a>,
}

impl RowWriter<'_> {
    /// The number of rows.
    #[inline(always)]
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row. There must be space.
    #[inline(always)]
    pub(crate) fn push(&mut self, offset: i64, timestamp_ms: i64, key: Span, value: Span) {
        let row = self.rows;
        if row == self.room {
            return;
        }
        if let Some(slot) = self.offsets.get_mut(row) {
            slot.write(offset);
        }
        if let Some(slot) = self.timestamps.get_mut(row) {
            slot.write(timestamp_ms);
        }
        self.key.set(row, key);
        self.value.set(row, value);
        self.rows = row + 1;
    }

    /// Adds at most `most` rows while the records from `at` on are of the common kind: short and with a value, and all
    /// with a key or all without. Returns the position where it stopped; the caller adds the next row with
    /// [`push`](Self::push).
    pub(crate) fn push_run(&mut self, at: usize, most: usize, places: Places) -> usize {
        let has_key = match short_record(self.value.plain(), at) {
            Some((record, _)) => !record.key.is_null(),
            None => return at,
        };
        let wants_places = !self.offsets.is_empty() && !self.timestamps.is_empty();
        let wants_no_places = self.offsets.is_empty() && self.timestamps.is_empty();
        let keys = self.key.next_keys(has_key);
        match (keys, wants_places, wants_no_places) {
            _ if !self.value.is_wanted() => at,
            (Some(Keys::Unwanted), true, _) => self.run::<UNWANTED, true>(at, most, places),
            (Some(Keys::Unwanted), _, true) => self.run::<UNWANTED, false>(at, most, places),
            (Some(Keys::None), true, _) => self.run::<NONE, true>(at, most, places),
            (Some(Keys::None), _, true) => self.run::<NONE, false>(at, most, places),
            (Some(Keys::All), true, _) => self.run::<ALL, true>(at, most, places),
            (Some(Keys::All), _, true) => self.run::<ALL, false>(at, most, places),
            _ => at,
        }
    }

    /// All loop-invariant values are in locals, and every slice has the length of the loop, so the loop uses no other
    /// memory and checks no index. It takes half the time of [`push`](Self::push) row by row.
    #[inline(never)]
    fn run<const KEYS: u8, const PLACES: bool>(
        &mut self,
        mut at: usize,
        most: usize,
        places: Places,
    ) -> usize {
        let rows = self.rows;
        let most = most.min(self.room - rows);
        let plain = self.value.plain();
        let offsets = slots(self.offsets, rows, most, PLACES);
        let timestamps = slots(self.timestamps, rows, most, PLACES);
        let mut key = self.key.run(rows, most, KEYS == ALL);
        let mut value = self.value.run(rows, most, true);
        let mut row = 0;
        while row < most {
            let Some((record, next)) = short_record(plain, at) else {
                break;
            };
            // Prefetch the next batch: otherwise its CRC would be computed from main memory.
            prefetch(plain, plain.len() + at);
            let Some(value_view) = value.view(record.value) else {
                break;
            };
            match KEYS {
                ALL => match key.view(record.key) {
                    Some(view) => key.set(row, view),
                    None => break,
                },
                NONE if !record.key.is_null() => break,
                _ => {}
            }
            if PLACES {
                let Some(offset) = places.offset(record.offset_delta) else {
                    break;
                };
                offsets[row].write(offset.get());
                timestamps[row].write(places.timestamp_ms(record.timestamp_delta));
            }
            value.set(row, value_view);
            row += 1;
            at = next;
        }
        let (key, value) = (key.is_long(), value.is_long());
        self.rows = rows + row;
        self.value.ran(row, value);
        match KEYS {
            ALL => self.key.ran(row, key),
            NONE => self.key.ran_without(self.rows),
            _ => {}
        }
        at
    }
}

/// How a run handles keys.
pub(super) enum Keys {
    /// Keys are not requested.
    Unwanted,
    /// No record of the run has one, and no earlier record had one.
    None,
    /// Each record has one.
    All,
}

const UNWANTED: u8 = 0;
const NONE: u8 = 1;
const ALL: u8 = 2;

/// The slots of the next rows; empty if they are not requested.
#[inline(always)]
fn slots<T>(all: &mut [T], from: usize, count: usize, wanted: bool) -> &mut [T] {
    if wanted {
        &mut all[from..from + count]
    } else {
        &mut []
    }
}

/// Lets `work` append up to `room` rows of that block.
#[inline(always)]
pub(crate) fn fill<R>(
    columns: Columns<'_>,
    block: &Block<'_>,
    room: usize,
    work: impl FnOnce(&mut RowWriter<'_>) -> R,
) -> R {
    let Columns {
        mut offsets,
        mut timestamps,
        mut key,
        mut value,
    } = columns;
    let mut filling = RowWriter {
        rows: 0,
        room,
        offsets: spare(offsets.as_deref_mut(), room),
        timestamps: spare(timestamps.as_deref_mut(), room),
        key: BlockWriter::of(key.as_deref_mut(), block, room),
        value: BlockWriter::of(value.as_deref_mut(), block, room),
    };
    let result = work(&mut filling);
    let rows = filling.rows;
    let (key_end, value_end) = (filling.key.end(), filling.value.end());
    for column in [offsets, timestamps].into_iter().flatten() {
        // SAFETY: `rows` grows only in `push` and in `run`. Both count a row after they have written its slot in each
        // column with space, and `run` writes offsets and timestamps unless neither has space. So the first `rows`
        // slots are written.
        unsafe { column.set_len(column.len() + rows) };
    }
    if let Some(column) = key {
        column.keep(rows, key_end);
    }
    if let Some(column) = value {
        column.keep(rows, value_end);
    }
    result
}

/// Space for `room` rows at the end of a column.
fn spare(column: Option<&mut Vec<i64>>, room: usize) -> &mut [MaybeUninit<i64>] {
    match column {
        Some(column) => {
            column.reserve(room);
            &mut column.spare_capacity_mut()[..room]
        }
        None => &mut [],
    }
}
