//! What becomes of bytes on the way, by accident or on purpose.

use super::Random;

/// Lengths that nothing can have, in the encodings of lengths.
pub(crate) const LIES: [&[u8]; 8] = [
    &[0x7F, 0xFF, 0xFF, 0xFF],
    &[0xFF, 0xFF, 0xFF, 0xFF],
    &[0x80, 0x00, 0x00, 0x00],
    &[0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
    &[0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
    &[0x7F, 0xFF],
    &[0x80, 0x00],
    &[0x00, 0x00, 0xFF, 0xFF],
];

/// Changes, removes, adds or cuts off a few bytes.
pub(crate) fn mutate(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    for _ in 0..=random.below(3) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        match random.below(5) {
            0 => bytes[at] = random.next() as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, random.next() as u8),
            _ => bytes.truncate(at),
        }
    }
    bytes
}
