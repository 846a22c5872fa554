//! Iterates over records like [`RawRecords`], with a fast path for the most common kind.

use headwater_record::{BatchError, RawRecord, RawRecords, Span};

/// An iteration over the uncompressed records of one batch, as many as its header counts. Call [`Walk::end`] after the
/// last.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    plain: &'a [u8],
    at: usize,
    index: i32,
    count: i32,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(plain: &'a [u8], count: i32) -> Self {
        Self {
            plain,
            at: 0,
            index: 0,
            count,
        }
    }

    /// Whether all counted records were read.
    pub(crate) fn is_done(&self) -> bool {
        self.index >= self.count
    }

    /// The number of remaining records.
    pub(crate) fn left(&self) -> usize {
        (self.count - self.index).max(0) as usize
    }

    /// The position of the next record.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Continues at `position`, after `records` records that other code has read.
    pub(crate) fn skip_to(&mut self, position: usize, records: usize) {
        self.at = position;
        self.index += records as i32;
    }

    /// The next record and its index. Its spans lie within the uncompressed records.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Result<(usize, RawRecord), BatchError> {
        let (record, next) = match short_record(self.plain, self.at) {
            Some(read) => read,
            None => any_record(self.plain, self.at, self.index)?,
        };
        let index = self.index as usize;
        self.at = next;
        self.index += 1;
        Ok((index, record))
    }

    /// Call after the last record. Refuses a negative count and left-over bytes.
    pub(crate) fn end(&self) -> Result<(), BatchError> {
        let count = self.count;
        if count < 0 {
            return Err(BatchError::InvalidCount { count });
        }
        match self.plain.len() - self.at {
            0 => Ok(()),
            extra => Err(BatchError::BytesAfterRecords { count, extra }),
        }
    }
}

/// The record at `at`, of any kind, or its defect. Takes values instead of the walk, which stays in registers.
#[inline(never)]
fn any_record(plain: &[u8], at: usize, index: i32) -> Result<(RawRecord, usize), BatchError> {
    let rest = plain.get(at..).unwrap_or_default();
    let mut records = RawRecords::new(rest, 1);
    let record = match records.next() {
        Some(Ok(record)) => record,
        Some(Err(BatchError::Record { defect, .. })) => {
            return Err(BatchError::Record {
                index: index as usize,
                defect,
            });
        }
        Some(Err(error)) => return Err(error),
        None => return Err(BatchError::InvalidCount { count: index }),
    };
    let moved = |span: Span| Span {
        start: if span.is_null() {
            0
        } else {
            span.start + at as u32
        },
        len: span.len,
    };
    let record = RawRecord {
        key: moved(record.key),
        value: moved(record.value),
        headers: moved(record.headers),
        ..record
    };
    Ok((record, at + records.position()))
}

/// A record without headers, whose numbers take at most three bytes each, and which is not at the very end; `None` for
/// any other, valid or not.
#[inline(always)]
pub(crate) fn short_record(plain: &[u8], at: usize) -> Option<(RawRecord, usize)> {
    // One bounds check for the length, three numbers, and the length of a value without a key.
    let head = plain.get(at..)?.first_chunk::<32>()?;
    let (length, next) = short_number(head, 0)?;
    let end = at + next + positive(length)?;
    // Skip the unused byte of attributes.
    let (timestamp_delta, next) = short_number(head, next + 1)?;
    let (offset_delta, next) = short_number(head, next)?;
    let (key_len, next) = short_number(head, next)?;
    let (key, value_len, value_start) = if key_len == NO_BYTES {
        let (value_len, next) = short_number(head, next)?;
        (Span::NULL, value_len, at + next)
    } else {
        let (key, after_key) = short_span(key_len, at + next)?;
        let middle = plain.get(after_key..)?.first_chunk::<4>()?;
        let (value_len, next) = short_number(middle, 0)?;
        (key, value_len, after_key + next)
    };
    let (value, after_value) = short_span(value_len, value_start)?;
    if plain.get(after_value) != Some(&0) || after_value + 1 != end {
        return None;
    }
    let record = RawRecord {
        timestamp_delta: i64::from(unzigzag(timestamp_delta)),
        offset_delta: unzigzag(offset_delta),
        key,
        value,
        headers: Span {
            start: end as u32,
            len: 0,
        },
        header_count: 0,
    };
    Some((record, end))
}

/// The encoded length of null, before the zigzag decoding.
const NO_BYTES: u32 = 1;

/// A varint of up to three bytes, before the zigzag decoding, and the position after it. The caller must make sure that
/// `at + 2` is within bounds.
#[inline(always)]
fn short_number<const N: usize>(bytes: &[u8; N], at: usize) -> Option<(u32, usize)> {
    const { assert!(N.is_power_of_two()) };
    let byte = |index: usize| u32::from(bytes[(at + index) & (N - 1)]);
    let first = byte(0);
    if first < 0x80 {
        return Some((first, at + 1));
    }
    let second = byte(1);
    let low = first & 0x7f | (second & 0x7f) << 7;
    if second < 0x80 {
        return Some((low, at + 2));
    }
    let third = byte(2);
    (third < 0x80).then_some((low | third << 14, at + 3))
}

/// A length, unless it is negative.
#[inline(always)]
fn positive(zigzag: u32) -> Option<usize> {
    (zigzag & 1 == 0).then_some((zigzag >> 1) as usize)
}

/// The span at `start`, and its end.
#[inline(always)]
fn short_span(zigzag: u32, start: usize) -> Option<(Span, usize)> {
    if zigzag == NO_BYTES {
        return Some((Span::NULL, start));
    }
    let len = positive(zigzag)?;
    let span = Span {
        start: start as u32,
        len: len as i32,
    };
    Some((span, start + len))
}

#[inline(always)]
const fn unzigzag(value: u32) -> i32 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_record::{BatchBuilder, BatchOptions, HEADER_LEN};
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    /// Compares the results of both paths for the same bytes.
    fn compare(plain: &[u8], count: i32) -> Result<(), TestCaseError> {
        let mut walk = Walk::new(plain, count);
        let ours = (0..count)
            .map(|_| walk.next().map(|(_, record)| record))
            .collect::<Result<Vec<_>, _>>();
        let ours = ours.and_then(|records| walk.end().map(|()| records));
        let theirs: Result<Vec<_>, _> = RawRecords::new(plain, count).collect();
        let values = |records: Vec<RawRecord>| -> Vec<_> {
            let of = |span: Span| span.of(plain).map(<[u8]>::to_vec);
            let place = |record: &RawRecord| {
                (
                    record.timestamp_delta,
                    record.offset_delta,
                    record.header_count,
                )
            };
            records
                .iter()
                .map(|record| {
                    (
                        place(record),
                        of(record.key),
                        of(record.value),
                        of(record.headers),
                    )
                })
                .collect()
        };
        prop_assert_eq!(ours.map(values), theirs.map(values));
        Ok(())
    }

    proptest! {
        #[test]
        fn both_paths_read_the_same_records(
            rows in vec((0i64..3_000_000, option::of(vec(any::<u8>(), 0..80)), option::of(vec(any::<u8>(), 0..9000)), vec(option::of(vec(any::<u8>(), 0..5)), 0..2)), 1..40),
            changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
            count_error in prop_oneof![4 => Just(0), 1 => -1..2i32],
        ) {
            let mut builder = BatchBuilder::new(BatchOptions { capacity: 1 << 24, ..BatchOptions::default() });
            for (timestamp_ms, key, value, headers) in &rows {
                let headers: Vec<_> = headers.iter().map(|value| ("h", value.as_deref())).collect();
                builder.try_append(*timestamp_ms, key.as_deref(), value.as_deref(), &headers).unwrap();
            }
            let mut plain = builder.finish().unwrap()[HEADER_LEN..].to_vec();
            for (at, byte) in changes {
                let at = at.index(plain.len());
                plain[at] = byte;
            }
            compare(&plain, rows.len() as i32 + count_error)?;
        }

        #[test]
        fn both_paths_refuse_the_same_bytes(plain in vec(prop_oneof![0u8..8, any::<u8>()], 0..60), count in -1..6i32) {
            compare(&plain, count)?;
        }
    }
}
