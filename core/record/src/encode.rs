//! Writing records into a buffer: sizes first, then bytes.

use crate::varint;

/// Where a batch's records stand: what changes with each of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    /// The end of what is written, header included.
    pub(crate) position: usize,
    /// How many records there are.
    pub(crate) count: i32,
    /// The first record's.
    pub(crate) base_timestamp_ms: i64,
    /// The greatest.
    pub(crate) max_timestamp_ms: i64,
}

impl Progress {
    pub(crate) const fn at(position: usize) -> Self {
        Self {
            position,
            count: 0,
            base_timestamp_ms: -1,
            max_timestamp_ms: -1,
        }
    }

    /// What to add to the base timestamp; wraps around, as reading does.
    #[inline]
    pub(crate) fn timestamp_delta(&self, timestamp_ms: i64) -> i64 {
        if self.count == 0 {
            0
        } else {
            timestamp_ms.wrapping_sub(self.base_timestamp_ms)
        }
    }

    /// Counts a record that ends at `position`.
    #[inline]
    pub(crate) fn advance(&mut self, position: usize, timestamp_ms: i64) {
        if self.count == 0 {
            self.base_timestamp_ms = timestamp_ms;
        }
        self.max_timestamp_ms = self.max_timestamp_ms.max(timestamp_ms);
        self.count += 1;
        self.position = position;
    }
}

/// A record's headers, in order.
pub(crate) type HeaderList<'a> = [(&'a str, Option<&'a [u8]>)];

/// The size of a record after its length field. Saturates instead of overflowing.
#[inline]
pub(crate) fn body_len(
    timestamp_delta: i64,
    offset_delta: i32,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers_len: usize,
) -> usize {
    (1 + varint::len_i64(timestamp_delta) + varint::len_i32(offset_delta))
        .saturating_add(bytes_len(key))
        .saturating_add(bytes_len(value))
        .saturating_add(headers_len)
}

/// The size of the headers with their count.
pub(crate) fn headers_len(headers: &HeaderList<'_>) -> usize {
    let each = headers
        .iter()
        .map(|(key, value)| bytes_len(Some(key.as_bytes())).saturating_add(bytes_len(*value)));
    each.fold(
        varint::len_i32(clamp_len(headers.len())),
        usize::saturating_add,
    )
}

#[inline]
fn bytes_len(bytes: Option<&[u8]>) -> usize {
    match bytes {
        Some(bytes) => varint::len_i32(clamp_len(bytes.len())).saturating_add(bytes.len()),
        None => 1,
    }
}

/// Lengths beyond `i32` are refused by the sum of all, which is looked at before anything is written.
#[inline]
fn clamp_len(len: usize) -> i32 {
    len.min(i32::MAX as usize) as i32
}

/// Writes a record's length and all before its headers at `at`; returns the position after it.
#[inline]
pub(crate) fn write_record(
    out: &mut [u8],
    at: usize,
    body_len: usize,
    deltas: (i64, i32),
    key: Option<&[u8]>,
    value: Option<&[u8]>,
) -> usize {
    let at = varint::write_i32(out, at, body_len as i32);
    out[at] = 0;
    let at = varint::write_i64(out, at + 1, deltas.0);
    let at = varint::write_i32(out, at, deltas.1);
    let at = write_bytes(out, at, key);
    write_bytes(out, at, value)
}

/// Writes the headers with their count.
pub(crate) fn write_headers(out: &mut [u8], at: usize, headers: &HeaderList<'_>) -> usize {
    let mut at = varint::write_i32(out, at, headers.len() as i32);
    for (key, value) in headers {
        at = write_bytes(out, at, Some(key.as_bytes()));
        at = write_bytes(out, at, *value);
    }
    at
}

#[inline]
fn write_bytes(out: &mut [u8], at: usize, bytes: Option<&[u8]>) -> usize {
    let Some(bytes) = bytes else {
        out[at] = 1; // the varint of -1
        return at + 1;
    };
    let at = varint::write_i32(out, at, bytes.len() as i32);
    copy_short(&mut out[at..at + bytes.len()], bytes);
    at + bytes.len()
}

/// Copies `from` to `to`, which are of one length. Inline for the lengths that most keys and values have: two runs of
/// a fixed length that may overlap cost less than a call.
#[inline]
fn copy_short(to: &mut [u8], from: &[u8]) {
    match from.len() {
        0 => {}
        1..4 => copy_bytewise(to, from),
        4..8 => copy_ends::<4>(to, from),
        8..16 => copy_ends::<8>(to, from),
        16..32 => copy_ends::<16>(to, from),
        32..64 => copy_ends::<32>(to, from),
        64..=128 => copy_ends::<64>(to, from),
        _ => to.copy_from_slice(from),
    }
}

/// For lengths from `N` to `2 * N`.
#[inline]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk::<N>()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk::<N>()) {
        *to = *from;
    }
}

#[inline]
fn copy_bytewise(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}
