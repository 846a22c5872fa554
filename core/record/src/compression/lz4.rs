//! LZ4 frames.
//!
//! Writes independent blocks of 64 KiB without checksums or sizes, like Kafka's own clients, because Java does not read
//! linked blocks. Reads one frame of any kind without a dictionary. Kafka reads only one frame, so any bytes after it
//! are an error.
//!
//! ```text
//!   frame   = magic:u32le=0x184D2204 flags:u8 block_size:u8 content_size:u64le? header_checksum:u8
//!             block* end:u32le=0 content_checksum:u32le?
//!   block   = length:u32le (top bit: stored uncompressed) bytes checksum:u32le?
//! ```

use lz4_flex::block::{
    CompressError, CompressTable, compress_into_with_table, decompress_into,
    decompress_into_with_dict, get_maximum_output_size,
};

use super::output::Output;
use super::xxh32::xxh32;
use super::{Compression, DecompressError, DecompressLimit};

const MAGIC: u32 = 0x184d_2204;
/// Magic, version 1 with independent blocks, blocks of 64 KiB, header checksum.
const HEADER: [u8; 7] = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
const BLOCK_LEN: usize = 64 * 1024;
/// The maximum distance of a reference in a linked block.
const WINDOW: usize = 64 * 1024;
/// The maximum expansion: a length byte stands for at most 255 bytes.
const MAX_RATIO: usize = 256;
const STORED: u32 = 1 << 31;

const FLAG_INDEPENDENT: u8 = 0x20;
const FLAG_BLOCK_CHECKSUM: u8 = 0x10;
const FLAG_CONTENT_SIZE: u8 = 0x08;
const FLAG_CONTENT_CHECKSUM: u8 = 0x04;
const FLAG_DICTIONARY: u8 = 0x01;

pub(super) fn compress(
    plain: &[u8],
    table: &mut CompressTable,
    out: &mut Vec<u8>,
) -> Result<(), CompressError> {
    out.extend_from_slice(&HEADER);
    for block in plain.chunks(BLOCK_LEN) {
        let start = out.len() + 4;
        out.resize(start + get_maximum_output_size(block.len()), 0);
        let len = compress_into_with_table(block, &mut out[start..], table)?;
        let head = if len < block.len() {
            out.truncate(start + len);
            len as u32
        } else {
            out.truncate(start);
            out.extend_from_slice(block);
            block.len() as u32 | STORED
        };
        out[start - 4..start].copy_from_slice(&head.to_le_bytes());
    }
    out.extend_from_slice(&[0; 4]);
    Ok(())
}

pub(super) fn decompress(
    stored: &[u8],
    limit: DecompressLimit,
) -> Result<Vec<u8>, DecompressError> {
    let mut out = Output::new(Compression::Lz4, limit);
    let mut input = Input(stored);
    let frame = Frame::read(&mut input)?;
    frame.decompress(&mut input, &mut out)?;
    if !input.0.is_empty() {
        return Err(damaged("bytes follow the frame"));
    }
    Ok(out.finish())
}

/// The decoded header of a frame.
struct Frame {
    flags: u8,
    block_len_max: usize,
    content_size: Option<u64>,
}

impl Frame {
    fn read(input: &mut Input) -> Result<Self, DecompressError> {
        if input.u32()? != MAGIC {
            return Err(damaged("the bytes do not start with an LZ4 frame"));
        }
        let descriptor = input.0;
        let [flags, sizes] = input.array()?;
        if flags >> 6 != 1 || flags & 0x02 != 0 || sizes & 0x8f != 0 {
            return Err(damaged("the frame has an unknown version or reserved bits"));
        }
        let block_len_max = match sizes >> 4 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            _ => return Err(damaged("the frame has an unknown block size")),
        };
        let content_size = if flags & FLAG_CONTENT_SIZE == 0 {
            None
        } else {
            Some(u64::from_le_bytes(input.array()?))
        };
        if flags & FLAG_DICTIONARY != 0 {
            return Err(damaged(
                "the frame needs a dictionary, which Kafka does not support",
            ));
        }
        let computed = xxh32(&descriptor[..descriptor.len() - input.0.len()]) >> 8 & 0xff;
        let [checksum] = input.array()?;
        if u32::from(checksum) != computed {
            return Err(damaged("the frame's header has a wrong checksum"));
        }
        Ok(Self {
            flags,
            block_len_max,
            content_size,
        })
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn decompress(&self, input: &mut Input, out: &mut Output) -> Result<(), DecompressError> {
        loop {
            let head = input.u32()?;
            if head == 0 {
                break;
            }
            let block = input.take((head & !STORED) as usize)?;
            if block.len() > self.block_len_max {
                return Err(damaged("a block is longer than the frame allows"));
            }
            if self.has(FLAG_BLOCK_CHECKSUM) && input.u32()? != xxh32(block) {
                return Err(damaged("a block has a wrong checksum"));
            }
            if head & STORED != 0 {
                out.push(block)?;
            } else {
                self.decompress_block(block, out)?;
            }
        }
        if self.has(FLAG_CONTENT_CHECKSUM) && input.u32()? != xxh32(out.bytes()) {
            return Err(damaged("the content has a wrong checksum"));
        }
        if self
            .content_size
            .is_some_and(|size| size != out.bytes().len() as u64)
        {
            return Err(damaged(
                "the size of the content differs from the frame's header",
            ));
        }
        Ok(())
    }

    fn decompress_block(&self, block: &[u8], out: &mut Output) -> Result<(), DecompressError> {
        let most = self.block_len_max.min(block.len() * MAX_RATIO);
        let (done, room) = out.split(most);
        let room_len = room.len();
        let written = if self.has(FLAG_INDEPENDENT) {
            decompress_into(block, room)
        } else {
            let window = &done[done.len().saturating_sub(WINDOW)..];
            decompress_into_with_dict(block, room, window)
        };
        match written {
            Ok(written) => {
                out.advance(written);
                Ok(())
            }
            // The block may be valid, but the limit leaves less space than it needs.
            Err(lz4_flex::block::DecompressError::OutputTooSmall { .. }) if room_len < most => {
                Err(out.limit_exceeded())
            }
            Err(error) => Err(damaged(error)),
        }
    }
}

/// The unread bytes.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], DecompressError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(cut)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecompressError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or_else(cut)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u32(&mut self) -> Result<u32, DecompressError> {
        self.array().map(u32::from_le_bytes)
    }
}

fn cut() -> DecompressError {
    damaged("the bytes end inside a frame")
}

fn damaged(reason: impl std::fmt::Display) -> DecompressError {
    DecompressError::damaged(Compression::Lz4, reason)
}
