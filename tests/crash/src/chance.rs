//! Small random numbers from a seed.

/// A stream of numbers, the same for the same seed.
#[derive(Debug, Clone)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Chance {
        let mut chance = Chance {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        };
        chance.below(2);
        chance
    }

    /// One of `0..bound`, which must not be empty.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) % bound
    }

    /// Bytes of a length below `bound`.
    pub fn bytes(&mut self, bound: u64) -> Vec<u8> {
        let len = self.below(bound);
        (0..len).map(|_| self.below(256) as u8).collect()
    }
}
