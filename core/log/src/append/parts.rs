//! The buffers of an append, for one system call.

use std::io::IoSlice;

use headwater_record::BatchHeader;

use super::assign::FinalRequests;

/// The first bytes of a batch, which the log changes: base offset, length (unchanged) and leader epoch. The CRC covers
/// none of them.
const PATCHED_LEN: usize = 16;
/// The expected number of buffers that the padding adds to a write.
const PADDING_PARTS: usize = 32;

/// The changed first bytes of each batch.
pub(super) fn patches(assigned: &FinalRequests) -> Vec<[u8; PATCHED_LEN]> {
    assigned.headers.iter().map(patched).collect()
}

/// The bytes of all batches: the patched ones from their copy, the rest from the request itself, without a copy. There
/// is capacity for padding.
pub(super) fn parts<'a>(
    assigned: &'a FinalRequests,
    patches: &'a [[u8; PATCHED_LEN]],
) -> Vec<IoSlice<'a>> {
    let mut batches = assigned.headers.iter().zip(patches);
    let mut parts = Vec::with_capacity(2 * patches.len() + PADDING_PARTS);
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
    parts
}

fn patched(header: &BatchHeader) -> [u8; PATCHED_LEN] {
    let mut out = [0; PATCHED_LEN];
    out[..8].copy_from_slice(&header.base_offset.get().to_be_bytes());
    out[8..12].copy_from_slice(&header.batch_length.to_be_bytes());
    out[12..].copy_from_slice(&header.leader_epoch.get().to_be_bytes());
    out
}
