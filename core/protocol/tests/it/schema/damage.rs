//! Damages bytes.

use super::Random;

/// Impossible lengths, in the encodings of lengths.
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

/// Changes, removes, adds or truncates a few bytes.
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

/// The kinds of damage of [`damaged`]: none, mutated, truncated, or with a wrong length.
pub(crate) const DAMAGES: usize = 4;

/// Bytes with the damage of this number, below [`DAMAGES`].
pub(crate) fn damaged(mut bytes: Vec<u8>, damage: usize, random: &mut Random) -> Vec<u8> {
    match damage {
        0 => bytes,
        1 => mutate(bytes, random),
        2 => {
            bytes.truncate(random.below(bytes.len() + 1));
            bytes
        }
        _ => {
            let lie = LIES[random.below(LIES.len())];
            let at = random.below(bytes.len() + 1);
            let end = (at + lie.len()).min(bytes.len());
            bytes.splice(at..end, lie.iter().copied());
            bytes
        }
    }
}
