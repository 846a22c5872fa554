//! The compression levels, shared by the tables of topics, brokers and producers.

use headwater_record::{Compression, CompressionLevel};

use super::Definition;

const GZIP: &str = "compression.gzip.level";
const LZ4: &str = "compression.lz4.level";
const ZSTD: &str = "compression.zstd.level";

/// The level of gzip.
pub const GZIP_LEVEL: Definition = Definition::int(
    GZIP,
    "-1",
    -1,
    9,
    "The compression level of gzip, from 1 (fast) to 9 (small); -1 is the codec's default.",
)
.hole(0);
/// The level of LZ4.
pub const LZ4_LEVEL: Definition = Definition::int(LZ4, "9", 1, 17, "The compression level of lz4.")
    .fixed("lz4 has one level here; choose zstd for smaller batches");
/// The level of zstd.
pub const ZSTD_LEVEL: Definition =
    Definition::int(ZSTD, "3", -131_072, 22, "The compression level of zstd.");

/// The level of `codec`. `value_of` looks up the value of a key.
pub fn compression_level(
    codec: Compression,
    value_of: impl FnOnce(&'static str) -> i64,
) -> CompressionLevel {
    match codec {
        Compression::Gzip => match value_of(GZIP) {
            -1 => CompressionLevel::Default,
            level => CompressionLevel::Exactly(level as i32),
        },
        Compression::Zstd => CompressionLevel::Exactly(value_of(ZSTD) as i32),
        Compression::None | Compression::Snappy | Compression::Lz4 => CompressionLevel::Default,
    }
}
