//! Validates UTF-8, with a fast path for short ASCII values.

/// Refuses bytes that are not UTF-8.
#[inline]
pub(super) fn check_utf8(value: &[u8]) -> Result<(), std::str::Utf8Error> {
    if is_ascii(value) {
        Ok(())
    } else {
        std::str::from_utf8(value).map(drop)
    }
}

/// Has no byte-wise loop at the end, which would take longer than the rest for values of some dozen bytes: the last
/// word overlaps the one before.
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
    fn a_non_ascii_byte_is_found_at_any_position() {
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
