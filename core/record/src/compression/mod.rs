//! The four codecs of record batches, in both directions, with bounded output.
//!
//! Writes the same formats as Kafka's own clients: gzip; snappy in xerial's framing; LZ4 frames of independent 64 KiB
//! blocks; zstd frames. Reads everything that these formats allow, including raw snappy and several frames in sequence;
//! of LZ4 only one frame, like Kafka.

mod compressor;
mod gzip;
mod lz4;
mod output;
mod snappy;
mod xxh32;
mod zstd;

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

pub use compressor::{CompressError, Compressor};

/// A codec, with Kafka's name and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// No compression.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy in xerial's framing.
    Snappy,
    /// LZ4 frame.
    Lz4,
    /// RFC 8878.
    Zstd,
}

impl Compression {
    /// All codecs, by number.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// Its number in the attributes of a batch.
    pub const fn id(self) -> i8 {
        self as i8
    }

    /// The codec with this number.
    pub fn from_id(id: i8) -> Result<Self, UnknownCompression> {
        let index = usize::try_from(id).ok();
        index
            .and_then(|index| Self::ALL.get(index))
            .copied()
            .ok_or(UnknownCompression::Id(id))
    }

    /// Its name in `compression.type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Compression {
    type Err = UnknownCompression;

    fn from_str(name: &str) -> Result<Self, UnknownCompression> {
        let found = Self::ALL.into_iter().find(|codec| codec.name() == name);
        found.ok_or_else(|| UnknownCompression::Name(name.to_owned()))
    }
}

/// An unknown number or name of a codec.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownCompression {
    /// A number in the attributes of a batch.
    #[error(
        "compression codec {0} is unknown: it is one of 0 (none), 1 (gzip), 2 (snappy), 3 (lz4), 4 (zstd)"
    )]
    Id(i8),
    /// A name in a configuration.
    #[error("compression type {0:?} is unknown: use none, gzip, snappy, lz4 or zstd")]
    Name(String),
}

/// The compression level on the codec's own scale (gzip 1..=9, zstd -131072..=22; the others have none).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum CompressionLevel {
    /// Kafka's default: gzip 6, zstd 3.
    #[default]
    Default,
    /// This level, limited to the codec's range.
    Exactly(i32),
}

/// The maximum number of bytes from decompressing one batch. Memory stays within a small multiple of the limit,
/// whatever size the compressed bytes announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DecompressLimit(usize);

impl DecompressLimit {
    /// A limit of at most this many bytes, and at most `i32::MAX`.
    pub const fn new(bytes: usize) -> Self {
        let most = i32::MAX as usize;
        Self(if bytes < most { bytes } else { most })
    }

    /// The limit in bytes.
    pub const fn get(self) -> usize {
        self.0
    }
}

impl Default for DecompressLimit {
    /// 128 MiB.
    fn default() -> Self {
        Self::new(128 << 20)
    }
}

/// The error of a failed decompression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecompressError {
    /// The result exceeds the limit.
    #[error(
        "the {codec} data decompress to more than {limit} bytes: send smaller batches, or raise the limit"
    )]
    TooLarge {
        /// The codec.
        codec: Compression,
        /// The limit.
        limit: usize,
    },
    /// The bytes are not valid output of the codec.
    #[error("the {codec} data is damaged: {reason}")]
    Damaged {
        /// The codec.
        codec: Compression,
        /// The message of the codec's library.
        reason: String,
    },
}

/// Compresses the bytes. For [`Compression::None`] they are copied.
pub fn compress(
    codec: Compression,
    level: CompressionLevel,
    plain: &[u8],
) -> Result<Vec<u8>, CompressError> {
    let mut out = Vec::new();
    Compressor::new(codec, level).compress_onto(plain, &mut out)?;
    Ok(out)
}

/// Decompresses the bytes, to at most `limit` bytes. For [`Compression::None`] returns the bytes themselves, without a
/// limit, because they take no additional memory.
pub fn decompress(
    codec: Compression,
    stored: &Bytes,
    limit: DecompressLimit,
) -> Result<Bytes, DecompressError> {
    let plain = match codec {
        Compression::None => return Ok(stored.clone()),
        Compression::Gzip => gzip::decompress(stored, limit),
        Compression::Snappy => snappy::decompress(stored, limit),
        Compression::Lz4 => lz4::decompress(stored, limit),
        Compression::Zstd => zstd::decompress(stored, limit),
    };
    plain.map(Bytes::from)
}

impl DecompressError {
    fn damaged(codec: Compression, reason: impl fmt::Display) -> Self {
        Self::Damaged {
            codec,
            reason: reason.to_string(),
        }
    }
}
