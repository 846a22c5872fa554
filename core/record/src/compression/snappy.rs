//! Snappy in the framing of the Java library by xerial, which Kafka uses. Also reads raw snappy.
//!
//! ```text
//!   stream = magic version:i32=1 compatible:i32=1 block*
//!   magic  = 0x82 "SNAPPY" 0x00
//!   block  = length:i32 snappy            (at most 32 KiB of uncompressed bytes, as xerial writes)
//! ```

use snap::raw::{Decoder, Encoder, decompress_len, max_compress_len};

use super::output::Output;
use super::{Compression, DecompressError, DecompressLimit};

const MAGIC: [u8; 8] = *b"\x82SNAPPY\0";
const HEADER: [u8; 16] = *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";
const BLOCK_LEN: usize = 32 * 1024;
/// The maximum expansion: a copy of 64 bytes takes three.
const MAX_RATIO: usize = 22;

pub(super) fn compress(
    plain: &[u8],
    encoder: &mut Encoder,
    out: &mut Vec<u8>,
) -> Result<(), snap::Error> {
    out.extend_from_slice(&HEADER);
    for block in plain.chunks(BLOCK_LEN) {
        let start = out.len() + 4;
        out.resize(start + max_compress_len(block.len()), 0);
        let len = encoder.compress(block, &mut out[start..])?;
        out[start - 4..start].copy_from_slice(&(len as i32).to_be_bytes());
        out.truncate(start + len);
    }
    Ok(())
}

pub(super) fn decompress(
    stored: &[u8],
    limit: DecompressLimit,
) -> Result<Vec<u8>, DecompressError> {
    let mut out = Output::new(Compression::Snappy, limit);
    if !stored.starts_with(&MAGIC) {
        decompress_block(stored, &mut out)?;
        return Ok(out.finish());
    }
    let mut rest = stored;
    while !rest.is_empty() {
        // Streams may follow each other. No block length can be equal to the magic.
        if rest.starts_with(&MAGIC) {
            rest = rest.get(HEADER.len()..).ok_or_else(cut)?;
            continue;
        }
        let (len, after) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
        let len = usize::try_from(i32::from_be_bytes(*len))
            .map_err(|_| damaged("a block has a negative length"))?;
        let (block, after) = after.split_at_checked(len).ok_or_else(cut)?;
        decompress_block(block, &mut out)?;
        rest = after;
    }
    Ok(out.finish())
}

fn decompress_block(block: &[u8], out: &mut Output) -> Result<(), DecompressError> {
    let plain_len = decompress_len(block).map_err(damaged)?;
    if plain_len > block.len().saturating_mul(MAX_RATIO) {
        return Err(damaged("a block announces more bytes than it can contain"));
    }
    let written = Decoder::new()
        .decompress(block, out.room(plain_len)?)
        .map_err(damaged)?;
    out.advance(written);
    Ok(())
}

fn cut() -> DecompressError {
    damaged("the bytes end inside a block")
}

fn damaged(reason: impl std::fmt::Display) -> DecompressError {
    DecompressError::damaged(Compression::Snappy, reason)
}
