//! Kafka's variable-length integers: zigzag encoding in groups of seven bits, least significant first, with the top bit
//! of each byte set if another follows. At most 5 bytes for an `i32`, 10 for an `i64`.

/// The maximum size of an encoded `i32`.
pub const MAX_LEN_I32: usize = 5;
/// The maximum size of an encoded `i64`.
pub const MAX_LEN_I64: usize = 10;

/// Maps small numbers of either sign to small unsigned numbers: 0, -1, 1, -2 become 0, 1, 2, 3.
#[inline]
pub const fn zigzag_i32(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

/// Like [`zigzag_i32`].
#[inline]
pub const fn zigzag_i64(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The inverse of [`zigzag_i32`].
#[inline]
pub const fn unzigzag_i32(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

/// The inverse of [`zigzag_i64`].
#[inline]
pub const fn unzigzag_i64(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// The size of the encoded value.
#[inline]
pub const fn len_i32(value: i32) -> usize {
    len_u64(zigzag_i32(value) as u64)
}

/// The size of the encoded value.
#[inline]
pub const fn len_i64(value: i64) -> usize {
    len_u64(zigzag_i64(value))
}

#[inline]
const fn len_u64(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros();
    // ceil(bits / 7) for 1..=64 without a division.
    ((bits * 9 + 64) >> 6) as usize
}

/// Writes the value at `at` and returns the position after it. `out` must be large enough.
#[inline]
pub fn write_i32(out: &mut [u8], at: usize, value: i32) -> usize {
    write_u64(out, at, u64::from(zigzag_i32(value)))
}

/// Like [`write_i32`].
#[inline]
pub fn write_i64(out: &mut [u8], at: usize, value: i64) -> usize {
    write_u64(out, at, zigzag_i64(value))
}

#[inline]
fn write_u64(out: &mut [u8], at: usize, value: u64) -> usize {
    if value < 0x80 {
        out[at] = value as u8;
        return at + 1;
    }
    if value < 0x4000 {
        let [low, high] = [value as u8 | 0x80, (value >> 7) as u8];
        out[at..at + 2].copy_from_slice(&[low, high]);
        return at + 2;
    }
    write_long(out, at, value)
}

#[cold]
#[inline(never)]
fn write_long(out: &mut [u8], mut at: usize, mut value: u64) -> usize {
    while value >= 0x80 {
        out[at] = value as u8 | 0x80;
        value >>= 7;
        at += 1;
    }
    out[at] = value as u8;
    at + 1
}

/// A number below 2^21 as a varint of one to three bytes. An encoder of many such numbers keeps it in a register and
/// stores eight bytes at once. Branches, which are nearly always predicted, are faster here than branchless arithmetic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Short {
    /// The bytes, the first in the lowest bits; zeros above.
    pub(crate) bytes: u64,
    /// The number of bytes.
    pub(crate) len: usize,
}

impl Short {
    /// The lowest number (after zigzag) that does not fit.
    pub(crate) const LIMIT: u64 = 1 << 21;

    /// Encodes a number below [`LIMIT`](Self::LIMIT), after zigzag.
    #[expect(
        clippy::inline_always,
        reason = "measured: a call costs as much as the rest"
    )]
    #[inline(always)]
    pub(crate) const fn new(zigzag: u64) -> Self {
        if zigzag < 0x80 {
            return Self {
                bytes: zigzag,
                len: 1,
            };
        }
        let two = zigzag & 0x7f | (zigzag & 0x3f80) << 1;
        if zigzag < 0x4000 {
            return Self {
                bytes: two | 0x80,
                len: 2,
            };
        }
        Self {
            bytes: two | (zigzag & 0x1f_c000) << 2 | 0x8080,
            len: 3,
        }
    }
}

/// Reads a value at `at` and returns it with the position after it; `None` if the bytes end first, or after 5 bytes.
/// Drops bits beyond the 32nd, like Kafka.
#[inline]
pub fn read_i32(bytes: &[u8], at: usize) -> Option<(i32, usize)> {
    let first = *bytes.get(at)?;
    if first < 0x80 {
        return Some((unzigzag_i32(u32::from(first)), at + 1));
    }
    let second = *bytes.get(at + 1)?;
    let low = u32::from(first & 0x7f) | u32::from(second & 0x7f) << 7;
    if second < 0x80 {
        return Some((unzigzag_i32(low), at + 2));
    }
    let (value, next) = read_long(bytes, at, MAX_LEN_I32)?;
    Some((unzigzag_i32(value as u32), next))
}

/// Like [`read_i32`], for up to 10 bytes and 64 bits.
#[inline]
pub fn read_i64(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let first = *bytes.get(at)?;
    if first < 0x80 {
        return Some((unzigzag_i64(u64::from(first)), at + 1));
    }
    let second = *bytes.get(at + 1)?;
    let low = u64::from(first & 0x7f) | u64::from(second & 0x7f) << 7;
    if second < 0x80 {
        return Some((unzigzag_i64(low), at + 2));
    }
    let (value, next) = read_long(bytes, at, MAX_LEN_I64)?;
    Some((unzigzag_i64(value), next))
}

#[inline(never)]
fn read_long(bytes: &[u8], at: usize, max_len: usize) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (index, byte) in bytes.get(at..)?.iter().take(max_len).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            return Some((value, at + index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(value: i64) {
        let mut out = [0xaa; 16];
        let end = write_i64(&mut out, 3, value);
        assert_eq!(end - 3, len_i64(value));
        assert_eq!(read_i64(&out, 3), Some((value, end)));
        assert_eq!(
            read_i64(&out[..end - 1], 3),
            None,
            "cut before its last byte"
        );
        if let Ok(short) = i32::try_from(value) {
            let mut out32 = [0xaa; 16];
            assert_eq!(write_i32(&mut out32, 3, short), end);
            assert_eq!(out32, out, "i32 and i64 agree where both can");
            assert_eq!(read_i32(&out32, 3), Some((short, end)));
        }
    }

    #[test]
    fn every_power_of_two_and_its_neighbours_round_trip() {
        for shift in 0..64 {
            for near in -2..=2 {
                round_trip((1i64 << shift).wrapping_add(near));
                round_trip((1i64 << shift).wrapping_neg().wrapping_add(near));
            }
        }
    }

    #[test]
    fn known_values_have_kafkas_bytes() {
        let bytes_of = |value: i64| {
            let mut out = vec![0; MAX_LEN_I64];
            let end = write_i64(&mut out, 0, value);
            out.truncate(end);
            out
        };
        assert_eq!(bytes_of(0), [0x00]);
        assert_eq!(bytes_of(-1), [0x01]);
        assert_eq!(bytes_of(63), [0x7e]);
        assert_eq!(bytes_of(64), [0x80, 0x01]);
        assert_eq!(bytes_of(-65), [0x81, 0x01]);
        assert_eq!(
            bytes_of(i64::MIN),
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]
        );
    }

    #[test]
    fn an_endless_varint_is_refused() {
        assert_eq!(read_i32(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 0), None);
        assert_eq!(read_i64(&[0x80; 16], 0), None);
        assert_eq!(read_i32(&[], 0), None);
        assert_eq!(read_i64(&[0], 9), None);
    }

    proptest! {
        #[test]
        fn short_numbers_have_the_same_bytes(value in -(1i64 << 20)..1 << 20) {
            let short = Short::new(zigzag_i64(value));
            let mut out = [0; 8];
            prop_assert_eq!(write_i64(&mut out, 0, value), short.len);
            prop_assert_eq!(u64::from_le_bytes(out), short.bytes);
        }

        #[test]
        fn any_value_comes_back(value: i64) {
            round_trip(value);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, at in 0usize..40) {
            for next in [read_i64(&bytes, at).map(|r| r.1), read_i32(&bytes, at).map(|r| r.1)].into_iter().flatten() {
                prop_assert!(next > at && next <= bytes.len());
            }
        }
    }
}
