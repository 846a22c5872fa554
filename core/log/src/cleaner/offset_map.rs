//! A map from keys to their last offsets with bounded memory.

use headwater_record::Offset;
use sha2::{Digest, Sha256};

/// The size of an entry: a hash of sixteen bytes and an offset, as in Kafka's `SkimpyOffsetMap`.
pub(crate) const ENTRY_BYTES: usize = 24;
/// The maximum load of the table, like Kafka's `log.cleaner.io.buffer.load.factor`.
const LOAD_PERCENT: usize = 90;

/// One slot of the table: the hash of a key, and its last offset plus one. 0 marks an empty slot.
type Slot = [u64; 3];

/// Maps keys to their last offsets.
///
/// A key is represented by the first sixteen bytes of its SHA-256. The map would confuse two keys with the same hash,
/// and the cleaning would lose a record; but finding such a pair is infeasible, even on purpose.
#[derive(Debug)]
pub(crate) struct OffsetMap {
    slots: Vec<Slot>,
    keys: usize,
    keys_max: usize,
    next_offset: Offset,
}

impl OffsetMap {
    /// An empty map of at most `bytes`, and at most as large as `records` keys need. It does not cover offsets before
    /// `start`.
    pub(crate) fn new(start: Offset, bytes: usize, records: u64) -> Self {
        let affordable = (bytes / ENTRY_BYTES).max(2);
        let needed = usize::try_from(records)
            .unwrap_or(usize::MAX)
            .saturating_mul(100)
            / LOAD_PERCENT;
        let slots = affordable.min(needed.saturating_add(2));
        Self {
            // The system allocates zeroed memory only when it is touched.
            slots: vec![[0; 3]; slots],
            keys: 0,
            keys_max: (slots * LOAD_PERCENT / 100).max(1),
            next_offset: start,
        }
    }

    /// The number of keys.
    pub(crate) fn len(&self) -> usize {
        self.keys
    }

    /// The end of the map: all records from its start to before this offset are in it.
    pub(crate) fn next_offset(&self) -> Offset {
        self.next_offset
    }

    /// Declares that all records before the offset were added or have no key.
    pub(crate) fn advance_to(&mut self, next_offset: Offset) {
        self.next_offset = self.next_offset.max(next_offset);
    }

    /// Adds a record. Returns whether there was space. Offsets must ascend.
    pub(crate) fn put(&mut self, key: &[u8], offset: Offset) -> bool {
        let hash = hash(key);
        let place = self.place(hash);
        let slot = &mut self.slots[place];
        if slot[2] == 0 {
            if self.keys == self.keys_max {
                return false;
            }
            self.keys += 1;
        }
        *slot = [hash[0], hash[1], offset.get() as u64 + 1];
        self.advance_to(offset + 1);
        true
    }

    /// The last added offset of the key.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Offset> {
        match self.slots[self.place(hash(key))][2] {
            0 => None,
            next => Some(Offset::new(next as i64 - 1)),
        }
    }

    /// The slot that has the hash or may take it. The table always has an empty slot.
    fn place(&self, hash: [u64; 2]) -> usize {
        let mut place = (hash[0] % self.slots.len() as u64) as usize;
        while self.slots[place][2] != 0 && self.slots[place][..2] != hash {
            place = (place + 1) % self.slots.len();
        }
        place
    }
}

fn hash(key: &[u8]) -> [u64; 2] {
    let digest = Sha256::digest(key);
    let word = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[at..at + 8]);
        u64::from_be_bytes(bytes)
    };
    [word(0), word(8)]
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_last_offset_of_each_key_is_found(keys in prop::collection::vec(0..40_u8, 0..200), bytes in 48..2000_usize) {
            let mut map = OffsetMap::new(Offset::new(100), bytes, keys.len() as u64);
            let mut known = HashMap::new();
            let mut end = 100;
            for (offset, key) in (100..).zip(&keys) {
                if !map.put(&[*key], Offset::new(offset)) {
                    prop_assert!(!known.contains_key(key), "a known key needs no space");
                    break;
                }
                known.insert(*key, offset);
                end = offset + 1;
            }
            prop_assert_eq!(map.next_offset().get(), end);
            prop_assert_eq!(map.len(), known.len());
            prop_assert!(map.len() < map.slots.len() && map.slots.len() * ENTRY_BYTES <= bytes.max(48));
            for key in 0..40 {
                prop_assert_eq!(map.get(&[key]).map(Offset::get), known.get(&key).copied());
            }
        }
    }

    #[test]
    fn a_small_log_takes_little_memory() {
        let map = OffsetMap::new(Offset::ZERO, 128 << 20, 10);
        assert!(map.slots.len() < 20);
        assert!(OffsetMap::new(Offset::ZERO, 0, u64::MAX).put(b"k", Offset::ZERO));
    }
}
