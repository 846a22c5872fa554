//! Codecs: valid output of other clients is read, damage is an error, and no input exceeds the limit.

use std::io::{Read, Write};

use bytes::Bytes;
use headwater_record::compression::{compress, decompress};
use headwater_record::{Compression, CompressionLevel, DecompressError, DecompressLimit};
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use proptest::prelude::*;
use rstest::rstest;

const CODECS: [Compression; 4] = [
    Compression::Gzip,
    Compression::Snappy,
    Compression::Lz4,
    Compression::Zstd,
];

fn pack(codec: Compression, plain: &[u8]) -> Vec<u8> {
    compress(codec, CompressionLevel::Default, plain).unwrap()
}

fn unpack(codec: Compression, stored: Vec<u8>, limit: usize) -> Result<Bytes, DecompressError> {
    decompress(codec, &Bytes::from(stored), DecompressLimit::new(limit))
}

/// Text-like bytes that compress by a factor of about three.
fn sample(len: usize) -> Vec<u8> {
    let words = [
        &b"flight "[..],
        b"carrier ",
        b"delay ",
        b"origin ",
        b"2013-01-01 ",
        b"UA ",
        b"EWR ",
    ];
    let mut state = 12345u32;
    let mut out = Vec::with_capacity(len + 16);
    while out.len() < len {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        out.extend_from_slice(words[(state >> 16) as usize % words.len()]);
        out.push((state >> 8) as u8);
    }
    out.truncate(len);
    out
}

#[rstest]
fn every_length_around_the_block_limits_round_trips(
    #[values(0, 1, 12, 13, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 300_000)] len: usize,
) {
    for codec in CODECS {
        let plain = sample(len);
        assert_eq!(
            unpack(codec, pack(codec, &plain), len).unwrap(),
            plain,
            "{codec}"
        );
        let noise: Vec<u8> = (0..len)
            .map(|i| (i as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3])
            .collect();
        assert_eq!(
            unpack(codec, pack(codec, &noise), len).unwrap(),
            noise,
            "{codec}"
        );
    }
}

#[test]
fn one_byte_more_than_the_limit_is_an_error() {
    for codec in CODECS {
        for len in [1, 1000, 65_536, 200_000] {
            let stored = pack(codec, &sample(len));
            assert!(unpack(codec, stored.clone(), len).is_ok(), "{codec} {len}");
            let expected = DecompressError::TooLarge {
                codec,
                limit: len - 1,
            };
            assert_eq!(
                unpack(codec, stored, len - 1),
                Err(expected),
                "{codec} {len}"
            );
        }
    }
}

#[test]
fn a_bomb_is_an_error() {
    let zeros = vec![0; 64 << 20];
    for codec in CODECS {
        let bomb = pack(codec, &zeros);
        assert!(bomb.len() < 4 << 20);
        let limit = 1 << 20;
        assert_eq!(
            unpack(codec, bomb, limit),
            Err(DecompressError::TooLarge { codec, limit })
        );
    }
}

#[test]
fn several_frames_are_read_to_the_last_but_of_lz4() {
    for codec in CODECS {
        let mut stored = pack(codec, b"first, ");
        stored.extend(pack(codec, &sample(70_000)));
        stored.extend(pack(codec, b"last"));
        let expected = [b"first, ".to_vec(), sample(70_000), b"last".to_vec()].concat();
        let unpacked = unpack(codec, stored, 1 << 20);
        if codec == Compression::Lz4 {
            // Kafka's reader stops at the end of the first frame.
            assert!(matches!(unpacked, Err(DecompressError::Damaged { .. })));
        } else {
            assert_eq!(unpacked.unwrap(), expected, "{codec}");
        }
    }
}

#[test]
fn no_byte_may_follow_an_lz4_frame() {
    let mut stored = pack(Compression::Lz4, &sample(70_000));
    stored.push(0);
    let unpacked = unpack(Compression::Lz4, stored, 1 << 20);
    assert!(matches!(unpacked, Err(DecompressError::Damaged { .. })));
}

#[test]
fn a_cut_at_any_byte_is_an_error() {
    let plain = sample(5000);
    for codec in CODECS {
        let stored = pack(codec, &plain);
        // The snappy header alone is an empty stream; for gzip and zstd, zero bytes are one.
        for len in 1..stored.len() {
            if codec == Compression::Snappy && len == 16 {
                continue;
            }
            let cut = unpack(codec, stored[..len].to_vec(), 1 << 20);
            assert!(
                matches!(cut, Err(DecompressError::Damaged { .. })),
                "{codec} cut to {len}: {cut:?}"
            );
        }
    }
}

#[test]
fn raw_snappy_is_read() {
    let plain = sample(100_000);
    let raw = snap::raw::Encoder::new().compress_vec(&plain).unwrap();
    assert_eq!(unpack(Compression::Snappy, raw, 100_000).unwrap(), plain);
}

#[test]
fn an_impossible_snappy_length_is_refused_before_memory_is_allocated() {
    // A block that announces 2^31 bytes and has six.
    let claims = vec![0x80, 0x80, 0x80, 0x80, 0x08, 0x00];
    let refused = decompress(
        Compression::Snappy,
        &Bytes::from(claims),
        DecompressLimit::default(),
    );
    assert!(matches!(refused, Err(DecompressError::Damaged { .. })));
}

#[rstest]
fn every_kind_of_lz4_frame_is_read(
    #[values(BlockMode::Independent, BlockMode::Linked)] mode: BlockMode,
    #[values(
        BlockSize::Max64KB,
        BlockSize::Max256KB,
        BlockSize::Max1MB,
        BlockSize::Max4MB
    )]
    size: BlockSize,
    #[values(false, true)] checksums: bool,
    #[values(10, 700_000)] len: usize,
) {
    let plain = sample(len);
    let info = FrameInfo::new()
        .block_mode(mode)
        .block_size(size)
        .block_checksums(checksums)
        .content_checksum(checksums)
        .content_size(checksums.then_some(len as u64));
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(&plain).unwrap();
    let stored = encoder.finish().unwrap();
    assert_eq!(
        unpack(Compression::Lz4, stored.clone(), len).unwrap(),
        plain
    );
    let too_large = DecompressError::TooLarge {
        codec: Compression::Lz4,
        limit: len - 1,
    };
    assert_eq!(
        unpack(Compression::Lz4, stored.clone(), len - 1),
        Err(too_large)
    );
    if checksums {
        for at in [6, stored.len() / 2, stored.len() - 1] {
            let mut damaged = stored.clone();
            damaged[at] ^= 1;
            assert!(matches!(
                unpack(Compression::Lz4, damaged, 1 << 20),
                Err(DecompressError::Damaged { .. })
            ));
        }
    }
}

#[test]
fn our_lz4_frames_have_kafkas_head_and_are_read_by_others() {
    let plain = sample(200_000);
    let stored = pack(Compression::Lz4, &plain);
    assert_eq!(stored[..7], [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
    let mut read = Vec::new();
    FrameDecoder::new(&stored[..])
        .read_to_end(&mut read)
        .unwrap();
    assert_eq!(read, plain);
}

#[test]
fn our_snappy_has_xerials_head_and_blocks() {
    let stored = pack(Compression::Snappy, &sample(40_000));
    assert_eq!(stored[..16], *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
    let first = u32::from_be_bytes(stored[16..20].try_into().unwrap()) as usize;
    let block = snap::raw::Decoder::new()
        .decompress_vec(&stored[20..20 + first])
        .unwrap();
    assert_eq!(block, sample(40_000)[..32_768]);
}

#[test]
fn a_zstd_frame_without_its_size_is_read() {
    let plain = sample(3 << 20);
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.write_all(&plain).unwrap();
    let stored = encoder.finish().unwrap();
    assert_eq!(unpack(Compression::Zstd, stored, 3 << 20).unwrap(), plain);
}

#[test]
fn a_zstd_frame_of_the_highest_level_is_read() {
    let plain = sample(3 << 20);
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 22).unwrap();
    encoder.write_all(&plain).unwrap();
    let stored = encoder.finish().unwrap();
    assert_eq!(unpack(Compression::Zstd, stored, 3 << 20).unwrap(), plain);
}

#[test]
fn names_and_numbers_are_kafkas() {
    for (id, name) in ["none", "gzip", "snappy", "lz4", "zstd"]
        .into_iter()
        .enumerate()
    {
        let codec = Compression::from_id(id as i8).unwrap();
        assert_eq!(
            (codec.name(), codec.id(), name.parse()),
            (name, id as i8, Ok(codec))
        );
    }
    assert!(Compression::from_id(5).is_err() && Compression::from_id(-1).is_err());
    let error = "brotli".parse::<Compression>().unwrap_err().to_string();
    assert!(
        error.contains("brotli") && error.contains("zstd"),
        "{error}"
    );
}

proptest! {
    #[test]
    fn hostile_bytes_return_an_error_or_few_bytes(bytes: Vec<u8>, limit in 0usize..4096) {
        for codec in CODECS {
            if let Ok(plain) = unpack(codec, bytes.clone(), limit) {
                prop_assert!(plain.len() <= limit);
            }
        }
    }

    #[test]
    fn damaged_bytes_never_panic(
        plain in proptest::collection::vec(0u8..4, 0..3000),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        limit in 0usize..8192,
    ) {
        for codec in CODECS {
            let mut stored = pack(codec, &plain);
            for (at, byte) in &flips {
                let at = at.index(stored.len());
                stored[at] = *byte;
            }
            if let Ok(read) = unpack(codec, stored, limit) {
                prop_assert!(read.len() <= limit);
            }
        }
    }
}
