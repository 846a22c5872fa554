//! Decompressing a bomb takes no more memory than a small multiple of the limit. The only test of its file, because it
//! measures the whole process.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(target_os = "linux")]

use bytes::Bytes;
use headwater_record::compression::{compress, decompress};
use headwater_record::{Compression, CompressionLevel, DecompressError, DecompressLimit};

/// The maximum resident size of this process so far, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

#[test]
fn a_gibibyte_of_zeros_takes_a_small_multiple_of_the_limit() {
    let limit = 32 << 20;
    let frame = vec![0; 16 << 20];
    let codecs = [
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];
    // Many frames, so that creating the bomb takes little memory itself.
    let bombs = codecs.map(|codec| {
        let one = compress(codec, CompressionLevel::Default, &frame).unwrap();
        let bomb = match codec {
            // Only one LZ4 frame is read: repeat its blocks between its header and its end.
            Compression::Lz4 => [&one[..7], &one[7..one.len() - 4].repeat(64), &[0; 4]].concat(),
            _ => one.repeat(64),
        };
        (codec, Bytes::from(bomb))
    });
    let before = peak();
    for (codec, bomb) in bombs {
        let refused = decompress(codec, &bomb, DecompressLimit::new(limit));
        assert_eq!(refused, Err(DecompressError::TooLarge { codec, limit }));
        let grown = peak() - before;
        assert!(grown < 2 * limit, "{codec} took {grown} bytes");
    }
}
