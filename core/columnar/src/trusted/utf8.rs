//! Is it UTF-8? Quick for short values of ASCII.

/// Refuses bytes that are no UTF-8.
#[inline]
pub(super) fn check_utf8(value: &[u8]) -> Result<(), std::str::Utf8Error> {
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
