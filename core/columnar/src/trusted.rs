//! The one place with unsafe code: arrays that Arrow would check a second time.
//!
//! Arrow's checked constructors read every view, its prefix and (for text) every byte again: as much work as decoding the record. Here a
//! [`ViewColumn`] keeps what they check as its invariant, by construction, and hands over with the `unchecked` ones.
//!
//! Invariant of [`ViewColumn`]: each view is [`NULL`], or zero-padded and inline, or made by [`Filling::set`] from a slice of a [`Block`]
//! that was taken with a bounds check, whose buffer stands at the view's index in the [`Buffers`] with the column's `source`. The fields
//! are private; `Buffers` only grows, and a `bytes::Bytes` never changes its bytes while it lives. The first `text` views are UTF-8.
#![allow(unsafe_code)]

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::{BinaryArray, BinaryViewArray, StringArray, StringViewArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use bytes::Bytes;
use headwater_record::Span;

/// The longest value that lies in its view.
const INLINE_MAX: usize = 12;
/// Stands for null until the array is made. No real view: its length would be 4 GiB, and spans end at 2 GiB.
const NULL: u128 = u128::MAX;

/// The bytes of some records, as a range of a buffer that views may point into.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    plain: &'a [u8],
    index: u32,
    base: u32,
    source: u64,
}

impl<'a> Block<'a> {
    /// The records alone.
    pub(crate) fn plain(&self) -> &'a [u8] {
        self.plain
    }
}

/// The buffers of one table, in the order of the index in views.
#[derive(Debug)]
pub(crate) struct Buffers {
    bytes: Vec<Bytes>,
    /// Which one this is, of all there ever were.
    source: u64,
}

impl Default for Buffers {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            bytes: Vec::new(),
            source: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl Buffers {
    /// Adds a buffer and returns its index. It has at most `i32::MAX` bytes, which views need.
    pub(crate) fn add(&mut self, bytes: Bytes) -> Option<u32> {
        let index = u32::try_from(self.bytes.len()).ok()?;
        i32::try_from(bytes.len()).ok()?;
        self.bytes.push(bytes);
        Some(index)
    }

    /// That range of that buffer.
    pub(crate) fn block(&self, index: u32, range: Range<usize>) -> Option<Block<'_>> {
        let base = range.start as u32;
        Some(Block {
            plain: self.bytes.get(index as usize)?.get(range)?,
            index,
            base,
            source: self.source,
        })
    }

    fn to_arrow(&self) -> Arc<[Buffer]> {
        self.bytes.iter().cloned().map(Buffer::from).collect()
    }
}

/// Values as views into the [`Buffers`] of the same table.
#[derive(Debug, Default)]
pub(crate) struct ViewColumn {
    /// Those from `len` on are to be dropped: a filling that was not finished left them.
    views: Vec<u128>,
    len: usize,
    has_null: bool,
    has_long: bool,
    text: usize,
    /// Of which [`Buffers`] the values are; 0 before the first.
    source: u64,
}

/// The rows of one block on their way into a column. What is not kept by [`Filling::finish`] is not there.
#[derive(Debug)]
pub(crate) struct Filling<'a> {
    slots: &'a mut [u128],
    block: &'a Block<'a>,
    len: &'a mut usize,
    has_null: &'a mut bool,
    has_long: &'a mut bool,
}

impl Filling<'_> {
    /// Sets a row, counted from the first of this filling, to the value at `span`. What lies outside the room is left out.
    #[inline(always)]
    pub(crate) fn set(&mut self, row: usize, span: Span) {
        let Some(slot) = self.slots.get_mut(row) else {
            return;
        };
        let start = span.start as usize;
        // A span that is not of this block would be a fault of ours; it becomes null rather than a wild pointer.
        let value = usize::try_from(span.len)
            .ok()
            .and_then(|len| self.block.plain.get(start..start + len));
        let Some(value) = value else {
            *slot = NULL;
            *self.has_null = true;
            return;
        };
        let len = value.len();
        *slot = if let (true, Some(prefix)) = (len > INLINE_MAX, value.first_chunk::<4>()) {
            *self.has_long = true;
            let position = u64::from(self.block.base + span.start);
            let low = u64::from(len as u32) | u64::from(u32::from_le_bytes(*prefix)) << 32;
            let high = u64::from(self.block.index) | position << 32;
            u128::from(low) | u128::from(high) << 64
        } else if let Some(wide) = self.block.plain[start..].first_chunk::<16>() {
            let mask = (1u128 << (len * 8)) - 1;
            (u128::from_le_bytes(*wide) & mask) << 32 | len as u128
        } else {
            inline_view(value)
        };
    }

    /// Keeps the first `rows`; those of them that were not set are empty.
    pub(crate) fn finish(self, rows: usize) {
        *self.len += rows.min(self.slots.len());
    }
}

impl ViewColumn {
    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Makes room for up to `rows` values of that block.
    pub(crate) fn fill<'a>(&'a mut self, block: &'a Block<'a>, rows: usize) -> Filling<'a> {
        assert!(
            self.source == 0 || self.source == block.source,
            "all values of a column are of the same buffers"
        );
        self.source = block.source;
        self.views.truncate(self.len);
        self.views.resize(self.len + rows, 0);
        Filling {
            slots: &mut self.views[self.len..],
            block,
            len: &mut self.len,
            has_null: &mut self.has_null,
            has_long: &mut self.has_long,
        }
    }

    /// Makes the value null.
    pub(crate) fn set_null(&mut self, row: usize) {
        self.views[row] = NULL;
        self.has_null = true;
    }

    /// Forgets all values.
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
        let view = self.views[row];
        let len = (view as u32) as usize;
        if view == NULL {
            return None;
        }
        if len <= INLINE_MAX {
            // SAFETY: the invariant of this type: the view is inline and has that length.
            return Some(unsafe { BinaryViewArray::inline_value(&self.views[row], len) });
        }
        let (index, start) = ((view >> 64) as u32 as usize, (view >> 96) as usize);
        buffers.bytes[index].get(start..start + len)
    }

    /// Checks that the values from the last checked one on are UTF-8. Those that are not become null and are reported.
    pub(crate) fn check_text(
        &mut self,
        buffers: &Buffers,
        mut report: impl FnMut(usize, std::str::Utf8Error),
    ) {
        for row in self.text..self.len {
            if let Some(Err(error)) = self.value(row, buffers).map(check_utf8) {
                self.set_null(row);
                report(row, error);
            }
        }
        self.text = self.len;
    }

    /// The array, which shares the buffers.
    pub(crate) fn into_binary(mut self, buffers: &Buffers) -> BinaryViewArray {
        let nulls = self.take_nulls();
        let buffers = self.buffers_needed(buffers);
        // SAFETY: the invariant of this type; nulls were made zero, the empty inline view.
        unsafe { BinaryViewArray::new_unchecked(ScalarBuffer::from(self.views), buffers, nulls) }
    }

    /// The array as text. Values that were not checked are checked now, and null where they are no text.
    pub(crate) fn into_text(mut self, buffers: &Buffers) -> StringViewArray {
        self.check_text(buffers, |_, _| {});
        let nulls = self.take_nulls();
        let buffers = self.buffers_needed(buffers);
        // SAFETY: the invariant of this type, and `check_text` has seen each value.
        unsafe { StringViewArray::new_unchecked(ScalarBuffer::from(self.views), buffers, nulls) }
    }

    /// Which values are null; these become empty views.
    fn take_nulls(&mut self) -> Option<NullBuffer> {
        self.views.truncate(self.len);
        if !self.has_null {
            return None;
        }
        if self.views.iter().all(|view| *view == NULL) {
            self.views.fill(0);
            return Some(NullBuffer::new_null(self.len));
        }
        let valid = BooleanBuffer::collect_bool(self.len, |row| self.views[row] != NULL);
        for view in &mut self.views {
            *view = if *view == NULL { 0 } else { *view };
        }
        Some(valid.into())
    }

    /// None where all values are inline, so that short keys do not keep a fetch alive.
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

/// Values one after the other: what a classic array has.
#[derive(Debug)]
pub(crate) struct ClassicColumn {
    offsets: Vec<i32>,
    data: Vec<u8>,
    valid: Vec<bool>,
    has_null: bool,
}

impl Default for ClassicColumn {
    fn default() -> Self {
        Self {
            offsets: vec![0],
            data: Vec::new(),
            valid: Vec::new(),
            has_null: false,
        }
    }
}

impl ClassicColumn {
    /// Copies all values of `views`. `None` where that would be more than 2 GiB.
    pub(crate) fn append(&mut self, views: &ViewColumn, buffers: &Buffers) -> Option<()> {
        if views.has_null || self.has_null {
            // One flag a row from the first null on, and for all rows before it.
            self.valid.resize(self.offsets.len() - 1, true);
            self.valid
                .extend(views.views[..views.len].iter().map(|view| *view != NULL));
            self.has_null = true;
        }
        self.offsets.reserve(views.len());
        for row in 0..views.len() {
            self.data
                .extend_from_slice(views.value(row, buffers).unwrap_or_default());
            self.offsets.push(i32::try_from(self.data.len()).ok()?);
        }
        Some(())
    }

    fn parts(self) -> (OffsetBuffer<i32>, Buffer, Option<NullBuffer>) {
        let nulls = self.has_null.then(|| NullBuffer::from(self.valid));
        (
            OffsetBuffer::new(ScalarBuffer::from(self.offsets)),
            Buffer::from_vec(self.data),
            nulls,
        )
    }

    /// The array.
    pub(crate) fn into_binary(self) -> BinaryArray {
        let (offsets, data, nulls) = self.parts();
        BinaryArray::new(offsets, data, nulls)
    }

    /// The array as text. Each value appended must have been checked by [`ViewColumn::check_text`]; Arrow checks the whole once more,
    /// which for one run of bytes costs little.
    pub(crate) fn into_text(self) -> Result<StringArray, arrow_schema::ArrowError> {
        let (offsets, data, nulls) = self.parts();
        StringArray::try_new(offsets, data, nulls)
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

#[inline]
fn check_utf8(value: &[u8]) -> Result<(), std::str::Utf8Error> {
    if is_ascii(value) {
        Ok(())
    } else {
        std::str::from_utf8(value).map(drop)
    }
}

/// Without a loop over single bytes at the end, which for values of some dozen bytes takes longer than all the rest: the last run
/// overlaps the one before.
#[inline]
fn is_ascii(value: &[u8]) -> bool {
    let Some(last) = value.last_chunk::<32>() else {
        return value.iter().fold(0, |all, byte| all | byte) < 0x80;
    };
    let mut all = *last;
    let (mut rest, mut run) = (value, *last);
    loop {
        for (all, byte) in all.iter_mut().zip(run) {
            *all |= byte;
        }
        let Some((next, after)) = rest.split_first_chunk::<32>() else {
            return all.iter().fold(0, |all, byte| all | byte) < 0x80;
        };
        (run, rest) = (*next, after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_that_is_not_ascii_is_found_wherever_it_stands() {
        for len in 0..200 {
            let mut value = vec![b'a'; len];
            assert!(is_ascii(&value), "{len}");
            for at in 0..len {
                value[at] = 0x80;
                assert!(!is_ascii(&value), "{at} of {len}");
                value[at] = b'a';
            }
        }
    }
}
