//! Padding: zeros after the last batch of the active segment, so that later appends write to existing pages.
//!
//! The system creates the page cache of a file at the first write, which costs more than copying a small batch. The
//! cost per byte is least for a large page, which the system creates only for a large write. So an append to a growing
//! segment also writes zeros up to the next page boundary, and later appends find their pages created. Kafka's
//! `preallocate` does the same for a whole segment.
//!
//! Sealing the segment or closing the log truncates the zeros. After a crash they are still there, and recovery
//! recognises them.

use std::io::IoSlice;

use headwater_env::Env;

use crate::error::FileError;
use crate::segment::Segment;

/// A segment with space for fewer paddings than this gets none, so that many small segments waste nothing.
const PADDINGS_MIN: u64 = 2;
const PAGE_BYTES: usize = 4096;

/// The source of all zeros. It stays in the processor's nearest cache, and page-aligned copies are the fastest.
static ZEROS: Page = Page([0; PAGE_BYTES]);

#[repr(align(4096))]
struct Page([u8; PAGE_BYTES]);

/// The padding of the active segment's file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Padding {
    /// The maximum length of the file; a failed write counts as complete.
    end: u64,
}

impl Padding {
    /// The number of zeros to write after an append from `position`, the end of the log, to `end`; 0 while there is
    /// padding.
    pub(super) fn zeros_after<E: Env>(self, position: u64, end: u64) -> u64 {
        let unit = E::PADDING_BYTES;
        if end <= self.end || position < unit * PADDINGS_MIN {
            return 0;
        }
        end.next_multiple_of(unit.max(1)) - end
    }

    /// Records that the file may be written up to `end`.
    pub(super) fn extend_to(&mut self, end: u64) {
        self.end = self.end.max(end);
    }

    /// Whether there is padding after `position`.
    pub(super) fn is_after(self, position: u64) -> bool {
        self.end > position
    }
}

/// Buffers for `len` zeros at `position` of a file, aligned in memory like the pages of the file.
pub(super) fn zeros<'a>(position: u64, len: u64) -> impl Iterator<Item = IoSlice<'a>> {
    let mut skip = (position % PAGE_BYTES as u64) as usize;
    let mut left = len as usize;
    std::iter::from_fn(move || {
        let part = left.min(PAGE_BYTES - skip);
        let zeros = (part > 0).then(|| IoSlice::new(&ZEROS.0[skip..skip + part]));
        left -= part;
        skip = 0;
        zeros
    })
}

/// Truncates a segment's file at `position` durably if there is nothing but padding after it. Returns whether it did.
/// Call it at opening, when the size of the segment is that of the file.
pub(crate) fn cut_padding_of<E: Env>(
    segment: &Segment<E>,
    position: u64,
) -> Result<bool, FileError> {
    let is_padding = is_padding(segment, position)?;
    if is_padding {
        segment.file().cut(position)?;
        segment.file().sync_cut()?;
    }
    Ok(is_padding)
}

fn is_padding<E: Env>(segment: &Segment<E>, position: u64) -> Result<bool, FileError> {
    let len = segment.size() - position;
    if len > E::PADDING_BYTES {
        return Ok(false);
    }
    let bytes = segment.file().read_up_to(position, len as usize)?;
    Ok(bytes.iter().all(|byte| *byte == 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_env::{MemoryEnv, RealEnv};

    const UNIT: u64 = RealEnv::PADDING_BYTES;

    fn zeros_after(padding: Padding, position: u64, len: u64) -> u64 {
        padding.zeros_after::<RealEnv>(position, position + len)
    }

    #[test]
    fn an_append_to_a_growing_segment_pads_to_the_next_boundary() {
        assert_eq!(zeros_after(Padding::default(), 2 * UNIT, 100), UNIT - 100);
        assert_eq!(zeros_after(Padding::default(), 3 * UNIT - 100, 100), 0);
        assert_eq!(
            zeros_after(Padding::default(), 3 * UNIT, 5 * UNIT + 1),
            UNIT - 1
        );
    }

    #[test]
    fn no_zeros_are_written_while_there_is_padding() {
        let mut padding = Padding::default();
        padding.extend_to(3 * UNIT);
        assert_eq!(zeros_after(padding, 2 * UNIT + 100, 100), 0);
        assert_eq!(zeros_after(padding, 3 * UNIT - 100, 100), 0);
        assert_eq!(zeros_after(padding, 3 * UNIT - 100, 101), UNIT - 1);
        assert!(padding.is_after(3 * UNIT - 1));
        assert!(!padding.is_after(3 * UNIT));
    }

    #[test]
    fn small_segments_and_files_in_memory_get_no_padding() {
        let padding = Padding::default();
        assert_eq!(zeros_after(padding, 2 * UNIT - 1, 100), 0);
        assert_eq!(padding.zeros_after::<MemoryEnv>(2 * UNIT, 2 * UNIT + 1), 0);
    }

    #[test]
    fn buffers_of_zeros_end_at_page_boundaries() {
        let lens =
            |position, len| -> Vec<usize> { zeros(position, len).map(|part| part.len()).collect() };
        assert_eq!(lens(4_096, 0), []);
        assert_eq!(lens(4_096, 10_000), [4_096, 4_096, 1_808]);
        assert_eq!(lens(4_000, 10_000), [96, 4_096, 4_096, 1_712]);
        assert_eq!(lens(4_000, 50), [50]);
        assert!(zeros(4_000, 10_000).all(|part| part.iter().all(|byte| *byte == 0)));
    }
}
