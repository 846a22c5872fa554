//! Seeded random choices (splitmix64): the same seed gives the same messages. Alternatively a script decides: a fuzzer
//! that changes one byte of it changes one choice and keeps most of the rest.

/// Meaningful values: half of all texts, ids and records are from here.
#[derive(Default)]
pub(crate) struct Vocabulary {
    pub(crate) texts: Vec<String>,
    pub(crate) ids: Vec<[u8; 16]>,
    pub(crate) records: Vec<Vec<u8>>,
}

pub(crate) struct Random {
    /// The script; it decides until it ends.
    script: Vec<u8>,
    read: usize,
    state: u64,
    vocabulary: Vocabulary,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            script: Vec::new(),
            read: 0,
            state: seed,
            vocabulary: Vocabulary::default(),
        }
    }

    /// Choices from `script`; after its end from a constant seed.
    pub(crate) fn scripted(script: &[u8]) -> Self {
        Self {
            script: script.to_vec(),
            ..Self::new(0)
        }
    }

    /// Sets the meaningful values.
    pub(crate) fn know(&mut self, vocabulary: Vocabulary) {
        self.vocabulary = vocabulary;
    }

    /// Sets the meaningful id.
    pub(crate) fn know_id(&mut self, id: [u8; 16]) {
        self.vocabulary.ids = vec![id];
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.draw(8)
    }

    /// A number; a script provides this many bytes.
    fn draw(&mut self, width: usize) -> u64 {
        let rest = &self.script[self.read..];
        if !rest.is_empty() {
            let taken = &rest[..width.min(rest.len())];
            self.read += taken.len();
            return taken
                .iter()
                .fold(0, |number, byte| number << 8 | u64::from(*byte));
        }
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `limit` - 1.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let bits = usize::BITS - (limit - 1).leading_zeros();
        (self.draw(bits.div_ceil(8).max(1) as usize) % limit as u64) as usize
    }

    /// True once in `times`.
    pub(crate) fn chance(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.draw(1) as u8).collect()
    }

    /// The big-endian bytes of a number: small, extreme or arbitrary.
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

    /// The bytes of an id.
    pub(crate) fn id(&mut self) -> Vec<u8> {
        match self.choice(self.vocabulary.ids.len()) {
            Some(at) => self.vocabulary.ids[at].to_vec(),
            None => self.number(16),
        }
    }

    /// The bytes of a records field.
    pub(crate) fn records(&mut self) -> Vec<u8> {
        if let Some(at) = self.choice(self.vocabulary.records.len()) {
            return self.vocabulary.records[at].clone();
        }
        let length = self.below(200);
        self.bytes(length)
    }

    /// One of `count` values in half of the cases.
    fn choice(&mut self, count: usize) -> Option<usize> {
        (count > 0 && self.chance(2)).then(|| self.below(count))
    }

    /// Text, sometimes longer than a one-byte length.
    pub(crate) fn text(&mut self) -> String {
        if let Some(at) = self.choice(self.vocabulary.texts.len()) {
            return self.vocabulary.texts[at].clone();
        }
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
