//! Room for small appends: zeros after the last batch of the active segment.
//!
//! The system makes the pages of a file when they are first written, and that costs more than the bytes of a small batch: least for a large
//! page, which it makes only where a large write begins. So a small append to a segment that grows writes zeros after itself, up to where
//! such a page ends, and the appends after it find theirs made. Kafka's `preallocate` does the like for a whole segment.
//!
//! The zeros go when the segment is sealed and when the log is closed. After a crash they are there, and recovery knows them.

use headwater_env::{Env, File};

use crate::error::FileError;
use crate::file_name::FileKind;
use crate::segment::Segment;

/// The most zeros that are written at once.
const ZEROS_MAX: usize = 64 << 10;
static ZEROS: [u8; ZEROS_MAX] = [0; ZEROS_MAX];
/// A segment of fewer rooms than this has none, so that many small ones waste nothing.
const ROOMS_MIN: u64 = 2;

/// How far the file of the active segment goes at most: a write that failed counts as if it had not. Touched only under the append lock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Room {
    end: u64,
}

impl Room {
    /// The zeros to write after `len` bytes at `position`, where the log ends; none while there is room, and none where they would cost
    /// more than they save.
    pub(crate) fn zeros_after<E: Env>(self, position: u64, len: u64) -> &'static [u8] {
        let room = E::ROOM_BYTES;
        let end = position + len;
        if end <= self.end || len >= room || position < room * ROOMS_MIN {
            return &[];
        }
        &ZEROS[..(end.next_multiple_of(room) - end) as usize]
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

    fn zeros(room: Room, position: u64, len: u64) -> u64 {
        room.zeros_after::<RealEnv>(position, len).len() as u64
    }

    #[test]
    fn a_small_append_to_a_segment_that_grows_makes_room_up_to_the_next_multiple() {
        assert_eq!(zeros(Room::default(), 2 * ROOM, 100), ROOM - 100);
        assert_eq!(zeros(Room::default(), 3 * ROOM - 100, 100), 0);
        assert_eq!(zeros(Room::default(), 3 * ROOM - 99, 100), ROOM - 1);
    }

    #[test]
    fn there_are_no_zeros_where_there_is_room() {
        let mut room = Room::default();
        room.reaches(3 * ROOM);
        assert_eq!(zeros(room, 2 * ROOM + 100, 100), 0);
        assert_eq!(zeros(room, 3 * ROOM - 100, 100), 0);
        assert_eq!(zeros(room, 3 * ROOM - 100, 101), ROOM - 1);
        assert!(room.is_after(3 * ROOM - 1));
        assert!(!room.is_after(3 * ROOM));
    }

    #[test]
    fn small_segments_large_appends_and_memory_need_none() {
        assert_eq!(zeros(Room::default(), 2 * ROOM - 1, 100), 0);
        assert_eq!(zeros(Room::default(), 2 * ROOM, ROOM), 0);
        assert!(
            Room::default()
                .zeros_after::<MemoryEnv>(2 * ROOM, 100)
                .is_empty()
        );
    }
}
