//! Writes records into a buffer: computes sizes first, then writes bytes.
#![expect(
    clippy::inline_always,
    reason = "measured: a call costs as much as a short record"
)]

use crate::builder::PlainRecord;
use crate::varint::{self, Short};

/// The state of a batch that changes with each record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    /// The end of the written bytes, including the header.
    pub(crate) position: usize,
    /// The number of records.
    pub(crate) count: i32,
    /// The timestamp of the first record.
    pub(crate) base_timestamp_ms: i64,
    /// The greatest timestamp.
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

    /// The timestamp as a delta to the base timestamp. Wraps around, like decoding.
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

/// The headers of a record, in order.
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

/// Lengths beyond `i32` fail the check of the total size, which precedes any write.
#[inline]
fn clamp_len(len: usize) -> i32 {
    len.min(i32::MAX as usize) as i32
}

/// The number of bytes after a record that [`Plan::write`] may overwrite: it stores eight bytes at once.
pub(crate) const SLACK: usize = 8;

/// The encoded fields of a usual record in registers: each of its numbers fits into three bytes.
pub(crate) struct Plan {
    deltas: Short,
    key: Short,
    value: Short,
    /// The length, followed by the zero byte of the record's attributes.
    length: Short,
    /// The size of the whole record.
    pub(crate) len: usize,
}

impl Plan {
    /// `None` if a number is too long.
    #[inline(always)]
    pub(crate) fn new(
        timestamp_delta: i64,
        offset_delta: i32,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers_len: usize,
    ) -> Option<Self> {
        let timestamp_delta = varint::zigzag_i64(timestamp_delta);
        let offset_delta = u64::from(varint::zigzag_i32(offset_delta));
        let (key_len, value_len) = (key.map_or(0, <[u8]>::len), value.map_or(0, <[u8]>::len));
        // Each at most an eighth of the limit, so that their doubled sum is also below it.
        let bytes_len = (key_len | value_len | headers_len) as u64;
        if bytes_len >= Short::LIMIT / 8 || (timestamp_delta | offset_delta) >= Short::LIMIT {
            return None;
        }
        let (timestamp_delta, offset_delta) =
            (Short::new(timestamp_delta), Short::new(offset_delta));
        let deltas = Short {
            bytes: timestamp_delta.bytes | offset_delta.bytes << (8 * timestamp_delta.len),
            len: timestamp_delta.len + offset_delta.len,
        };
        // The zigzag encoding of a non-negative number is its double; of -1, which means null, it is 1.
        let key = Short::new(key.map_or(1, |key| 2 * key.len() as u64));
        let value = Short::new(value.map_or(1, |value| 2 * value.len() as u64));
        let body_len = 1 + deltas.len + key.len + key_len + value.len + value_len + headers_len;
        let length = Short::new(2 * body_len as u64);
        Some(Self {
            deltas,
            key,
            value,
            length,
            len: length.len + body_len,
        })
    }

    /// Writes everything before the headers at `at`. Returns the position after it. The buffer must have space for the
    /// record and for [`SLACK`] after it.
    #[inline(always)]
    pub(crate) fn write(
        &self,
        out: &mut [u8],
        at: usize,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> usize {
        let at = store(out, at, self.length) + 1;
        let at = store(out, at, self.deltas);
        let at = store(out, at, self.key);
        let at = copy(out, at, key);
        let at = store(out, at, self.value);
        copy(out, at, value)
    }
}

/// Appends a usual record without headers, unless it would end after `end_max`; returns whether it did. The buffer must
/// have [`SLACK`] after `end_max`. Not for the first record of a batch.
#[inline(always)]
pub(crate) fn write_usual(
    out: &mut [u8],
    end_max: usize,
    progress: &mut Progress,
    record: &PlainRecord<'_>,
) -> bool {
    let PlainRecord {
        timestamp_ms,
        key,
        value,
    } = *record;
    let timestamp_delta = timestamp_ms.wrapping_sub(progress.base_timestamp_ms);
    let Some(plan) = Plan::new(timestamp_delta, progress.count, key, value, 1) else {
        return false;
    };
    let end = progress.position + plan.len;
    if timestamp_ms < -1 || end > end_max {
        return false;
    }
    let at = plan.write(out, progress.position, key, value);
    out[at] = 0;
    progress.position = end;
    progress.max_timestamp_ms = progress.max_timestamp_ms.max(timestamp_ms);
    progress.count += 1;
    true
}

#[inline(always)]
fn store(out: &mut [u8], at: usize, short: Short) -> usize {
    if let Some(out) = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<8>) {
        *out = short.bytes.to_le_bytes();
    }
    at + short.len
}

#[inline(always)]
fn copy(out: &mut [u8], at: usize, bytes: Option<&[u8]>) -> usize {
    let bytes = bytes.unwrap_or_default();
    let end = at + bytes.len();
    copy_short(&mut out[at..end], bytes);
    end
}

/// Writes everything before the headers of a record at `at`, beginning with the length. Returns the position after it.
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

/// Copies `from` to `to`, which have equal lengths. For the lengths of most keys and values, two inline copies of a
/// fixed length, which may overlap, cost less than a call.
#[inline(always)]
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

/// Copies lengths from `N` to `2 * N`.
#[inline(always)]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk::<N>()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk::<N>()) {
        *to = *from;
    }
}

#[inline(always)]
fn copy_bytewise(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_fast_path_writes_what_the_slow_one_does(
            timestamp_delta in prop_oneof![-70i64..70, -20_000i64..20_000, any::<i64>()],
            offset_delta in prop_oneof![0..100, 0..=i32::MAX],
            key in option::of(vec(any::<u8>(), 0..150)),
            value in option::of(vec(any::<u8>(), 0..9000)),
        ) {
            let (key, value) = (key.as_deref(), value.as_deref());
            let body_len = body_len(timestamp_delta, offset_delta, key, value, 1);
            let size = varint::len_i32(body_len as i32) + body_len;
            let mut slow = vec![0; size];
            let end = write_record(&mut slow, 0, body_len, (timestamp_delta, offset_delta), key, value);
            prop_assert_eq!(end + 1, size);
            let plan = Plan::new(timestamp_delta, offset_delta, key, value, 1);
            let is_short = (-(1 << 20)..1 << 20).contains(&timestamp_delta) && offset_delta < 1 << 20;
            prop_assert_eq!(plan.is_some(), is_short);
            if let Some(plan) = plan {
                let mut fast = vec![0xee; size + SLACK];
                prop_assert_eq!(plan.len, size);
                prop_assert_eq!(plan.write(&mut fast, 0, key, value), end);
                prop_assert_eq!(&fast[..end], &slow[..end]);
            }
        }
    }

    #[test]
    fn a_size_beyond_all_numbers_saturates() {
        assert_eq!(body_len(0, 0, Some(b"k"), None, usize::MAX), usize::MAX);
        assert!(Plan::new(0, 0, None, None, usize::MAX).is_none());
    }
}
