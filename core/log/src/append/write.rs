//! Writes all batches of an append with one system call.

use std::io::{self, IoSlice};

use headwater_env::File;
use headwater_record::BatchHeader;

use super::assign::FinalRequests;
use crate::room;

/// The first bytes of a batch, which the log changes: base offset, length (unchanged) and leader epoch. The CRC covers
/// none of them.
const PATCHED_LEN: usize = 16;
/// The expected number of buffers that the padding adds to a write.
const ZERO_PARTS: usize = 32;

/// Writes the batches, followed by `zeros` bytes of padding. The patched bytes of each batch come from a copy, the rest
/// from the request itself, without a copy.
pub(super) fn write_batches(
    file: &impl File,
    position: u64,
    assigned: &FinalRequests,
    zeros: u64,
) -> io::Result<()> {
    let patches: Vec<_> = assigned.headers.iter().map(patched).collect();
    let mut batches = assigned.headers.iter().zip(&patches);
    let mut parts = Vec::with_capacity(2 * patches.len() + ZERO_PARTS);
    for request in &assigned.requests {
        let mut rest = &request.bytes[..];
        while !rest.is_empty() {
            let (header, patch) = batches.next().expect("each batch has a header");
            let (batch, after) = rest.split_at(header.size_in_bytes());
            parts.push(IoSlice::new(patch));
            parts.push(IoSlice::new(&batch[PATCHED_LEN..]));
            rest = after;
        }
    }
    parts.extend(room::zeros(position + assigned.size_in_bytes(), zeros));
    file.write_vectored_at(&parts, position)
}

fn patched(header: &BatchHeader) -> [u8; PATCHED_LEN] {
    let mut out = [0; PATCHED_LEN];
    out[..8].copy_from_slice(&header.base_offset.get().to_be_bytes());
    out[8..12].copy_from_slice(&header.batch_length.to_be_bytes());
    out[12..].copy_from_slice(&header.leader_epoch.get().to_be_bytes());
    out
}
