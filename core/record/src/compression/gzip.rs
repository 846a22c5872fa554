//! gzip (RFC 1952) with one or more members.

use std::io::{self, Write};

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::output::read_all;
use super::{Compression, CompressionLevel, DecompressError, DecompressLimit};

pub(super) fn compress(plain: &[u8], level: CompressionLevel, out: &mut Vec<u8>) -> io::Result<()> {
    let level = match level {
        CompressionLevel::Default => 6,
        CompressionLevel::Exactly(level) => level.clamp(1, 9).cast_unsigned(),
    };
    let mut encoder = GzEncoder::new(out, flate2::Compression::new(level));
    encoder.write_all(plain)?;
    encoder.finish().map(drop)
}

pub(super) fn decompress(
    stored: &[u8],
    limit: DecompressLimit,
) -> Result<Vec<u8>, DecompressError> {
    read_all(
        Compression::Gzip,
        limit,
        MultiGzDecoder::new(stored),
        stored.len().saturating_mul(4),
    )
}
