//! Seeded chance (splitmix64): the same seed gives the same messages.

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `limit` - 1.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// True once in `times`.
    pub(crate) fn chance(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// The big-endian bytes of a number: small, or an extreme, or anything.
    pub(crate) fn number(&mut self, width: usize) -> Vec<u8> {
        let value = match self.below(4) {
            0 => self.below(20) as u64,
            1 => u64::MAX,
            2 => u64::MAX >> (65 - width.min(8) * 8),
            _ => self.next(),
        };
        let mut bytes = value.to_be_bytes()[8 - width.min(8)..].to_vec();
        bytes.extend(self.bytes(width.saturating_sub(8)));
        bytes
    }

    /// Text, now and then longer than a one-byte length can say.
    pub(crate) fn text(&mut self) -> String {
        let length = if self.chance(10) {
            120 + self.below(200)
        } else {
            self.below(12)
        };
        (0..length)
            .map(|_| ['a', 'Z', '0', '-', '.', ' ', 'ä', '流', '🦀'][self.below(9)])
            .collect()
    }
}
