//! JSON strings: finds their ends and resolves their escapes.

/// A string in the original text, without its quotes. Its escapes were checked but not resolved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawText<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) escaped: bool,
}

impl RawText<'_> {
    /// Appends the text with its escapes resolved. A lone surrogate becomes U+FFFD.
    pub(crate) fn append_to(self, out: &mut Vec<u8>) {
        if self.escaped {
            self.unescape(out);
        } else {
            out.extend_from_slice(self.bytes);
        }
    }

    #[inline(never)]
    fn unescape(self, out: &mut Vec<u8>) {
        let mut rest = self.bytes;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
            out.extend_from_slice(&rest[..at]);
            let Some(kind) = rest.get(at + 1) else { return };
            let mut taken = at + 2;
            match kind {
                b'b' => out.push(0x08),
                b'f' => out.push(0x0c),
                b'n' => out.push(b'\n'),
                b'r' => out.push(b'\r'),
                b't' => out.push(b'\t'),
                b'u' => {
                    let (character, length) = unicode_escape(&rest[at..]);
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    taken = at + length;
                }
                other => out.push(*other),
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
        out.extend_from_slice(rest);
    }
}

/// The character of the escape at the start, with the length of the escape, or of both escapes of a surrogate pair.
fn unicode_escape(text: &[u8]) -> (char, usize) {
    let unit = |at: usize| {
        let digits = text
            .get(at..at + 6)
            .filter(|digits| digits.starts_with(b"\\u"))?;
        u32::from_str_radix(std::str::from_utf8(&digits[2..]).ok()?, 16).ok()
    };
    let first = unit(0).unwrap_or(0xfffd);
    if (0xd800..0xdc00).contains(&first)
        && let Some(second) = unit(6).filter(|second| (0xdc00..0xe000).contains(second))
    {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
            12,
        );
    }
    (
        char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER),
        6,
    )
}

/// Sets the top bit of each byte that ends a plain run: a quote, a backslash, a control character. Exact up to the
/// first such byte.
#[inline]
pub(crate) const fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let quote = zero_in(word ^ (ONES * 0x22));
    let backslash = zero_in(word ^ (ONES * 0x5c));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & TOPS
}

#[inline]
const fn zero_in(bytes: u64) -> u64 {
    bytes.wrapping_sub(0x0101_0101_0101_0101) & !bytes
}
