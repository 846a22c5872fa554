//! Kafka's default partitioner.

use headwater_record::PartitionId;

/// The 32-bit `MurmurHash2` of `org.apache.kafka.common.utils.Utils.murmur2`.
pub fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    let mut hash = SEED ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (index, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

/// The partition of a key: `toPositive(murmur2(key)) % partition_count`, the same as every Java client's.
/// `partition_count` must be at least 1.
pub fn partition_for_key(key: &[u8], partition_count: i32) -> PartitionId {
    let positive = murmur2(key) & 0x7fff_ffff;
    PartitionId::new((positive % partition_count.max(1).cast_unsigned()).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_equal_those_of_kafkas_own_test() {
        // The cases of Apache Kafka's UtilsTest.testMurmur2.
        let cases: [(&[u8], i32); 7] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (
                b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            (b"abc", 479_470_107),
            (b"", 275_646_681),
        ];
        for (key, hash) in cases {
            assert_eq!(murmur2(key).cast_signed(), hash, "{key:?}");
        }
    }

    #[test]
    fn a_negative_hash_maps_to_a_partition_too() {
        // toPositive clears the sign bit; it does not compute the absolute value.
        assert_eq!(
            partition_for_key(b"21", 7).get(),
            (-973_932_308i64 + (1 << 31)) as i32 % 7
        );
        assert_eq!(partition_for_key(b"abc", 1).get(), 0);
    }
}
