//! From record to record: what [`RawRecords`] yields, with a short way for the records that most batches consist of.

use headwater_record::{BatchError, RawRecord, RawRecords, Span};

/// A walk over the plain records of one batch. The caller asks for as many as the batch counts, then calls [`Walk::end`].
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    plain: &'a [u8],
    at: usize,
    index: i32,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(plain: &'a [u8]) -> Self {
        Self {
            plain,
            at: 0,
            index: 0,
        }
    }

    /// The next record; its spans lie in the plain records.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Result<RawRecord, BatchError> {
        let (record, next) = match short_record(self.plain, self.at) {
            Some(read) => read,
            None => self.any_record()?,
        };
        self.at = next;
        self.index += 1;
        Ok(record)
    }

    /// After the last record: refuses a count that is negative, and bytes that are left over.
    pub(crate) fn end(&self, count: i32) -> Result<(), BatchError> {
        if count < 0 {
            return Err(BatchError::InvalidCount { count });
        }
        match self.plain.len() - self.at {
            0 => Ok(()),
            extra => Err(BatchError::BytesAfterRecords { count, extra }),
        }
    }

    /// The next record, however it is laid out, or what is wrong with it.
    #[inline(never)]
    fn any_record(&self) -> Result<(RawRecord, usize), BatchError> {
        let rest = self.plain.get(self.at..).unwrap_or_default();
        let mut records = RawRecords::new(rest, 1);
        let record = match records.next() {
            Some(Ok(record)) => record,
            Some(Err(BatchError::Record { defect, .. })) => {
                let index = self.index as usize;
                return Err(BatchError::Record { index, defect });
            }
            Some(Err(error)) => return Err(error),
            None => return Err(BatchError::InvalidCount { count: self.index }),
        };
        let moved = |span: Span| Span {
            start: if span.is_null() {
                0
            } else {
                span.start + self.at as u32
            },
            len: span.len,
        };
        let record = RawRecord {
            key: moved(record.key),
            value: moved(record.value),
            headers: moved(record.headers),
            ..record
        };
        Ok((record, self.at + records.position()))
    }
}

/// A record without headers, whose numbers take three bytes at most each and which does not stand at the very end; `None` for any
/// other, whether well-formed or not.
#[inline(always)]
fn short_record(plain: &[u8], at: usize) -> Option<(RawRecord, usize)> {
    let head = plain.get(at..)?.first_chunk::<16>()?;
    let (length, next) = short_number(head, 0)?;
    let end = at + next + positive(length)?;
    // One byte of attributes that mean nothing.
    let (timestamp_delta, next) = short_number(head, next + 1)?;
    let (offset_delta, next) = short_number(head, next)?;
    let (key_len, next) = short_number(head, next)?;
    let (key, after_key) = short_span(key_len, at + next)?;
    let middle = plain.get(after_key..)?.first_chunk::<4>()?;
    let (value_len, next) = short_number(middle, 0)?;
    let (value, after_value) = short_span(value_len, after_key + next)?;
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

/// A varint of up to three bytes, before the zigzag, and the position after it. The caller sees to it that `at + 2` is inside.
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

/// The bytes at `start`, and where they end.
#[inline(always)]
fn short_span(zigzag: u32, start: usize) -> Option<(Span, usize)> {
    if zigzag == 1 {
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

    /// What both ways make of the same bytes.
    fn compare(plain: &[u8], count: i32) -> Result<(), TestCaseError> {
        let mut walk = Walk::new(plain);
        let ours = (0..count)
            .map(|_| walk.next())
            .collect::<Result<Vec<_>, _>>();
        let ours = ours.and_then(|records| walk.end(count).map(|()| records));
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
        fn both_ways_read_the_same_records(
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
        fn both_ways_refuse_the_same_bytes(plain in vec(prop_oneof![0u8..8, any::<u8>()], 0..60), count in -1..6i32) {
            compare(&plain, count)?;
        }
    }
}
