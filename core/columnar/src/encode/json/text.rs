//! Writes strings with quotes and escapes.

use crate::json::special_bytes;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The maximum growth of a byte of text: `\u001f`. A byte of binary data grows to two.
pub(super) const MAX_GROWTH: usize = 6;

/// Appends text in quotes, with the escapes that JSON requires.
pub(super) fn push_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain = 0;
    let mut at = 0;
    while at < bytes.len() {
        if let Some(chunk) = bytes[at..].first_chunk::<8>() {
            let special = special_bytes(u64::from_le_bytes(*chunk));
            if special == 0 {
                at += 8;
                continue;
            }
            at += special.trailing_zeros() as usize / 8;
        }
        if matches!(bytes[at], b'"' | b'\\' | 0..0x20) {
            out.extend_from_slice(&bytes[plain..at]);
            push_escape(bytes[at], out);
            plain = at + 1;
        }
        at += 1;
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}

fn push_escape(byte: u8, out: &mut Vec<u8>) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            out.extend_from_slice(b"\\u00");
            push_hex(byte, out);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

/// Appends bytes in quotes, as two hexadecimal digits each.
pub(super) fn push_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.reserve(2 * bytes.len());
    for byte in bytes {
        push_hex(*byte, out);
    }
    out.push(b'"');
}

fn push_hex(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}
