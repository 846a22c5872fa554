//! Where reading can continue after damage.

use bytes::Bytes;
use headwater_record::{Offset, RecordBatch, batches, find_batch};

use crate::error::{DecodeError, DecodeErrorKind};

/// Adds to an error about damage at that position in fetched bytes where reading can continue.
pub(super) fn with_next_offset(
    mut error: DecodeError,
    bytes: &Bytes,
    position: usize,
) -> DecodeError {
    if let DecodeErrorKind::Damaged { next_offset, .. } = &mut error.kind {
        *next_offset = next_intact(bytes, position, error.offset);
    }
    error
}

/// The first offset after the damage, from intact data only: the header of a damaged batch may be the damaged part, so
/// its length and offsets do not count. `None` if no intact batch follows in these bytes.
fn next_intact(bytes: &Bytes, position: usize, damaged: Offset) -> Option<Offset> {
    if let Some(batch) = batch_at(bytes, position) {
        if is_intact(&batch) {
            // The producer has written it like this.
            return Some(batch.header().next_offset());
        }
        let behind = batch_at(bytes, position + batch.bytes().len()).filter(is_intact);
        if let Some(behind) = behind.filter(|behind| behind.header().base_offset > damaged) {
            return Some(behind.header().base_offset);
        }
    }
    let (_, found) = find_batch(bytes, position + 1)?;
    let offset = found.header().base_offset;
    (offset > damaged).then_some(offset)
}

fn batch_at(bytes: &Bytes, position: usize) -> Option<RecordBatch> {
    let rest = bytes.slice(position.min(bytes.len())..);
    batches(&rest).next()?.ok()
}

fn is_intact(batch: &RecordBatch) -> bool {
    batch.verify_crc().is_ok()
}
