//! Columns of keys or values as views.

use std::mem::MaybeUninit;
use std::sync::Arc;

use arrow_array::{BinaryViewArray, StringViewArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use headwater_record::Span;

use super::buffers::{Block, Buffers};
use super::filling::Keys;
use super::utf8::check_utf8;
use crate::zeros::zeros;

/// The longest value that is stored in its view.
const INLINE_MAX: usize = 12;
/// Represents null until the array is built. It is never a valid view: its length would be 4 GiB, and spans end at 2
/// GiB.
const NULL: u128 = u128::MAX;

/// Values as views into the [`Buffers`] of the same table.
///
/// Invariant: each view is [`NULL`], or inline and zero-padded, or created by [`BlockWriter`] or [`ViewRun`] from a
/// slice of a [`Block`] with a bounds check. The block's buffer is at the view's index in the [`Buffers`] with the
/// column's `source`. The fields are private; `Buffers` only grows, and a `bytes::Bytes` never changes its bytes during
/// its lifetime. The values before the row `text` are UTF-8.
#[derive(Debug, Default)]
pub(crate) struct ViewColumn {
    /// The number of nulls before the first value. Most topics have no keys: then there is nothing else.
    leading_nulls: usize,
    /// The views from the first value on.
    views: Vec<u128>,
    /// Whether there are nulls after the first value.
    has_null: bool,
    has_long: bool,
    text: usize,
    /// The number of the [`Buffers`] that contain the values; 0 before the first value.
    source: u64,
}

/// Writes the values of one block to a column.
#[derive(Debug)]
pub(super) struct BlockWriter<'a> {
    slots: &'a mut [MaybeUninit<u128>],
    plain: &'a [u8],
    /// The buffer's index, and the offset to add to positions in it.
    index: u64,
    base: u64,
    end: ViewEnd,
}

/// The result of a filling besides the views.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ViewEnd {
    /// The number of rows before the column's first value.
    leading_nulls: usize,
    has_value: bool,
    has_null: bool,
    has_long: bool,
}

impl<'a> BlockWriter<'a> {
    /// Space for `room` values of that block at the end of a column.
    #[inline(always)]
    pub(super) fn of(column: Option<&'a mut ViewColumn>, block: &Block<'a>, room: usize) -> Self {
        let (slots, has_value) = match column {
            Some(column) => {
                let has_value = !column.views.is_empty();
                (column.spare(block, room), has_value)
            }
            None => (&mut [] as &mut [_], false),
        };
        Self {
            slots,
            plain: block.plain,
            index: u64::from(block.index),
            base: u64::from(block.base),
            end: ViewEnd {
                has_value,
                ..ViewEnd::default()
            },
        }
    }

    /// Sets a row, counted from the first of this filling, to the value at `span`. Each row must be set once, in order.
    #[inline(always)]
    pub(super) fn set(&mut self, row: usize, span: Span) {
        if self.slots.is_empty() {
            return;
        }
        let start = span.start as usize;
        // A span outside of this block would be a bug; it becomes null rather than an invalid pointer.
        let value = usize::try_from(span.len)
            .ok()
            .and_then(|len| self.plain.get(start..start + len));
        let view = match value {
            Some(value) => self.view(value, start),
            None if self.end.has_value => {
                self.end.has_null = true;
                NULL
            }
            None => {
                self.end.leading_nulls = row + 1;
                return;
            }
        };
        self.end.has_value = true;
        self.slots[row - self.end.leading_nulls].write(view);
    }

    #[inline(always)]
    fn view(&mut self, value: &[u8], start: usize) -> u128 {
        let len = value.len();
        if let (true, Some(prefix)) = (len > INLINE_MAX, value.first_chunk::<4>()) {
            self.end.has_long = true;
            long_view(len, *prefix, self.index | (self.base + start as u64) << 32)
        } else if let Some(wide) = self.plain[start..].first_chunk::<16>() {
            short_view(len, *wide)
        } else {
            inline_view(value)
        }
    }

    pub(super) fn end(&self) -> ViewEnd {
        self.end
    }

    /// The records that contain the values.
    pub(super) fn plain(&self) -> &'a [u8] {
        self.plain
    }

    /// Whether the column is requested.
    pub(super) fn is_wanted(&self) -> bool {
        !self.slots.is_empty()
    }

    /// How a run may handle keys if its first record has a key, or has none; `None` if keys and nulls are mixed.
    pub(super) fn next_keys(&self, has_key: bool) -> Option<Keys> {
        match (self.is_wanted(), has_key, self.end.has_value) {
            (false, ..) => Some(Keys::Unwanted),
            (true, true, _) => Some(Keys::All),
            (true, false, false) => Some(Keys::None),
            (true, false, true) => None,
        }
    }

    /// Space for a run of values without nulls; empty if they are not requested.
    #[inline(always)]
    pub(super) fn run(&mut self, rows: usize, count: usize, wanted: bool) -> ViewRun<'_> {
        let slots = if wanted {
            let from = rows - self.end.leading_nulls;
            &mut self.slots[from..from + count]
        } else {
            &mut []
        };
        ViewRun {
            slots,
            plain: self.plain,
            high: self.index | self.base << 32,
            is_long: false,
        }
    }

    /// Counts the values of a run.
    #[inline(always)]
    pub(super) fn ran(&mut self, rows: usize, is_long: bool) {
        self.end.has_value |= rows > 0;
        self.end.has_long |= is_long;
    }

    /// Counts the rows of a run without values.
    #[inline(always)]
    pub(super) fn ran_without(&mut self, rows: usize) {
        self.end.leading_nulls = rows;
    }
}

/// Creates the views of a run, none of them null.
pub(super) struct ViewRun<'a> {
    slots: &'a mut [MaybeUninit<u128>],
    plain: &'a [u8],
    /// The upper half of the view of a long value at position 0.
    high: u64,
    is_long: bool,
}

impl ViewRun<'_> {
    /// The view of a value; `None` for null, and for a short value at the very end of the records.
    #[inline(always)]
    pub(super) fn view(&mut self, span: Span) -> Option<u128> {
        let len = usize::try_from(span.len).ok()?;
        let start = span.start as usize;
        let value = self.plain.get(start..start + len)?;
        if let (true, Some(prefix)) = (len > INLINE_MAX, value.first_chunk::<4>()) {
            self.is_long = true;
            return Some(long_view(len, *prefix, self.high + ((start as u64) << 32)));
        }
        let wide = self.plain[start..].first_chunk::<16>()?;
        Some(short_view(len, *wide))
    }

    #[inline(always)]
    pub(super) fn set(&mut self, row: usize, view: u128) {
        self.slots[row].write(view);
    }

    /// Whether a value is too long to be stored in its view.
    #[inline(always)]
    pub(super) fn is_long(&self) -> bool {
        self.is_long
    }
}

/// The view of a value in a buffer; `high` has its position.
#[inline(always)]
fn long_view(len: usize, prefix: [u8; 4], high: u64) -> u128 {
    let low = len as u64 | u64::from(u32::from_le_bytes(prefix)) << 32;
    u128::from(low) | u128::from(high) << 64
}

/// The view of the first `len` bytes, at most [`INLINE_MAX`].
#[inline(always)]
fn short_view(len: usize, wide: [u8; 16]) -> u128 {
    let mask = (1u128 << (len * 8)) - 1;
    (u128::from_le_bytes(wide) & mask) << 32 | len as u128
}

impl ViewColumn {
    /// The number of values.
    pub(crate) fn len(&self) -> usize {
        self.leading_nulls + self.views.len()
    }

    /// Whether any of them is null.
    pub(crate) fn has_null(&self) -> bool {
        self.has_null || self.leading_nulls > 0
    }

    /// Space for `room` values of that block.
    fn spare(&mut self, block: &Block<'_>, room: usize) -> &mut [MaybeUninit<u128>] {
        assert!(
            self.source == 0 || self.source == block.source,
            "all values of a column are in the same buffers"
        );
        self.source = block.source;
        self.views.reserve(room);
        &mut self.views.spare_capacity_mut()[..room]
    }

    /// Keeps the rows of a filling, each of which must have been set.
    pub(super) fn keep(&mut self, rows: usize, end: ViewEnd) {
        let written = rows - end.leading_nulls;
        // SAFETY: `RowWriter` counts a row after its view was written, by `BlockWriter::set` or `ViewRun::set`, in
        // order, or after it was counted among the leading nulls, which have no slot. So the first `rows -
        // leading_nulls` slots are written.
        unsafe { self.views.set_len(self.views.len() + written) };
        self.leading_nulls += end.leading_nulls;
        self.has_null |= end.has_null;
        self.has_long |= end.has_long;
    }

    /// Makes the value null.
    fn set_null(&mut self, row: usize) {
        if let Some(index) = row.checked_sub(self.leading_nulls) {
            self.views[index] = NULL;
            self.has_null = true;
        }
    }

    /// Removes all values.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            views: std::mem::take(&mut self.views),
            ..Self::default()
        };
        self.views.clear();
    }

    /// The value of a row, or null.
    #[inline]
    pub(crate) fn value<'a>(&'a self, row: usize, buffers: &'a Buffers) -> Option<&'a [u8]> {
        let view = &self.views[row.checked_sub(self.leading_nulls)?];
        let len = (*view as u32) as usize;
        if *view == NULL {
            return None;
        }
        if len <= INLINE_MAX {
            // SAFETY: by the invariant of this type, the view is inline and has that length.
            return Some(unsafe { BinaryViewArray::inline_value(view, len) });
        }
        let (index, start) = ((view >> 64) as u32 as usize, (view >> 96) as usize);
        buffers.bytes[index].get(start..start + len)
    }

    /// Whether each row has a value.
    pub(crate) fn validity(&self) -> impl Iterator<Item = bool> {
        let values = self.views.iter().map(|view| *view != NULL);
        std::iter::repeat_n(false, self.leading_nulls).chain(values)
    }

    /// Checks that the values from the last checked one on are UTF-8. Invalid ones become null and are reported.
    pub(crate) fn check_text(
        &mut self,
        buffers: &Buffers,
        mut report: impl FnMut(usize, std::str::Utf8Error),
    ) {
        for row in self.text.max(self.leading_nulls)..self.len() {
            if let Some(Err(error)) = self.value(row, buffers).map(check_utf8) {
                self.set_null(row);
                report(row, error);
            }
        }
        self.text = self.len();
    }

    /// The array, which shares the buffers.
    pub(crate) fn into_binary(mut self, buffers: &Buffers) -> BinaryViewArray {
        if self.views.is_empty() {
            let nulls = NullBuffer::new_null(self.len());
            return BinaryViewArray::new(zeros(self.len()), Arc::from([]), Some(nulls));
        }
        let nulls = self.take_nulls();
        let buffers = self.buffers_needed(buffers);
        // SAFETY: the invariant of this type; nulls were replaced by zero, the empty inline view.
        unsafe { BinaryViewArray::new_unchecked(ScalarBuffer::from(self.views), buffers, nulls) }
    }

    /// The array as text. Checks the values that were not checked yet; invalid ones become null.
    pub(crate) fn into_text(mut self, buffers: &Buffers) -> StringViewArray {
        self.check_text(buffers, |_, _| {});
        if self.views.is_empty() {
            let nulls = NullBuffer::new_null(self.len());
            return StringViewArray::new(zeros(self.len()), Arc::from([]), Some(nulls));
        }
        let nulls = self.take_nulls();
        let buffers = self.buffers_needed(buffers);
        // SAFETY: the invariant of this type, and `check_text` has checked each value.
        unsafe { StringViewArray::new_unchecked(ScalarBuffer::from(self.views), buffers, nulls) }
    }

    /// The null rows. Their views become empty, including those of the leading rows.
    fn take_nulls(&mut self) -> Option<NullBuffer> {
        if !self.has_null() {
            return None;
        }
        let leading = std::mem::take(&mut self.leading_nulls);
        self.views.splice(..0, std::iter::repeat_n(NULL, leading));
        let valid = BooleanBuffer::collect_bool(self.views.len(), |row| self.views[row] != NULL);
        for view in &mut self.views {
            *view = if *view == NULL { 0 } else { *view };
        }
        Some(valid.into())
    }

    /// Empty if all values are inline, so that short keys do not keep a fetch in memory.
    fn buffers_needed(&self, buffers: &Buffers) -> Arc<[Buffer]> {
        assert!(
            self.source == 0 || self.source == buffers.source,
            "a column is finished with the buffers of its values"
        );
        if self.has_long {
            buffers.to_arrow()
        } else {
            Arc::from([])
        }
    }
}

/// The view of at most [`INLINE_MAX`] bytes.
#[inline]
fn inline_view(value: &[u8]) -> u128 {
    let mut view = [0; 16];
    let len = value.len().min(INLINE_MAX);
    view[0] = len as u8;
    view[4..4 + len].copy_from_slice(&value[..len]);
    u128::from_le_bytes(view)
}
