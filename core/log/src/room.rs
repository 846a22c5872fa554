//! Room for appends: zeros after the last batch of the active segment.
//!
//! The system makes the pages of a file when they are first written, and that costs more than the bytes of a small batch: least for a large
//! page, which it makes only where a large write begins. So an append to a segment that grows writes zeros after itself, up to where
//! such a page ends, and the appends after it find theirs made. Kafka's `preallocate` does the like for a whole segment.
//!
//! The zeros go when the segment is sealed and when the log is closed. After a crash they are there, and recovery knows them.

use std::io::IoSlice;

use headwater_env::{Env, File};

use crate::error::FileError;
use crate::file_name::FileKind;
use crate::segment::Segment;

/// A segment of fewer rooms than this has none, so that many small ones waste nothing.
const ROOMS_MIN: u64 = 2;
const PAGE_BYTES: usize = 4096;

/// What zeros are copied from, over and over: it stays in the processor's nearest cache, and copies of aligned pages are the fastest.
static ZEROS: Page = Page([0; PAGE_BYTES]);

#[repr(align(4096))]
struct Page([u8; PAGE_BYTES]);

/// How far the file of the active segment goes at most: a write that failed counts as if it had not. Touched only under the append lock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Room {
    end: u64,
}

impl Room {
    /// How many zeros to write after an append from `position`, where the log ends, to `end`; none while there is room.
    pub(crate) fn zeros_after<E: Env>(self, position: u64, end: u64) -> u64 {
        let room = E::ROOM_BYTES;
        if end <= self.end || position < room * ROOMS_MIN {
            return 0;
        }
        end.next_multiple_of(room.max(1)) - end
    }

    /// The file is written up to `end`, or a part of it.
    pub(crate) fn reaches(&mut self, end: u64) {
        self.end = self.end.max(end);
    }

    /// Whether there is room after `position`.
    pub(crate) fn is_after(self, position: u64) -> bool {
        self.end > position
    }
}

/// `len` zeros for `position` in a file, in parts that lie in memory as they will lie in its pages.
pub(crate) fn zeros<'a>(position: u64, len: u64) -> impl Iterator<Item = IoSlice<'a>> {
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

/// Whether there is nothing but room from `position` to the end of a segment's file, which is the segment's size when it is opened.
pub(crate) fn is_room<E: Env>(segment: &Segment<E>, position: u64) -> Result<bool, FileError> {
    let len = segment.size() - position;
    if len > E::ROOM_BYTES {
        return Ok(false);
    }
    let bytes = segment
        .file()?
        .read_bytes(position, len as usize)
        .map_err(|source| segment.error("read", FileKind::Log, source))?;
    Ok(bytes.iter().all(|byte| *byte == 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_env::{MemoryEnv, RealEnv};

    const ROOM: u64 = RealEnv::ROOM_BYTES;

    fn zeros_after(room: Room, position: u64, len: u64) -> u64 {
        room.zeros_after::<RealEnv>(position, position + len)
    }

    #[test]
    fn an_append_to_a_segment_that_grows_makes_room_up_to_the_next_multiple() {
        assert_eq!(zeros_after(Room::default(), 2 * ROOM, 100), ROOM - 100);
        assert_eq!(zeros_after(Room::default(), 3 * ROOM - 100, 100), 0);
        assert_eq!(
            zeros_after(Room::default(), 3 * ROOM, 5 * ROOM + 1),
            ROOM - 1
        );
    }

    #[test]
    fn there_are_no_zeros_where_there_is_room() {
        let mut room = Room::default();
        room.reaches(3 * ROOM);
        assert_eq!(zeros_after(room, 2 * ROOM + 100, 100), 0);
        assert_eq!(zeros_after(room, 3 * ROOM - 100, 100), 0);
        assert_eq!(zeros_after(room, 3 * ROOM - 100, 101), ROOM - 1);
        assert!(room.is_after(3 * ROOM - 1));
        assert!(!room.is_after(3 * ROOM));
    }

    #[test]
    fn small_segments_and_memory_need_none() {
        let room = Room::default();
        assert_eq!(zeros_after(room, 2 * ROOM - 1, 100), 0);
        assert_eq!(room.zeros_after::<MemoryEnv>(2 * ROOM, 2 * ROOM + 1), 0);
    }

    #[test]
    fn zeros_come_in_parts_that_end_with_pages() {
        let lens =
            |position, len| -> Vec<usize> { zeros(position, len).map(|part| part.len()).collect() };
        assert_eq!(lens(4_096, 0), []);
        assert_eq!(lens(4_096, 10_000), [4_096, 4_096, 1_808]);
        assert_eq!(lens(4_000, 10_000), [96, 4_096, 4_096, 1_712]);
        assert_eq!(lens(4_000, 50), [50]);
        assert!(zeros(4_000, 10_000).all(|part| part.iter().all(|byte| *byte == 0)));
    }
}
