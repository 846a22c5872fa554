//! zstd (RFC 8878) with one or more frames.

use std::cell::RefCell;
use std::io;

use zstd::bulk::Compressor;
use zstd::zstd_safe::{DCtx, ResetDirective, compress_bound, get_frame_content_size};

use super::output::read_all;
use super::{Compression, CompressionLevel, DecompressError, DecompressLimit};

/// A frame's announced size is used up to this size, or up to this multiple of its length: then the frame is
/// decompressed at once into memory of that size. Otherwise memory grows with the output.
const BELIEVED_LEN: u64 = 1 << 20;
const BELIEVED_RATIO: u64 = 64;

thread_local! {
    /// A context takes 160 KiB and decompresses one batch at a time.
    static CONTEXT: RefCell<Option<DCtx<'static>>> = const { RefCell::new(None) };
}

pub(super) fn compressor(level: CompressionLevel) -> io::Result<Compressor<'static>> {
    let range = zstd::compression_level_range();
    Compressor::new(match level {
        CompressionLevel::Default => 3,
        CompressionLevel::Exactly(level) => level.clamp(*range.start(), *range.end()),
    })
}

pub(super) fn compress(
    plain: &[u8],
    context: &mut Compressor<'_>,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let start = out.len();
    out.reserve(compress_bound(plain.len()));
    let mut target = io::Cursor::new(out);
    target.set_position(start as u64);
    context.compress_to_buffer(plain, &mut target).map(drop)
}

pub(super) fn decompress(
    stored: &[u8],
    limit: DecompressLimit,
) -> Result<Vec<u8>, DecompressError> {
    CONTEXT.with_borrow_mut(|slot| {
        let context = match slot {
            Some(context) => context,
            None => {
                slot.insert(DCtx::try_create().ok_or_else(|| damaged("no memory for its context"))?)
            }
        };
        context
            .reset(ResetDirective::SessionOnly)
            .map_err(|_| damaged("its context cannot be reset"))?;
        if let Some(plain) = decompress_at_once(stored, limit, context) {
            return Ok(plain);
        }
        let reader = zstd::stream::read::Decoder::with_context(stored, context);
        read_all(
            Compression::Zstd,
            limit,
            reader,
            stored.len().saturating_mul(4),
        )
    })
}

/// Returns `None` if the announced size is missing or implausible, if there are more frames, or if the bytes are
/// damaged: then the stream decoder handles them.
fn decompress_at_once(
    stored: &[u8],
    limit: DecompressLimit,
    context: &mut DCtx<'static>,
) -> Option<Vec<u8>> {
    let size = get_frame_content_size(stored).ok()??;
    let believed = BELIEVED_LEN.max(BELIEVED_RATIO.saturating_mul(stored.len() as u64));
    if size > believed.min(limit.get() as u64) {
        return None;
    }
    let mut plain = Vec::with_capacity(usize::try_from(size).ok()?);
    context.decompress(&mut plain, stored).ok()?;
    Some(plain)
}

fn damaged(reason: impl std::fmt::Display) -> DecompressError {
    DecompressError::damaged(Compression::Zstd, reason)
}
