//! Compresses batches with one codec, and reuses its state between them.

use std::fmt;

use super::{Compression, CompressionLevel, gzip, lz4, snappy, zstd};

/// The error of a failed compression; in practice, of a failed allocation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("compressing with {codec} failed ({reason}): free memory, or send the batch uncompressed")]
pub struct CompressError {
    /// The codec.
    pub codec: Compression,
    /// The message of the codec's library.
    pub reason: String,
}

/// Compresses one batch after the other and keeps the codec's tables between them.
pub struct Compressor {
    codec: Compression,
    level: CompressionLevel,
    state: State,
}

/// Created on first use: a zstd context takes megabytes.
enum State {
    Idle,
    Snappy(Box<snap::raw::Encoder>),
    Lz4(Box<lz4_flex::block::CompressTable>),
    Zstd(::zstd::bulk::Compressor<'static>),
}

impl Compressor {
    /// A compressor for this codec and level. Allocates nothing yet.
    pub const fn new(codec: Compression, level: CompressionLevel) -> Self {
        Self {
            codec,
            level,
            state: State::Idle,
        }
    }

    /// The codec.
    pub const fn codec(&self) -> Compression {
        self.codec
    }

    /// Appends the compressed bytes to `out`. On an error `out` is unchanged.
    pub fn compress_onto(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), CompressError> {
        let start = out.len();
        self.compress(plain, out).map_err(|reason| {
            out.truncate(start);
            CompressError {
                codec: self.codec,
                reason,
            }
        })
    }

    fn compress(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        match self.codec {
            Compression::None => out.extend_from_slice(plain),
            Compression::Gzip => {
                gzip::compress(plain, self.level, out).map_err(|error| error.to_string())?;
            }
            Compression::Snappy => {
                if !matches!(self.state, State::Snappy(_)) {
                    self.state = State::Snappy(Box::new(snap::raw::Encoder::new()));
                }
                if let State::Snappy(encoder) = &mut self.state {
                    snappy::compress(plain, encoder, out).map_err(|error| error.to_string())?;
                }
            }
            Compression::Lz4 => {
                if !matches!(self.state, State::Lz4(_)) {
                    self.state = State::Lz4(Box::new(lz4_flex::block::CompressTable::large()));
                }
                if let State::Lz4(table) = &mut self.state {
                    lz4::compress(plain, table, out).map_err(|error| error.to_string())?;
                }
            }
            Compression::Zstd => {
                if !matches!(self.state, State::Zstd(_)) {
                    let context =
                        zstd::compressor(self.level).map_err(|error| error.to_string())?;
                    self.state = State::Zstd(context);
                }
                if let State::Zstd(context) = &mut self.state {
                    zstd::compress(plain, context, out).map_err(|error| error.to_string())?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor")
            .field("codec", &self.codec)
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}
